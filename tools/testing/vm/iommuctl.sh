#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, for check-iommuctl: iommuctl's commands, what they
# print and the status they end with.
#
#   iommuctl.sh PART	one of the functions part_… below

# How iommuctl ends, see iommuctl(8).
yes=0 no=1 usage=2 denied=3 missing=4 nodevice=5 refused=6 trouble=7

f0=0000:01:00.0
f1=0000:01:00.1
pf=0000:02:00.0
isa=0000:00:1f.0
out=/tmp/out
n=0
failed=0

# result STATUS TEXT
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n $2"
	else
		sed 's/^/# /' $out
		echo "not ok $n $2"
		failed=1
	fi
}

# expect STATUS 'LINE' COMMAND...: the command ends like that and prints that somewhere.
expect()
{
	wanted=$1
	line=$2
	shift 2
	status=0
	"$@" > $out 2>&1 < /dev/null || status=$?
	echo "(status $status, expected $wanted, and in the output: $line)" > $out.note
	[ "$status" = "$wanted" ] && grep -qF -- "$line" $out
	verdict=$?
	cat $out.note >> $out
	result $verdict "$(echo "$*: $line" | sed 's/process [0-9]*/process N/')"
}

# The same for someone who is not root.
expect_of_user()
{
	wanted=$1
	line=$2
	shift 2
	expect "$wanted" "$line" su user -c "/job/iommuctl $*"
}

driver_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# driver_is BDF DRIVER: no DRIVER for none
driver_is()
{
	[ "$(driver_of "$1")" = "$2" ]
	result $? "$1 is on ${2:-no driver}"
}

# wait_until COMMAND...: at most half a minute
wait_until()
{
	tries=30
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 1
	done
}

make_user()
{
	mkdir -p /etc
	printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n' > /etc/passwd
	printf 'root:x:0:\ndaemon:x:1:\nuser:x:1000:\n' > /etc/group
	chmod 755 /job /job/iommuctl /job/hold
}

part_arguments()
{
	expect $usage 'usage: iommuctl COMMAND' iommuctl
	expect $usage "there is no command 'lsit'" iommuctl lsit
	expect $yes 'Exit status:' iommuctl --help
	expect $yes 'iommuctl ' iommuctl --version
	expect $yes 'usage: iommuctl bind' iommuctl bind --help
	expect $usage 'usage: iommuctl bind' iommuctl bind
	expect $usage 'usage: iommuctl unbind' iommuctl unbind
	expect $usage "'1:0' is no PCI address" iommuctl unbind 1:0
	expect $usage '"code":2' iommuctl lsit --json
	expect $usage '"text":"list has no such option"' iommuctl list --colour --json
	expect $usage '"mend":"usage: iommuctl bind BDF..."' iommuctl bind --json
	expect $usage 'an option lacks its value' iommuctl check --size
	expect $usage "'16777216T' is no size" iommuctl check --size 16777216T
	expect $usage "'99999999999999999999' is no size" \
		iommuctl check --size 99999999999999999999
	# shellcheck disable=SC2016
	expect $trouble 'the output cannot be written' sh -c 'iommuctl list --json > /dev/full'
	expect $nodevice 'there is no device 1:0' iommuctl list 1:0
	expect $usage 'usage: iommuctl status' iommuctl status $f0
	expect $usage 'list has no such option' iommuctl list --force
	expect $usage 'list has no such option' iommuctl list --colour
	expect $usage "'1:0' is no PCI address" iommuctl bind 1:0
	expect $usage "'0000:01:20.0' is no PCI address" iommuctl bind 0000:01:20.0
	expect $nodevice 'there is no device 0000:7f:00.0' iommuctl bind 7f:00.0
	expect $nodevice '"code":5' iommuctl list --json 7f:00.0
	expect $usage 'bridges stay with the kernel' iommuctl bind 00:01.0
}

