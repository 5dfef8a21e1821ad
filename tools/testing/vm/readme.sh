#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "debian", for check-readme: first
# makes the machine look like one with Debian installed, then, in there, runs what
# the README says.
#
#   readme.sh DIRECTORY [inside]	DIRECTORY: the checkout

top=$1
root=/debian
out=/readme/out

result()
{
	status=$1
	shift
	if [ "$status" = 0 ]; then
		echo "  ok      README: $*"
	else
		echo "  FAILED  README: $*"
		[ ! -s $out ] || sed 's/^/          /' $out
		broken=1
	fi
}

# Debian's modules where they belong, and its VFIO in place of ours.
install_debian_modules()
{
	mkdir -p $root/lib/modules $root/readme &&
	rm -rf "$root/lib/modules/$(uname -r)" &&
	cp -r modules "$root/lib/modules/$(uname -r)" &&
	cp readme.sh commands qemu-arguments $root/readme/ &&
	rmmod vhost_vdpa vfio_pci vfio_pci_core vfio_iommu_type1 vfio iommufd irqbypass &&
	chroot $root /sbin/depmod && chroot $root /sbin/modprobe vfio-pci &&
	[ ! -e /dev/iommu ] && [ "$(cat /sys/module/vfio/taint)" = "" ]
}

outside()
{
	# shellcheck source=tools/testing/vm/debian.sh
	. ./debian.sh
	mount_debian $root || { echo "  FAILED  README: cannot mount the host's file system"; exit 1; }
	install_debian_modules
	result $? "a machine with Debian's VFIO loaded"
	[ -z "$broken" ] || exit 1
	exec chroot $root /bin/sh /readme/readme.sh "$top" inside
}

# We are root here, and everything is built.
sudo()
{
	"$@"
}

make()
{
	case $1 in
	install|uninstall) command make "$@"; return ;;
	esac
	[ "${2:-}" = "" ] || [ "$2" = "KERNEL=$(cat build/stock/release)" ] || return 1
	command make -n "$@" > /dev/null
}

# What only drivers of mediated devices ask for, modprobe would find for them.
all_ours_are_loaded()
{
	modprobe mdev
	for file in build/stock/*.ko; do
		name=$(basename "$file" .ko | tr - _)
		modprobe "$name"
		grep -q O "/sys/module/$name/taint" 2> /dev/null && continue
		echo "$name is not loaded, or not the one of build/stock"
		return 1
	done
}

qemu_starts()
{
	# shellcheck disable=SC2046
	echo quit | timeout 120 qemu-system-x86_64 -machine q35,accel=tcg -m 256M \
		-nodefaults -nographic -S -monitor stdio $(cat /readme/qemu-arguments)
}

inside()
{
	export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	cd "$top" || exit 1
	while read -r line; do
		case $line in ''|\#*) continue ;; esac
		(eval "$line") > $out 2>&1 < /dev/null
		result $? "$line"
	done < /readme/commands
	all_ours_are_loaded > $out
	result $? "modprobe finds all modules of build/stock in place of Debian's"
	qemu_starts > $out 2>&1
	result $? "QEMU starts with $(cat /readme/qemu-arguments)"
	exit ${broken:-0}
}

broken=
[ "${2:-}" = inside ] && inside
outside
