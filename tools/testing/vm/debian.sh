# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Sourced by the scripts that need all of Debian in the lab's virtual machine, topology
# "debian".

# mount_debian ROOT [DIRECTORY]: the machine that runs this one, or a system that it has
# in a directory. What is written stays in memory.
mount_debian()
{
	mkdir -p /lower /memory "$1"
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro \
		hostroot /lower &&
	mount -t tmpfs tmpfs /memory && mkdir /memory/upper /memory/work &&
	mount -t overlay -o "lowerdir=/lower${2:-},upperdir=/memory/upper,workdir=/memory/work" \
		overlay "$1" &&
	mount -t proc proc "$1/proc" &&
	mount -t sysfs sysfs "$1/sys" &&
	mount -t devtmpfs devtmpfs "$1/dev"
}
