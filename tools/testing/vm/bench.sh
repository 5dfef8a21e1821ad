#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "edu", for check-bench: gives the device to
# vfio-pci, as who has a machine does beforehand, and lets the benchmark have it.

device=$(dirname "$(grep -l 0x11e8 /sys/bus/pci/devices/*/device)")
bdf=$(basename "$device")

if ./bench "$bdf" 2> refused || ! grep -q 'mend: iommuctl bind' refused; then
	echo "  FAILED  bench: a device that is not on vfio-pci is refused"
	exit 1
fi
echo vfio-pci > "$device/driver_override"
echo "$bdf" > /sys/bus/pci/drivers/vfio-pci/bind
exec ./bench --json --size 8M "$bdf"
