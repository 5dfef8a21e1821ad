#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "clients": Debian's QEMU with network
# cards passed to its guest. The guest is firmware, iPXE, which asks for an address
# by the card's own DMA.

# shellcheck source=tools/testing/vm/client-lib.sh
. ./client-lib.sh

first_mac=52:54:00:00:05:00
second_mac=52:54:00:00:05:01
igb_mac=52:54:00:00:05:02
guest_kb=262144
refusal=/host/tmp/refusal

# Names of vfio-pci's properties: a card through /dev/iommu, in a slot of the guest.
passed()
{
	echo "vfio-pci,id=$1,host=$2,iommufd=iommu,bus=$3"
}

passed_later()
{
	echo "\"driver\": \"vfio-pci\", \"id\": \"$1\", \"host\": \"$2\"," \
		"\"iommufd\": \"iommu\", \"bus\": \"$3\""
}

# Objects of a kind that the guest's iommufd has
objects()
{
	iommufd_shows "$1" | wc -l
}

# The guest's memory is in one address space, by which COUNT devices reach it.
is_mapped_for()
{
	[ "$(charged)" -ge $guest_kb ] && [ "$(pinned_since)" -ge $((guest_kb / 4)) ] &&
		[ "$(pinned_since)" -lt $((guest_kb / 4 + 1024)) ] &&
		[ "$(objects device)" = "$1" ] && [ "$(objects IOAS)" = 1 ]
}

mapping()
{
	echo "$(objects device) devices, $(objects IOAS) IOAS, $(objects HWPT) page tables;" \
		"VmPin $(charged) kB, $(pinned_since) pages pinned"
}

# A guest of firmware has no driver to ask for its consent: a reset takes the card.
unplug()
{
	qmp device_del "\"id\": \"$1\"" && qmp system_reset &&
		wait_until 30 qmp_said "\"DEVICE_DELETED\".*\"$1\""
}

nothing_is_mapped()
{
	pins_returned && [ "$(charged)" = 0 ] && [ "$(objects device)" = 0 ] &&
		[ "$(objects HWPT)" = 0 ] && ! uses 'vfio/devices/*'
}

# no_residue DRIVER CARD...: after QEMU has ended.
no_residue()
{
	driver=$1
	shift
	pins_returned
	check $? "$driver: QEMU has ended and left $(pinned_since) pages pinned"
	[ "$(cat /sys/module/iommufd/refcnt)" = "$users_before" ]
	check $? "$driver: iommufd has no more users than before"
	for card in "$@"; do
		give_card "$card" "$driver" && [ -d "/sys/bus/pci/devices/$card/net" ]
		check $? "$driver: $card is a network card of this machine again"
	done
}

begin()
{
	heading=$1
	shift
	echo "$heading"
	for card in "$@"; do
		give_card "$card" vfio-pci || give_up "$card does not go to vfio-pci"
	done
	users_before=$(cat /sys/module/iommufd/refcnt)
	remember_pins
}

e1000e_through_iommufd()
{
	begin "QEMU with an e1000e through /dev/iommu" "$first" "$second"
	start_guest -boot n -object iommufd,id=iommu -device pcie-root-port,id=slot1,chassis=1 \
		-device pcie-root-port,id=slot2,chassis=2 -device "$(passed nic1 "$first" slot1)" ||
		give_up "QEMU does not start"
	wait_until 100 has_lease $first_mac
	check $? "e1000e: the guest got $(lease $first_mac) by its card" || show "$serial"
	is_mapped_for 1
	check $? "e1000e: the guest's memory is mapped: $(mapping)"

	unplug nic1
	check $? "e1000e: hot-unplugged" || show "$qmp_replies"
	nothing_is_mapped
	check $? "e1000e: QEMU runs on with nothing mapped: $(mapping)"
}

