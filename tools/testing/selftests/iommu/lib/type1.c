// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "type1.h"

int __type1_open(struct type1 *type1, int group)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/vfio/%d", group);
	type1->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (type1->container < 0)
		return -errno;
	type1->group = open(path, O_RDWR | O_CLOEXEC);
	if (type1->group < 0 ||
	    ioctl(type1->group, VFIO_GROUP_SET_CONTAINER, &type1->container) ||
	    ioctl(type1->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)) {
		int ret = -errno;

		type1_close(type1);
		return ret;
	}
	return 0;
}

void type1_close(struct type1 *type1)
{
	if (type1->group >= 0)
		close(type1->group);
	close(type1->container);
}

int __type1_map(struct type1 *type1, const void *va, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = length,
	};

	return ioctl(type1->container, VFIO_IOMMU_MAP_DMA, &cmd) ? -errno : 0;
}

long __type1_unmap(struct type1 *type1, __u64 iova, __u64 length)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = iova,
		.size = length,
	};

	return ioctl(type1->container, VFIO_IOMMU_UNMAP_DMA, &cmd) ? -errno : (long)cmd.size;
}
