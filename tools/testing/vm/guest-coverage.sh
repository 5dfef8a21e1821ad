#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine: the test programs given as arguments, and
# afterwards the kernel's counters, for tools/testing/vm/coverage.

/job/guest-tests.sh "$@"
find /sys/kernel/debug/gcov -name '*.gcda' | while read -r file; do
	echo "### gcda ${file##*/}"
	gzip -c < "$file" | base64
done
