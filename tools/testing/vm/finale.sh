#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "nested": Debian's QEMU hands a
# network card to a guest through /dev/iommu, and the guest's firmware gets an
# address from the network by that card's own DMA.

# shellcheck source=tools/testing/vm/client-lib.sh
. ./client-lib.sh

mac=52:54:00:00:05:00

# recipe N: the N-th example of commands in the documentation of tracing, output left out
recipe()
{
	awk -v n="$1" '/::$/ { block++; next }
		/^[^ ]/ { inside = 0 }
		block == n && /^    / { inside = 1 }
		inside && block == n && !/^    context / { print }' iommufd-tracing.rst
}

# The address that the guest's firmware got
lease()
{
	tr -d '\r' < $serial 2>/dev/null | grep -A 5 "^Configuring (net[0-9]* $mac)" |
		sed -n 's/^net[0-9]*: \([0-9.]*\/[0-9.]*\).*/\1/p' | tail -n 1 | grep .
}

has_lease()
{
	[ -n "$(lease)" ]
}

# What an administrator learns who traced the start of the guest
trace_says()
{
	commands=$(recipe 3)
	(cd /sys/kernel/tracing && eval "$commands")
}

echo "A guest with a network card of its own, through /dev/iommu:"
card=$(card_with $mac) || give_up "no network card has the address $mac"
group=$(group_of "$card")
ok "network card $card, IOMMU group $group, driver $(driver_of "$card")"
give_card "$card" vfio-pci
check $? "the card is on vfio-pci: /dev/vfio/devices/$(cdev_of "$card")" || exit 1
mount_host || give_up "cannot mount the host's file system"
remember_pins

(eval "$(recipe 2)")
start_guest -boot n -object iommufd,id=iommu -device pcie-root-port,id=slot1 \
	-device "vfio-pci,host=$card,iommufd=iommu,bus=slot1" || give_up "QEMU does not start"
wait_until 60 uses 'vfio/devices/vfio*' || give_up "QEMU did not open the card"
ok "$(chroot /host /usr/bin/qemu-system-x86_64 --version | head -n 1) runs with" \
	"-object iommufd -device vfio-pci,host=$card,iommufd=iommu"
uses iommu && ! uses vfio/vfio && ! uses "vfio/$group"
check $? "it has /dev/iommu open, and neither /dev/vfio/vfio nor the group"

wait_until 240 has_lease
check $? "the guest's firmware got $(lease) from DHCP through the card" ||
	show "$serial" "$errors"
pinned=$(pinned_since)
[ "$pinned" -ge 65536 ]
check $? "meanwhile $((pinned * 4 / 1024)) MiB of the guest's memory were pinned for DMA"

said=$(trace_says)
echo "$said" | awk '$3 >= 256 && $4 == "MiB" && $7 > 0 && $9 > 0 { ok = 1 } END { exit !ok }'
check $? "a trace of the start says: $said"

end_guest && pins_returned
check $? "QEMU has ended and left $left_over pages pinned"
conclude