part_list()
{
	expect $yes 'IOMMU dmar0 (VT-d): 48-bit' iommuctl list
	expect $no "in use by kernel driver e1000e at $f0, e1000e at $f1" iommuctl list $f1
	expect $yes "$f1: e1000e -> vfio-pci, /dev/vfio/devices/vfio" iommuctl bind $f1
	expect $no "not viable: in use by kernel driver e1000e at $f0" iommuctl list 01:00.1
	grep -q "e1000e at $f1" $out
	result $((!$?)) "list blames nobody who is with vfio-pci"
	expect $no '"viable":false' iommuctl list --json $f1
	expect_of_user $yes "not viable: in use by kernel driver e1000e at $f0" list
	expect $yes "$f0: e1000e -> vfio-pci" iommuctl bind $f0
	expect $yes 'viable' iommuctl list $f1
	expect $yes "$f1: vfio-pci -> e1000e" iommuctl unbind $f0 $f1
}

# An ISA bridge is a device like others.
part_isa()
{
	expect $no "in use by kernel driver lpc_ich at $isa" iommuctl list 00:1f.2
	expect $yes "$isa: lpc_ich -> vfio-pci" iommuctl bind --group 00:1f.2
	expect $yes ': viable' iommuctl list 00:1f.2
	expect $yes "$isa: vfio-pci -> lpc_ich" iommuctl unbind --group 00:1f.2
}

# override_is BDF DRIVER: (null) for any
override_is()
{
	[ "$(cat "/sys/bus/pci/devices/$1/driver_override")" = "$2" ]
	result $? "the driver_override of $1 is $2"
}

# A driver that does not take the device leaves it where it was, however it came there.
part_move_back()
{
	expect $trouble "did not go to nvme: No such device; it is on e1000e again" \
		iommuctl bind --driver nvme $f0
	driver_is $f0 e1000e
	override_is $f0 '(null)'
	echo $f0 > /sys/bus/pci/drivers/e1000e/unbind
	expect $trouble 'it is on no driver again' iommuctl bind --driver nvme $f0
	driver_is $f0 ''
	override_is $f0 '(null)'
	iommuctl bind $f0 > $out 2>&1
	expect $trouble 'it is on vfio-pci again' iommuctl bind --driver nvme $f0
	override_is $f0 vfio-pci
	# Now nothing says any more how it got there.
	echo > /sys/bus/pci/devices/$f0/driver_override
	expect $trouble 'it is on vfio-pci again' iommuctl bind --driver nvme $f0
	driver_is $f0 vfio-pci
	override_is $f0 '(null)'
	expect $yes "$f0: vfio-pci -> e1000e" iommuctl unbind $f0
}

part_bind()
{
	expect $yes "echo vfio-pci > /sys/bus/pci/devices/$f1/driver_override" \
		iommuctl bind --dry-run $f1
	driver_is $f1 e1000e
	expect_of_user $yes 'drivers_probe' bind --dry-run $f1
	expect_of_user $denied "only root may change the driver of $f1" bind $f1
	driver_is $f1 e1000e
	expect $yes '"modprobe vfio-mdev"' iommuctl bind --dry-run --json --driver vfio-mdev $f1
	expect $yes "/drivers/e1000e/unbind\"" iommuctl bind --dry-run --json $f1
	expect $yes "still not viable: in use by kernel driver e1000e at $f0" iommuctl bind $f1
	iommuctl unbind $f1 > $out 2>&1
	expect $yes '"notes":[' iommuctl bind --json $f1
	expect $yes "$f1: vfio-pci -> vfio-pci" iommuctl bind $f1
	expect_of_user $denied "only root may change the driver of $f1" unbind $f1
	expect $yes "$f0: e1000e -> vfio-pci" iommuctl bind --group 01:00.1
	expect $yes "$f0: vfio-pci -> e1000e" iommuctl unbind --group 01:00.1
	expect $yes "$f0: e1000e -> e1000e" iommuctl unbind $f0
	driver_is $f1 e1000e
	expect $yes '"driver":"vfio-pci"' iommuctl bind --json $f0
	expect $yes '"before":"vfio-pci"' iommuctl unbind --json $f0
}

# open_file FILE: by a process of its own, whose number is in $opener
open_file()
{
	sh -c 'exec 3<> "$0"; exec sleep 600' "$1" &
	opener=$!
	sleep 1
}

