#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs in the lab's virtual machine, topology "clients": testpmd, the exerciser of
# Debian's DPDK, sends packets on an igb that a VFIO container gives to it. Which one that
# is, type1's or iommufd's, is the kernel's choice; testpmd can not tell.

# shellcheck source=tools/testing/vm/client-lib.sh
. ./client-lib.sh

igb=0x10c9
output=/host/tmp/testpmd
errors=$output
input=/host/tmp/testpmd-input
plugins=/usr/lib/x86_64-linux-gnu/dpdk

# DPDK loads every plugin there is, hundreds: show it those that testpmd is linked
# with and those that the card needs.
choose_plugins()
{
	mkdir /host/tmp/plugins
	for name in mempool_ring net_e1000 $(chroot /host ldd /usr/bin/dpdk-testpmd |
			sed -n 's/.*pmds.*\/librte_\(.*\)\.so.*/\1/p'); do
		cp -d /host$plugins/pmds-*/librte_"$name".so.[0-9]* /host/tmp/plugins/ || return
	done
	mount --bind /host/tmp/plugins "$(echo /host$plugins/pmds-*)"
}

start_testpmd()
{
	mkfifo $input
	chroot /host stdbuf -oL dpdk-testpmd -l 0,1 -a "$card" -m 64 --in-memory --iova-mode=va \
		--no-telemetry -- --forward-mode=txonly --nb-cores=1 --total-num-mbufs=4096 \
		< $input > $output 2>&1 &
	guest=$!
	exec 3> $input
}

# Key "enter" ends it, and makes it print what it did.
end_testpmd()
{
	echo >&3
	wait_until 30 grep -q '^Bye' $output
	exec 3>&-
	wait "$guest"
	status=$?
	guest=
	return $status
}

sent()
{
	sed -n 's/.*TX-packets: *\([0-9]*\).*/\1/p' $output | head -n 1 | grep .
}

provider=iommufd
[ ! -d /sys/module/vfio_iommu_type1 ] || provider=type1
[ $provider = "$1" ] || give_up "the container of this kernel is $provider's"
echo "DPDK with an igb through the container of $provider"
mount_host || give_up "cannot mount the host's file system"
card=$(card_of_kind $igb) || give_up "there is no igb"
give_card "$card" vfio-pci || give_up "$card does not go to vfio-pci"
choose_plugins || give_up "DPDK's plugins are not where they are expected"
group=/dev/vfio/$(group_of "$card")
remember_pins

start_testpmd
wait_until 120 grep -q '^Press enter' $output
check $? "testpmd runs on $card" || { show $output; exit 1; }
uses vfio/vfio && uses "${group#/dev/}" && ! uses iommu
check $? "it has the container and the group open, and no /dev/iommu"
pinned=$(pinned_since)
[ "$pinned" -ge 4096 ]
check $? "its memory is pinned: $pinned pages"
sleep 2
end_testpmd
check $? "testpmd ends regularly" || show $output
[ "$(sent)" -gt 0 ]
check $? "the card sent $(sent) packets by its own DMA" || show $output
pins_returned
check $? "it left $(pinned_since) pages pinned"
(: <> "$group")
check $? "$group is free: it opens for somebody else"
conclude
