#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "debian", for check-install: makes a Debian
# system of a directory of the host and looks there what the packages, or their removal,
# came to. Its user is "guest", a member of the group kvm.
#
#   install.sh DIRECTORY installed|removed

export PATH=/usr/sbin:/usr/bin:/sbin:/bin
# udev would think that it has no say in a chroot.
export SYSTEMD_IGNORE_CHROOT=1
out=/run/out
root=/debian
broken=

# result STATUS TEXT
result()
{
	if [ "$1" = 0 ]; then
		echo "  ok      $name: $2"
		return
	fi
	echo "  FAILED  $name: $2"
	[ ! -s $out ] || sed 's/^/          /' $out
	broken=1
}

# try TEXT COMMAND...: the command succeeds. What it prints is shown if it does not.
try()
{
	text=$1
	shift
	"$@" > $out 2>&1 < /dev/null
	result $? "$text"
}

start_udev()
{
	/lib/systemd/systemd-udevd --daemon &&
		udevadm trigger --action=add && udevadm settle
}

# What systemd does at each boot, with the files that it does it by.
load_modules_of_boot()
{
	/lib/systemd/systemd-modules-load && udevadm settle
}

# is_for_kvm FILE
is_for_kvm()
{
	mode=$(stat -c '%U:%G %a' "$1") || return
	echo "$1 is $mode"
	[ "$mode" = 'root:kvm 660' ]
}

# come_from DIRECTORY TAINT MODULE...: modprobe finds and loads what is there.
come_from()
{
	directory=$1
	taint=$2
	shift 2
	for module in "$@"; do
		file=$(modinfo -n "$module")
		echo "$module: $file"
		[ "$file" != "${file#*/"$directory"/}" ] && modprobe "$module" &&
			grep -q "^$taint" "/sys/module/$(echo "$module" | tr - _)/taint" ||
			return
	done
}

find_card()
{
	card=$(basename "$(dirname "$(dirname "$(echo /sys/bus/pci/drivers/e1000e/0*/net/*)")")")
	cdev=/dev/vfio/devices/vfio0
	group=/dev/vfio/$(basename "$(readlink "/sys/bus/pci/devices/$card/iommu_group")")
}

# bind_card DRIVER
bind_card()
{
	device=/sys/bus/pci/devices/$card
	echo "$1" > "$device/driver_override" &&
		echo "$card" > "$device/driver/unbind" &&
		echo "$card" > /sys/bus/pci/drivers_probe && udevadm settle &&
		[ "$(basename "$(readlink "$device/driver")")" = "$1" ]
}

# The user may lock a gigabyte, and is in the group that the udev rule names.
as_guest()
{
	prlimit --memlock=1073741824 setpriv --reuid=guest --regid=guest --init-groups "$@"
}

# qemu_realises AS ARGUMENT...: QEMU has the device, and ends when told to. AS is as_guest,
# or nothing for root.
qemu_realises()
{
	as=$1
	shift
	printf 'info pci\nquit\n' > /run/monitor
	$as timeout 150 qemu-system-x86_64 -machine q35,accel=tcg -m 256M -nodefaults -nographic \
		-S -monitor stdio "$@" < /run/monitor > /run/qemu 2>&1
	status=$?
	tail -n 20 /run/qemu
	[ $status = 0 ] && grep -q 'PCI device 8086:10d3' /run/qemu
}

look_at_installed()
{
	# shellcheck disable=SC2046
	come_from updates/dkms O $(cat /install/modules) > $out 2>&1
	result $? 'modprobe loads our modules, all of them, in place of the stock ones'
	try '/dev/iommu is for root and the group kvm' is_for_kvm /dev/iommu
	try "iommuctl binds $card to vfio-pci" iommuctl bind "$card"
	udevadm settle
	try "$cdev is for root and the group kvm" is_for_kvm "$cdev"
	try 'iommuctl check is green' iommuctl check
	try 'iommuctl check is green for a user of the group kvm' as_guest iommuctl check
	try "iommuctl probe, as that user" as_guest iommuctl probe --size 16M "$card"
	try "$version realises the device through /dev/iommu, as that user" \
		qemu_realises as_guest -object iommufd,id=iommufd0 \
		-device "vfio-pci,host=$card,iommufd=iommufd0"
	try "and through VFIO's container" \
		qemu_realises '' -device "vfio-pci,host=$card"
	try "iommuctl gives $card back to e1000e" iommuctl unbind "$card"
}

look_at_removed()
{
	try 'there is no iommufd' test ! -e /dev/iommu
	! modinfo iommufd > $out 2>&1
	result $? 'and none could be loaded'
	try 'modprobe loads the stock modules' \
		come_from kernel '$' vfio vfio_iommu_type1 vfio-pci-core vfio-pci
	try "$card goes to vfio-pci" bind_card vfio-pci
	try "VFIO's group is there, its newer interface is not" test -c "$group" -a ! -e "$cdev"
	try "$version realises the device through VFIO's container" \
		qemu_realises '' -device "vfio-pci,host=$card"
	try "$card goes back to e1000e" bind_card e1000e
}

inside()
{
	name=$(. /etc/os-release && echo "$VERSION_CODENAME, $1")
	try 'udev runs' start_udev
	try 'modules of /etc/modules-load.d and the like' load_modules_of_boot
	version=$(qemu-system-x86_64 --version | sed -n 's/ (.*//; s/ emulator version//p')
	find_card
	"look_at_$1"
	udevadm control --exit
	exit ${broken:-0}
}

outside()
{
	# shellcheck source=tools/testing/vm/debian.sh
	. ./debian.sh
	if ! mount_debian $root "$1" || ! mount -t tmpfs tmpfs $root/run; then
		echo "  FAILED  cannot mount the system in $1"
		exit 1
	fi
	mkdir -p $root/install
	cp install.sh modules $root/install
	exec chroot $root /bin/sh /install/install.sh / "$2"
}

if [ -d /install ]; then
	inside "$2"
fi
outside "$1" "$2"