close_file()
{
	kill $opener
	wait $opener 2> /dev/null
}

part_status()
{
	expect $yes 'Nobody has /dev/iommu' iommuctl status
	iommuctl bind --group $f1 > $out 2>&1
	open_file /dev/iommu
	expect $yes "sleep, process $opener of uid 0" iommuctl status
	grep -q 'account  *user' $out
	result $? 'status shows what the kernel tells of the open file'
	expect $yes '"path":"/dev/iommu"' iommuctl status --json
	expect $yes '"account":[' iommuctl status --json
	expect_of_user $yes 'processes of other users cannot be looked at' status
	close_file
	open_file "$(cdev_of $f1)"
	expect $yes "(fd 3): $f1" iommuctl status
	close_file
	iommuctl unbind --group $f1 > $out 2>&1
}

group_of()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"
}

cdev_of()
{
	echo "/dev/vfio/devices/$(ls "/sys/bus/pci/devices/$1/vfio-dev")"
}

# The user's limit, when the user has another device with memory already
partly_used()
{
	iommuctl bind $pf > $out 2>&1
	chmod 666 "$(cdev_of $pf)"
	su user -c "/job/hold $pf 6" > $out 2>&1 &
	holder=$!
	wait_until grep -q ready $out
	result $? 'a user has 6 MiB locked'
	expect_of_user $denied 'the memlock limit is 8 MiB, of which 6 MiB are used' \
		probe --size 4M $f1
	kill $holder
	wait $holder 2> /dev/null
	expect $yes "$pf: vfio-pci -> igb" iommuctl unbind $pf
}

part_probe()
{
	expect $no "iommuctl bind $f1" iommuctl probe $f1
	iommuctl bind $f1 > $out 2>&1
	expect $no "is not viable: in use by kernel driver e1000e at $f0" iommuctl probe $f1
	iommuctl bind $f0 > $out 2>&1
	expect $yes 'close device' iommuctl probe $f1
	expect $yes ", $(cdev_of $f1), 16 MiB" iommuctl probe --size 16M $f1
	expect $yes '"step":"unmap"' iommuctl probe --json $f1
	expect_of_user $denied 'cannot open /dev/iommu: Permission denied' probe $f1
	chmod 666 /dev/iommu
	expect_of_user $denied "cannot open $(cdev_of $f1): Permission denied" probe $f1
	chmod 666 "$(cdev_of $f1)"
	expect_of_user $denied 'the memlock limit is 8 MiB' probe $f1
	expect_of_user $yes 'close device' probe --size 4M $f1
	partly_used
	expect $trouble 'MiB of memory are available' iommuctl probe --size 1T $f1
	open_file "$(cdev_of $f1)"
	expect $yes 'close device' iommuctl probe --size 4M $f1
	close_file
	open_file "/dev/vfio/$(group_of $f1)"
	expect $no "process $opener has /dev/vfio/$(group_of $f1) open" iommuctl probe $f1
	close_file
	expect $usage "'12Q' is no size" iommuctl probe --size 12Q $f1
	expect $usage 'usage: iommuctl probe' iommuctl probe $f0 $f1
	expect $nodevice 'there is no device 0000:7f:00.0' iommuctl probe 7f:00.0
	chmod 600 /dev/iommu
	iommuctl unbind --group $f1 > $out 2>&1
}

