# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Sourced by the scripts that run programs of Debian in the lab's virtual machine:
# results, devices, the host's file system, and QEMU under remote control.
#
# "guest" is the virtual machine inside the virtual machine, and its process id.

serial=/host/tmp/guest-serial
errors=/host/tmp/qemu-errors
qmp_commands=/host/tmp/qmp-commands
qmp_replies=/host/tmp/qmp-replies
qmp_last=0
held=0
broken=0
guest=

# Writing to a guest that has died is an error, and not our own end.
trap : PIPE

ok()
{
	held=$((held + 1))
	echo "  ok      $*"
}

failed()
{
	broken=$((broken + 1))
	echo "  FAILED  $*"
}

# check CONDITION-STATUS TEXT...
check()
{
	status=$1
	shift
	if [ "$status" = 0 ]; then ok "$@"; else failed "$@"; fi
	guest_lives || tell_of_death
	return "$status"
}

show()
{
	for file in "$@"; do
		[ ! -s "$file" ] || tr -d '\r' < "$file" | tail -n 15 | sed 's/^/          /'
	done
}

# Fails when there should be a guest and it has died.
guest_lives()
{
	[ -z "$guest" ] || kill -0 "$guest" 2>/dev/null
}

tell_of_death()
{
	wait "$guest"
	status=$?
	guest=
	give_up "the program has ended by itself, status $status; its last words:"
}

give_up()
{
	failed "$*"
	show "$errors" "$qmp_replies" "$serial"
	exit 1
}

# All is said: the last line and the status.
conclude()
{
	echo "  $held held, $broken broken"
	[ "$broken" = 0 ]
	exit
}

# wait_until SECONDS COMMAND...: while the guest lives, if there is one.
wait_until()
{
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		guest_lives || return 1
		sleep 1
	done
}

# Pages pinned on behalf of anybody: taken minus given back. The counters are
# per processor and folded once in a second unless one asks.
pinned_pages()
{
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 }
	     END { print n }' /proc/vmstat
}

# remember_pins, and later: how many more are there, and are there none?
remember_pins()
{
	pins_before=$(pinned_pages)
}

pinned_since()
{
	echo $(($(pinned_pages) - pins_before))
}

pins_returned()
{
	left_over=$(pinned_since)
	[ "$left_over" = 0 ]
}

# card_with MAC: the PCI address of a network card.
card_with()
{
	for interface in /sys/class/net/*; do
		[ "$(cat "$interface/address")" = "$1" ] || continue
		basename "$(readlink -f "$interface/device")"
		return
	done
	return 1
}

# card_of_kind DEVICE: the first with this PCI device ID, whether it has a driver or not.
card_of_kind()
{
	for file in /sys/bus/pci/devices/*/device; do
		[ "$(cat "$file")" = "$1" ] || continue
		basename "${file%/device}"
		return
	done
	return 1
}

driver_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

group_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"
}

# The name of a card's own character device, once vfio-pci has it.
cdev_of()
{
	ls "/sys/bus/pci/devices/$1/vfio-dev"
}

# give_card CARD DRIVER
give_card()
{
	device=/sys/bus/pci/devices/$1
	[ ! -e "$device/driver" ] || echo "$1" > "$device/driver/unbind"
	echo "$2" > "$device/driver_override"
	echo "$1" > /sys/bus/pci/drivers_probe
	[ "$(driver_of "$1")" = "$2" ]
}

# The programs of the machine that runs this one, read only. What they write, and
# what tells them how the machine is, is this machine's.
mount_host()
{
	[ ! -d /host/proc/1 ] || return 0
	mkdir -p /host
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro \
		hostroot /host &&
	mount -t proc proc /host/proc &&
	mount -t sysfs sysfs /host/sys &&
	mount -t devtmpfs devtmpfs /host/dev &&
	mount -t tmpfs tmpfs /host/tmp
}

# start_guest ARGUMENTS...: of QEMU. It starts with the processors stopped if they
# say so; qmp talks to it.
start_guest()
{
	rm -f $serial $errors $qmp_commands $qmp_replies
	mkfifo $qmp_commands
	chroot /host /usr/bin/qemu-system-x86_64 -machine q35,accel=tcg -m 256M \
		-nographic -nodefaults -serial file:/tmp/guest-serial -qmp stdio "$@" \
		< $qmp_commands > $qmp_replies 2> $errors &
	guest=$!
	exec 3> $qmp_commands
	qmp qmp_capabilities
}

# qmp COMMAND [ARGUMENTS]: fails when QEMU says no, or nothing.
qmp()
{
	qmp_last=$((qmp_last + 1))
	echo "{\"execute\": \"$1\", \"arguments\": {${2:-}}, \"id\": $qmp_last}" >&3 || return
	wait_until 60 qmp_said "\"id\": ${qmp_last}[,}]" &&
		grep "\"id\": ${qmp_last}[,}]" $qmp_replies | grep -q '"return"'
}

qmp_said()
{
	grep -q "$1" $qmp_replies
}

end_guest()
{
	qmp quit
	exec 3>&-
	wait "$guest"
	status=$?
	guest=
	return $status
}

# Files that the guest's QEMU has open. With names of files in /dev as arguments,
# which may be patterns: has it one of those?
uses()
{
	for fd in /proc/"$guest"/fd/*; do
		# shellcheck disable=SC2254
		case $(readlink "$fd") in
		/host/dev/$1) return 0 ;;
		esac
	done
	return 1
}

# What the kernel says about the objects of a kind that the guest's iommufd has.
iommufd_shows()
{
	for fd in /proc/"$guest"/fd/*; do
		[ "$(readlink "$fd")" = /host/dev/iommu ] || continue
		grep -i "^iommufd-$1:" "/proc/$guest/fdinfo/${fd##*/}"
		return
	done
	return 1
}

# Kilobytes of the guest's memory that count against RLIMIT_MEMLOCK
charged()
{
	awk '/^VmPin:/ { print $2 }' "/proc/$guest/status" 2>/dev/null || echo -1
}
