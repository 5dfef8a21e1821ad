#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine: the test programs given as arguments, with
# a line before and after each for tools/testing/vm/ktap.

for program in "$@"; do
	echo "### begin $program"
	echo "lab: begin $program" > /dev/kmsg
	start=$(date +%s)
	"./$program"
	echo "### end $program $? $(($(date +%s) - start))"
done
exit 0