part_check()
{
	expect $yes 'iommuctl list shows them' iommuctl check
	iommuctl bind $f1 > $out 2>&1
	expect $no "FAILED  devices    $f1: group" iommuctl check
	expect $no "iommuctl bind --group $f0" iommuctl check
	iommuctl bind $f0 > $out 2>&1
	expect $yes 'ok      devices    2 can be given away' iommuctl check
	expect $yes 'ok      IOMMU      dmar0 (VT-d)' iommuctl check
	expect $yes 'ok      interrupts remapped' iommuctl check
	expect $yes 'ok      memlock    no limit' iommuctl check --size 64G
	expect $yes '"ready":true' iommuctl check --json
	expect_of_user $no 'FAILED  rights     uid 1000 may not open /dev/iommu' check
	expect_of_user $no 'memlock 67108864' check --size 64G
	# All capabilities of a namespace of its own are none where the limit is looked at.
	expect $no 'memlock 67108864' su user -c 'unshare -U -r /job/iommuctl check --size 64G'
	expect_of_user $no '"state":"FAILED"' check --json
	chmod 660 /dev/iommu
	chgrp user /dev/iommu "$(cdev_of $f0)"
	expect_of_user $no "uid 1000 may not open $(cdev_of $f0)" check
	chmod 660 "$(cdev_of $f0)" "$(cdev_of $f1)"
	expect_of_user $yes "warning devices    uid 1000 may not open $(cdev_of $f1)" check --size 4M
	expect_of_user $yes 'a udev rule: GROUP="kvm"' check --size 4M
	chgrp user "$(cdev_of $f1)"
	expect_of_user $yes 'ok      devices    2 can be given away' check --size 4M
	expect_of_user $yes 'Ready.' check --size 4M
	chgrp daemon "$(cdev_of $f1)"
	expect_of_user $yes 'adduser USER daemon' check --size 4M
	chmod 600 "$(cdev_of $f0)"
	expect_of_user $no "FAILED  devices    uid 1000 may not open $(cdev_of $f1)" check --size 4M
	chgrp root /dev/iommu
	chmod 600 /dev/iommu
	expect $usage 'usage: iommuctl check' iommuctl check $f0
	iommuctl unbind $f0 $f1 > $out 2>&1
}

part_vdpa_arguments()
{
	for arguments in lsit 'list card' add 'add card' del 'del card disk'; do
		# shellcheck disable=SC2086
		expect $usage 'vdpa takes: list' iommuctl vdpa $arguments
	done
	expect $usage 'usage: iommuctl vdpa list|add|del' iommuctl vdpa
	expect $usage 'usage: iommuctl vdpa list|add|del' \
		iommuctl vdpa add card vduse 52:54:00:00:00:01 disk
	expect $usage "'52:54' is no MAC address" iommuctl vdpa add card vduse 52:54
	expect $usage "'52:54:00:00:00:01:02' is no MAC" \
		iommuctl vdpa add card vduse 52:54:00:00:00:01:02
	expect $usage 'vdpa has no such option' iommuctl vdpa --force list
}

# in_use_by_vdpa NAME: to delete the device now would hang all of vDPA.
in_use_by_vdpa()
{
	file=/dev/$(basename /sys/bus/vdpa/devices/"$1"/vhost-vdpa-*)
	open_file "$file"
	expect $refused "$1 is in use by process $opener, which has $file open" iommuctl vdpa del "$1"
	expect $refused '"code":6' iommuctl vdpa del --json "$1"
	expect $yes "$file (fd 3): $1" iommuctl status
	close_file
}

# A card and a disk that the kernel simulates
part_vdpa_sim()
{
	expect $yes 'manager vdpasim_net' iommuctl vdpa list
	expect $yes '"manager":"vdpasim_blk"' iommuctl vdpa list --json
	expect_of_user $denied 'cannot add card' vdpa add card vdpasim_net
	expect $yes 'card: made by vdpasim_net' \
		iommuctl vdpa add card vdpasim_net 52:54:00:00:06:01
	expect $trouble 'cannot add card: File exists' iommuctl vdpa add card vdpasim_net
	expect $trouble 'provided attributes are not supported' \
		iommuctl vdpa add disk vdpasim_blk 52:54:00:00:06:02
	expect $nodevice 'cannot add disk' iommuctl vdpa add disk pci/vdpasim_blk
	expect $yes '}' iommuctl vdpa add disk vdpasim_blk --json
	expect $yes 'device  card, virtio type 1, of vdpasim_net, driver vhost_vdpa' \
		iommuctl vdpa list
	expect $yes 'device  disk, virtio type 2, of vdpasim_blk, driver vhost_vdpa' \
		iommuctl vdpa list
	expect_of_user $yes '"virtio_id":2' vdpa list --json
	expect_of_user $denied 'it needs CAP_NET_ADMIN' vdpa del disk
	in_use_by_vdpa disk
	expect $yes 'disk: deleted' iommuctl vdpa del disk
	expect $nodevice '"code":5' iommuctl vdpa del disk --json
	expect $yes 'device  card' iommuctl vdpa list
	expect $yes 'card: deleted' iommuctl vdpa del card
	iommuctl vdpa list > $out
	grep -q '^device' $out
	result $((!$?)) 'no vDPA device is left'
}

