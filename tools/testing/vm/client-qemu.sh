#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "clients": Debian's QEMU with network
# cards passed to its guest. The guest is a small Linux, vmlinux and initramfs, which asks
# for an address by each card's own DMA.

# shellcheck source=tools/testing/vm/client-lib.sh
. ./client-lib.sh

first_mac=52:54:00:00:05:00
second_mac=52:54:00:00:05:01
igb_mac=52:54:00:00:05:02
guest_kb=262144
refusal=/host/tmp/refusal

# No calibration and no test of what QEMU emulates: it takes long.
linux_parameters="console=ttyS0 quiet tsc=reliable no_timer_check lpj=4000000"

# start_linux ARGUMENTS...: of QEMU. The slots are Linux's own business, not ACPI's, which
# this Linux does not have.
start_linux()
{
	start_guest -kernel /tmp/vmlinux -initrd /tmp/initramfs -append "$linux_parameters" \
		-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off \
		-device pcie-root-port,id=slot1,chassis=1 \
		-device pcie-root-port,id=slot2,chassis=2 "$@" || give_up "QEMU does not start"
}

# leases MAC: the addresses that the guest got by that card
leases()
{
	tr -d '\r' < $serial | sed -n "s/^$1 has //p"
}

# has_lease MAC [TIMES]
has_lease()
{
	[ "$(leases "$1" | wc -l)" = "${2:-1}" ]
}

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

# The guest's kernel lets the card go, five seconds after it has been asked to.
unplug()
{
	qmp device_del "\"id\": \"$1\"" && wait_until 60 qmp_said "\"DEVICE_DELETED\".*\"$1\""
}

nothing_is_mapped()
{
	guest_lives && pins_returned && [ "$(charged)" = 0 ] &&
		[ "$(objects device)" = 0 ] && [ "$(objects HWPT)" = 0 ] && ! uses 'vfio/devices/*'
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

# got_address NAME MAC [TIMES]: by that card's DMA, which takes the whole path.
got_address()
{
	wait_until 240 has_lease "$2" "${3:-1}"
	check $? "$1: the guest got $(leases "$2" | tail -n 1) by $2" || show "$serial"
}

# one_card NAME CARD MAC: there from the start, until it is unplugged
one_card()
{
	start_linux -object iommufd,id=iommu -device "$(passed nic "$2" slot1)"
	got_address "$1" "$3"
	is_mapped_for 1
	check $? "$1: the guest's memory is mapped: $(mapping)"
	unplug nic
	check $? "$1: hot-unplugged" || show "$qmp_replies"
	wait_until 10 nothing_is_mapped
	check $? "$1: QEMU runs on with nothing mapped: $(mapping)"
}

# Into the slots of the guest that has lost its card
two_cards()
{
	echo "Two cards plugged into the running guest"
	qmp device_add "$(passed_later nic1 "$first" slot1)"
	check $? "two cards: the first plugged back" || show "$qmp_replies"
	qmp device_add "$(passed_later nic2 "$second" slot2)"
	check $? "two cards: the second plugged" || show "$qmp_replies"
	is_mapped_for 2
	check $? "two cards: one address space, its memory pinned once: $(mapping)"
	got_address "two cards" $first_mac 2
	got_address "two cards" $second_mac
	unplug nic1 && wait_until 10 is_mapped_for 1
	check $? "two cards: the first unplugged, the second keeps the memory: $(mapping)"
}

ends()
{
	end_guest
	check $? "$1: QEMU ends regularly" || show "$errors"
}

e1000e_through_iommufd()
{
	begin "QEMU with an e1000e through /dev/iommu" "$first" "$second"
	one_card e1000e "$first" $first_mac
	two_cards
	ends "two cards"
	no_residue e1000e "$first" "$second"
}

igb_through_iommufd()
{
	begin "QEMU with an igb through /dev/iommu" "$igb"
	one_card igb "$igb" $igb_mac
	ends igb
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
	start_linux -device "vfio-pci,host=$second,bus=slot1"
	got_address container $second_mac
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
	ends container
	kill $holder
	wait $holder
	no_residue e1000e "$first" "$second"
}

mount_host || give_up "cannot mount the host's file system"
first=$(card_with $first_mac) && second=$(card_with $second_mac) &&
	igb=$(card_with $igb_mac) || give_up "a network card is missing"
cp vmlinux initramfs /host/tmp/
e1000e_through_iommufd
container_beside_iommufd
igb_through_iommufd
conclude