two_cards_while_the_guest_runs()
{
	echo "Two cards plugged into the running guest"
	qmp device_add "$(passed_later nic1b "$first" slot1)"
	check $? "two cards: the first plugged back" || show "$qmp_replies"
	qmp device_add "$(passed_later nic2 "$second" slot2)"
	check $? "two cards: the second plugged" || show "$qmp_replies"
	is_mapped_for 2
	check $? "two cards: one address space, its memory pinned once: $(mapping)"
	qmp system_reset && wait_until 100 has_lease $second_mac
	check $? "two cards: the guest got $(lease $second_mac) by the second" || show "$serial"
	unplug nic1b && is_mapped_for 1
	check $? "two cards: the first unplugged, the second keeps the memory: $(mapping)"
	end_guest
	check $? "two cards: QEMU ends regularly" || show "$errors"
	no_residue e1000e "$first" "$second"
}

# No address here: iPXE waits for a link, which the emulated card has only when its
# driver asks for one, and reads received packets in a form that it does not write.
igb_through_iommufd()
{
	begin "QEMU with an igb through /dev/iommu" "$igb"
	start_guest -kernel /usr/lib/ipxe/ipxe.lkrn -object iommufd,id=iommu \
		-device pcie-root-port,id=slot1 -device "$(passed nic "$igb" slot1)" ||
		give_up "QEMU does not start"
	wait_until 100 grep -q "^.*net0: $igb_mac using 82576" $serial
	check $? "igb: the guest's driver found the card" || show "$serial"
	is_mapped_for 1
	check $? "igb: the guest's memory is mapped: $(mapping)"
	unplug nic && nothing_is_mapped
	check $? "igb: hot-unplugged, nothing is mapped: $(mapping)"
	end_guest
	check $? "igb: QEMU ends regularly" || show "$errors"
	no_residue igb "$igb"
}

# Become a QEMU that only holds what it is given: its processors never start.
hold()
{
	exec chroot /host /usr/bin/qemu-system-x86_64 -machine q35,accel=tcg -m 256M -S \
		-nographic -nodefaults -object iommufd,id=iommu "$@" \
		< /dev/null > "$refusal" 2>&1
}

# is_refused CARD ARGUMENTS...: QEMU does not start, and says that the card is in use.
is_refused()
{
	card=$1
	shift
	! (hold "$@") && grep -q "$card.*Device or resource busy" "$refusal"
}

holds_all()
{
	[ "$(pinned_since)" -ge $((guest_kb / 4)) ]
}

container_beside_iommufd()
{
	begin "One QEMU through /dev/iommu, another through the container" "$first" "$second"
	hold -device "$(passed nic "$first" pcie.0)" &
	holder=$!
	wait_until 60 holds_all || give_up "the first QEMU does not start"
	start_guest -boot n -device pcie-root-port,id=slot1 \
		-device "vfio-pci,host=$second,bus=slot1" || give_up "QEMU does not start"
	wait_until 100 has_lease $second_mac
	check $? "container: the guest got $(lease $second_mac) by its card" || show "$serial"
	uses vfio/vfio && uses "vfio/$(group_of "$second")" && ! uses iommu
	check $? "container: it has the container and the group open, and no /dev/iommu"
	[ "$(pinned_since)" -ge $((guest_kb / 2)) ]
	check $? "container: the memory of both guests is pinned: $(pinned_since) pages"

	is_refused "$first" -device "vfio-pci,host=$first"
	check $? "container: a card that /dev/iommu has is refused" || show "$refusal"
	dmesg | grep -q "vfio $(group_of "$first"): .*while /dev/iommu has a device"
	check $? "container: the kernel's log says that /dev/iommu has its group" || dmesg | tail
	is_refused "$second" -device "$(passed nic "$second" pcie.0)"
	check $? "container: a card that the container has is refused to /dev/iommu" ||
		show "$refusal"
	dmesg | grep -q "$second: .*while the group is open as /dev/vfio/$(group_of "$second")"
	check $? "container: the kernel's log says that its group is open as a group" || dmesg | tail
	end_guest
	check $? "container: QEMU ends regularly" || show "$errors"
	kill $holder
	wait $holder
	no_residue e1000e "$first" "$second"
}

mount_host || give_up "cannot mount the host's file system"
first=$(card_with $first_mac) && second=$(card_with $second_mac) &&
	igb=$(card_with $igb_mac) || give_up "a network card is missing"
e1000e_through_iommufd
two_cards_while_the_guest_runs
container_beside_iommufd
igb_through_iommufd
conclude