part_vdpa_vduse()
{
	expect $yes 'manager vduse' iommuctl vdpa list
	vduse card > $out 2>&1 &
	vduse=$!
	sleep 1
	grep -q ready $out
	result $? 'a network device of VDUSE'
	expect_of_user $denied 'it needs CAP_NET_ADMIN' vdpa add card vduse
	expect $nodevice 'cannot add card' iommuctl vdpa add card nobody
	expect $yes 'card: made by vduse' iommuctl vdpa add card vduse
	expect $yes 'device  card, virtio type 1, of vduse, driver vhost_vdpa' iommuctl vdpa list
	expect_of_user $yes '"device":"card"' vdpa list --json
	expect_of_user $denied 'cannot delete card' vdpa del card
	expect $yes 'card: deleted' iommuctl vdpa del card
	expect $nodevice 'cannot delete card' iommuctl vdpa del card
	kill $vduse
	wait $vduse 2> /dev/null
}

# What the machine itself needs stays where it is.
part_needed()
{
	disk=$(basename "$(readlink -f /sys/class/nvme/nvme0/device)")
	mkswap /dev/nvme0n1 > $out && swapon /dev/nvme0n1 >> $out 2>&1
	result $? 'swap space on an NVMe disk'
	expect $refused 'its disk nvme0n1 is in use' iommuctl bind "$disk"
	driver_is "$disk" nvme
	swapoff /dev/nvme0n1
	mkdir -p /mnt
	mke2fs /dev/nvme0n1 > $out 2>&1 && mount -t ext4 /dev/nvme0n1 /mnt >> $out 2>&1
	result $? 'a file system on an NVMe disk'
	expect $refused 'its disk nvme0n1 holds /mnt' iommuctl bind "$disk"
	driver_is "$disk" nvme
	umount /mnt
	expect $yes "$disk: nvme -> vfio-pci" iommuctl bind "$disk"
	expect $yes "$disk: vfio-pci -> nvme" iommuctl unbind "$disk"

	ip address add 192.0.2.2/24 dev eth0 && ip link set eth0 up &&
		ip route add default via 192.0.2.1
	result $? 'a default route through an e1000e'
	expect $refused 'the default route leads through eth0' iommuctl bind --group $f0
	expect $refused '"code":6' iommuctl bind --json $f0
	driver_is $f0 e1000e
	expect $yes "$f0: e1000e -> vfio-pci" iommuctl bind --force $f0

	open_file "/dev/vfio/$(group_of $f0)"
	expect $refused "which has /dev/vfio/" iommuctl unbind $f0
	close_file
	unbind_waits
}

# The kernel waits for the user of the device, and a signal meanwhile leaves nothing halfway.
unbind_waits()
{
	open_file "$(cdev_of $f0)"
	iommuctl unbind --force $f0 > $out 2>&1 &
	unbind=$!
	wait_until grep -q "still waiting for $f0 to be let go" $out
	result $? 'unbind --force says what it waits for'
	kill -TERM $unbind
	close_file
	wait $unbind 2> /dev/null
	[ $? = 143 ]
	result $? 'unbind --force was ended by a signal'
	driver_is $f0 e1000e
	override_is $f0 '(null)'
}

