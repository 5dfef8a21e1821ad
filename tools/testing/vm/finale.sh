#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "nested": Debian's QEMU hands a
# network card to a guest through /dev/iommu, and the guest's firmware gets an
# address from the network by that card's own DMA.

mac=52:54:00:00:05:00
wait_for_lease=240
serial=/host/tmp/guest-serial
errors=/host/tmp/qemu-errors
held=0
broken=0

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
	return "$status"
}

give_up()
{
	failed "$*"
	[ ! -s "$errors" ] || sed 's/^/          /' "$errors"
	exit 1
}

# Pages pinned on behalf of anybody: taken minus given back. The counters are
# per processor and folded once in a second unless one asks.
pinned_pages()
{
	echo 1 > /proc/sys/vm/stat_refresh
	awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 }
	     END { print n }' /proc/vmstat
}

card_address()
{
	for interface in /sys/class/net/*; do
		[ "$(cat "$interface/address")" = $mac ] || continue
		basename "$(readlink -f "$interface/device")"
		return
	done
	return 1
}

give_card_to_vfio()
{
	device=/sys/bus/pci/devices/$1
	echo "$1" > "$device/driver/unbind"
	echo vfio-pci > "$device/driver_override"
	echo "$1" > /sys/bus/pci/drivers_probe
	[ "$(basename "$(readlink "$device/driver")")" = vfio-pci ]
}

# The programs of the machine that runs this one, read only.
mount_host()
{
	mkdir -p /host
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro \
		hostroot /host &&
	mount -t proc proc /host/proc &&
	mount -t sysfs sysfs /host/sys &&
	mount -t devtmpfs devtmpfs /host/dev &&
	mount -t tmpfs tmpfs /host/tmp
}

start_guest()
{
	# shellcheck disable=SC2086
	chroot /host /usr/bin/qemu-system-x86_64 -machine q35,accel=tcg -m 256M \
		-nographic -nodefaults -serial file:/tmp/guest-serial -boot n \
		-object iommufd,id=iommu -device pcie-root-port,id=slot1 \
		-device vfio-pci,host=$card,iommufd=iommu,bus=slot1 \
		< /dev/null > "$errors" 2>&1 &
	guest=$!
}

# uses NODE: has QEMU this file of /dev open? NODE is a pattern.
uses()
{
	for fd in /proc/$guest/fd/*; do
		# shellcheck disable=SC2254
		case $(readlink "$fd") in
		/host/dev/$1) return 0 ;;
		esac
	done
	return 1
}

# wait_until SECONDS COMMAND...: while the guest lives.
wait_until()
{
	left=$1
	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] && kill -0 "$guest" 2>/dev/null || return 1
		sleep 1
	done
}

lease()
{
	tr -d '\r' < "$serial" 2>/dev/null | sed -n 's/^net0: \([0-9.]*\/[0-9.]*\).*/\1/p' |
		head -n 1 | grep .
}

has_lease()
{
	[ -n "$(lease)" ]
}

# recipe N: the N-th example of commands in the documentation of tracing, output left out
recipe()
{
	awk -v n="$1" '/::$/ { block++; next }
		/^[^ ]/ { inside = 0 }
		block == n && /^    / { inside = 1 }
		inside && block == n && !/^    context / { print }' iommufd-tracing.rst
}

# What an administrator learns who traced the start of the guest
trace_says()
{
	commands=$(recipe 3)
	(cd /sys/kernel/tracing && eval "$commands")
}

pins_returned()
{
	left_over=$(($(pinned_pages) - pins_before))
	[ "$left_over" = 0 ]
}

echo "A guest with a network card of its own, through /dev/iommu:"
card=$(card_address) || give_up "no network card has the address $mac"
group=$(basename "$(readlink /sys/bus/pci/devices/"$card"/iommu_group)")
ok "network card $card, IOMMU group $group, driver e1000e"
give_card_to_vfio "$card"
check $? "the card is on vfio-pci: /dev/vfio/devices/$(ls /sys/bus/pci/devices/"$card"/vfio-dev)" ||
	exit 1
mount_host || give_up "cannot mount the host's file system"
pins_before=$(pinned_pages)

(eval "$(recipe 2)")
start_guest
wait_until 60 uses 'vfio/devices/vfio*' || give_up "QEMU did not open the card"
ok "$(chroot /host /usr/bin/qemu-system-x86_64 --version | head -n 1) runs with" \
	"-object iommufd -device vfio-pci,host=$card,iommufd=iommu"
uses iommu && ! uses vfio/vfio && ! uses "vfio/$group"
check $? "it has /dev/iommu open, and neither /dev/vfio/vfio nor the group"

wait_until $wait_for_lease has_lease
check $? "the guest's firmware got $(lease) from DHCP through the card" ||
	tail -n 15 "$serial" "$errors"
pinned=$(($(pinned_pages) - pins_before))
[ "$pinned" -ge 65536 ]
check $? "meanwhile $((pinned * 4 / 1024)) MiB of the guest's memory were pinned for DMA"

said=$(trace_says)
echo "$said" | awk '$3 >= 256 && $4 == "MiB" && $7 > 0 && $9 > 0 { ok = 1 } END { exit !ok }'
check $? "a trace of the start says: $said"

kill "$guest" && wait "$guest" 2>/dev/null
pins_returned
check $? "QEMU has ended and left $left_over pages pinned"

echo "  $held held, $broken broken"
[ "$broken" = 0 ]
