#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "demo": both parts, whatever
# becomes of the first.

status=0
./demo || status=1
echo
./finale.sh || status=1
exit $status