# What is needed of a card may be one of its virtual functions.
part_functions()
{
	echo 1 > /sys/bus/pci/devices/$pf/sriov_numvfs
	vf=$(basename "$(readlink /sys/bus/pci/devices/$pf/virtfn0)")
	interface=$(ls "/sys/bus/pci/devices/$vf/net")
	ip address add 198.51.100.2/24 dev "$interface" && ip link set "$interface" up &&
		ip route add default via 198.51.100.1
	result $? "a default route through $interface of $vf"
	expect $refused "$vf, a virtual function of $pf, stays on igbvf: the default route" \
		iommuctl bind $pf
	ip route del default
	iommuctl bind "$vf" > $out 2>&1
	open_file "$(cdev_of "$vf")"
	expect $refused "$vf, a virtual function of $pf, is in use by process $opener" \
		iommuctl bind $pf
	driver_is $pf igb
	close_file
	expect $yes "$pf: igb -> vfio-pci" iommuctl bind $pf
	expect $yes "$pf: vfio-pci -> igb" iommuctl unbind $pf
}

# Debian's VFIO, which has no files but those of groups
part_stock()
{
	rmmod vfio_pci vfio_pci_core vfio_iommu_type1 vfio
	for module in vfio vfio_iommu_type1 vfio-pci-core vfio-pci; do
		insmod /job/debian/$module.ko
	done
	expect $no 'update-initramfs -u' iommuctl check
	expect $yes "$f1: e1000e -> vfio-pci" iommuctl bind --group $f1
	expect $no 'VFIO is not the one that came with iommufd' iommuctl probe $f1
	open_file "/dev/vfio/$(group_of $f1)"
	expect $refused "which has /dev/vfio/$(group_of $f1) open" iommuctl unbind $f1
	close_file
	expect $yes "$f1: vfio-pci -> e1000e" iommuctl unbind --group $f1
}

part_modules()
{
	rmmod vhost_vdpa vduse vdpa_sim_net vdpa_sim_blk vdpa_sim vringh vdpa
	for arguments in list 'add card vdpasim_net' 'del card'; do
		# shellcheck disable=SC2086
		expect $missing 'modprobe vdpa' iommuctl vdpa $arguments
	done
	expect $missing 'the driver vfio-mdev is not loaded' \
		iommuctl bind --driver vfio-mdev $f0
	iommuctl unbind --group $f0 > $out 2>&1
	rmmod vfio_pci
	expect $missing 'the driver vfio-pci is not loaded, and modprobe cannot load it' \
		iommuctl bind $f0
	driver_is $f0 e1000e
	rmmod vfio_pci_core vfio_iommu_type1 vfio iommufd
	expect $yes "$f1  8086:10d3  network       e1000e" iommuctl list
	expect $missing 'there is no /dev/iommu' iommuctl probe $f0
	expect $missing 'there is no /dev/iommu' iommuctl status
	expect $no 'FAILED  modules    iommufd is not loaded' iommuctl check
	expect $no 'install iommufd-dkms' iommuctl check
	expect $no 'install it first' iommuctl check
	for module in iommufd vfio vfio_iommu_type1 vfio-pci-core vfio-pci; do
		insmod /modules/$module.ko
	done
}

# A machine that was booted with intel_iommu=off.
part_without_iommu()
{
	expect $yes 'In no group, no IOMMU translates' iommuctl list
	expect $no 'In no group, no IOMMU translates' iommuctl list $f0
	expect $no '"ungrouped"' iommuctl list --json $f0
	expect $missing '"code":4' iommuctl bind --json $f0
	expect $missing 'the device is in no IOMMU group' iommuctl bind $f0
	expect $no 'remove intel_iommu=off from GRUB_CMDLINE_LINUX' iommuctl check
}

# A machine that was booted with intremap=off. The other user has nothing to do with it.
part_unsafe_interrupts()
{
	iommuctl bind --group $f0 $pf > $out 2>&1
	expect $no 'not viable: interrupts are not remapped' iommuctl list $f0
	open_file "$(cdev_of $pf)"
	expect $no 'is not viable: interrupts are not remapped' iommuctl probe $f0
	close_file
	expect $no 'remove nointremap or intremap=off' iommuctl check
	echo Y > /sys/module/iommufd/parameters/allow_unsafe_interrupts
	expect $yes ': viable' iommuctl list $f0
	expect $yes 'close device' iommuctl probe --size 4M $f0
}

make_user
for part in "$@"; do
	"part_$part"
done
echo "1..$n"
exit $failed
