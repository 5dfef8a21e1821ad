#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "vdpa-clients": Debian's QEMU boots from a
# vDPA disk as it always could, by vhost's own messages: one of the kernel's simulator,
# and one that qemu-storage-daemon plays. Then our tests use the latter through an IOAS.

# shellcheck source=tools/testing/vm/client-lib.sh
. ./client-lib.sh

image=/host/tmp/disk
daemon_says=/host/tmp/storage-daemon

vdpa()
{
	chroot /host /sbin/vdpa "$@"
}

# The boot sector copies itself to the next sector by the BIOS, and if that is done
# writes to the serial port what follows.
#	xor ax,ax; mov ds,ax; mov es,ax
#	mov ax,0x301; mov cx,2; mov dh,0; mov bx,0x7c00; int 0x13; jc end
#	cld; mov si,text
# next:	lodsb; or al,al; jz end; mov dx,0x3f8; out dx,al; jmp next
# end:	hlt; jmp end
# text:
write_image()
{
	{
		printf '\061\300\216\330\216\300'
		printf '\270\001\003\271\002\000\266\000\273\000\174\315\023\162\017'
		printf '\374\276\047\174'
		printf '\254\010\300\164\006\272\370\003\356\353\365'
		printf '\364\353\375'
		printf 'booted from %s\r\n\000' "$1"
	} > $image
	truncate -s 510 $image
	printf '\125\252' >> $image
	truncate -s 1M $image
}

# has_written NAME FILE: the sector behind the boot sector
has_written()
{
	dd if="$2" bs=512 skip=1 count=1 2> /dev/null | grep -q "booted from $1"
}

# give_vdpa DEVICE DRIVER
give_vdpa()
{
	device=/sys/bus/vdpa/devices/$1
	[ ! -e "$device/driver" ] || echo "$1" > "$device/driver/unbind"
	echo "$2" > "$device/driver_override"
	echo "$1" > /sys/bus/vdpa/drivers_probe
	[ "$(basename "$(readlink "$device/driver")")" = "$2" ]
}

# The disk of a vDPA device that the kernel's own virtio driver has
block_device_of()
{
	find "/sys/bus/vdpa/devices/$1/" -path '*/block/*' -prune | sed 's/.*\///'
}

# boots NAME: QEMU's guest has no other disk.
boots()
{
	node=$(echo "/sys/bus/vdpa/devices/$1"/vhost-vdpa-*)
	start_guest -object memory-backend-memfd,id=memory,size=256M,share=on \
		-machine memory-backend=memory \
		-device "vhost-vdpa-device-pci,vhostdev=/dev/$(basename "$node")" ||
		give_up "QEMU does not start"
	wait_until 100 grep -q "booted from $1" $serial
	check $? "$1: QEMU's guest read its boot sector, and wrote a copy" ||
		show "$errors" "$serial"
	uses 'vhost-vdpa-*'
	check $? "$1: QEMU has vhost-vdpa open"
	end_guest
	check $? "$1: QEMU ends regularly" || show "$errors"
	pins_returned
	check $? "$1: nothing is pinned: $(pinned_since) pages"
}

simulated_disk()
{
	echo "QEMU boots from a disk of vdpa_sim"
	vdpa dev add name sim1 mgmtdev vdpasim_blk || give_up "no simulated disk"
	give_vdpa sim1 virtio_vdpa
	check $? "sim1: the kernel's own virtio driver takes the device"
	write_image sim1
	disk=$(block_device_of sim1)
	dd if=$image of="/dev/$disk" bs=64k conv=fsync 2> /dev/null
	check $? "sim1: $disk, the disk as that driver has it, is written to"
	give_vdpa sim1 vhost_vdpa || give_up "sim1 does not go to vhost_vdpa"
	boots sim1
	give_vdpa sim1 virtio_vdpa
	check $? "sim1: the kernel's driver has the device back"
	has_written sim1 "/dev/$(block_device_of sim1)"
	check $? "sim1: what the guest wrote is there"
	vdpa dev del sim1
	check $? "sim1: removed"
}

played_disk()
{
	echo "QEMU boots from a disk of qemu-storage-daemon"
	write_image vduse1
	chroot /host /usr/bin/qemu-storage-daemon \
		--blockdev file,node-name=file,filename=/tmp/disk \
		--blockdev raw,node-name=raw,file=file \
		--export vduse-blk,id=export,node-name=raw,name=vduse1,writable=on \
		< /dev/null > $daemon_says 2>&1 &
	daemon=$!
	wait_until 30 [ -e /dev/vduse/vduse1 ] || { show $daemon_says; give_up "no VDUSE device"; }
	vdpa dev add name vduse1 mgmtdev vduse || give_up "no vDPA device of it"
	boots vduse1
	has_written vduse1 $image
	check $? "vduse1: what the guest wrote is in the daemon's file"
	vdpa dev del vduse1
	check $? "vduse1: removed"
}

# Each test of the program as a line of ours.
through_an_ioas()
{
	echo "The daemon's disk in an address space of /dev/iommu"
	# QEMU 10's daemon ends in an assertion of its own (vduse_queue_disable) when a
	# queue goes with a request in it, as it does now and then when its owner is killed.
	VDUSE_DISK=vduse1 ./vduse_blk -T the_owner_is_killed > tap 2>&1
	while read -r line; do
		case $line in
		*'# SKIP'*) ;;
		'ok '*)     ok "vduse1: ${line#ok * }" ;;
		'not ok '*) failed "vduse1: ${line#not ok * }" ;;
		esac
	done < tap
	grep -q '^ok .*unmapped_memory_is_not_touched' tap
	check $? "vduse1: the tests ran" || tail -n 30 tap
	if ! kill $daemon; then
		wait $daemon
		failed "vduse1: the daemon has ended by itself, status $?; its last words:"
		show $daemon_says
	fi
	wait $daemon
	pins_returned
	check $? "vduse1: the daemon has ended, and nothing is pinned"
}

mount_host || give_up "cannot mount the host's file system"
remember_pins
simulated_disk
played_disk
through_an_ioas
conclude
