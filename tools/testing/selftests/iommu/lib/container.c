// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container.h"

/* Put the group of @bdf on the open container, which becomes one of @type unless 0. */
static int __add_device(struct container *c, const char *bdf, int type)
{
	char group[64];

	snprintf(group, sizeof(group), "/dev/vfio/%d", __pci_group(bdf));
	c->device = -1;
	c->group = open(group, O_RDWR | O_CLOEXEC);
	if (c->fd >= 0 && c->group >= 0 &&
	    !ioctl(c->group, VFIO_GROUP_SET_CONTAINER, &c->fd) &&
	    (!type || !ioctl(c->fd, VFIO_SET_IOMMU, type))) {
		c->device = ioctl(c->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
		if (c->device >= 0)
			return 0;
	}
	container_close(c);
	return -errno;
}

int __container_open(struct container *c, const char *path, const char *bdf, int type)
{
	c->fd = open(path, O_RDWR | O_CLOEXEC);
	return __add_device(c, bdf, type);
}

int __container_join(struct container *c, const struct container *with, const char *bdf)
{
	c->fd = dup(with->fd);
	return __add_device(c, bdf, 0);
}

void container_close(struct container *c)
{
	int err = errno;

	if (c->device >= 0)
		close(c->device);
	if (c->group >= 0)
		close(c->group);
	if (c->fd >= 0)
		close(c->fd);
	errno = err;
}

bool container_has_type1(void)
{
	return !access("/sys/module/vfio_iommu_type1", F_OK);
}

int __container_map(struct container *c, const void *va, __u64 length, __u64 iova)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)va,
		.iova = iova,
		.size = length,
	};

	return ioctl(c->fd, VFIO_IOMMU_MAP_DMA, &cmd) ? -errno : 0;
}

long __container_unmap(struct container *c, __u32 flags, __u64 iova, __u64 length)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.flags = flags,
		.iova = iova,
		.size = length,
	};

	return ioctl(c->fd, VFIO_IOMMU_UNMAP_DMA, &cmd) ? -errno : (long)cmd.size;
}

int __dirty_log(struct container *c, __u32 flags)
{
	struct vfio_iommu_type1_dirty_bitmap cmd = { .argsz = sizeof(cmd), .flags = flags };

	return ioctl(c->fd, VFIO_IOMMU_DIRTY_PAGES, &cmd) ? -errno : 0;
}

static struct vfio_bitmap to_bitmap(const struct dirty_request *request)
{
	return (struct vfio_bitmap){
		.pgsize = request->page_size ?: PAGE,
		.size = request->bytes ?: (request->length / PAGE + 63) / 64 * 8,
		.data = request->bitmap,
	};
}

int __dirty_get(struct container *c, struct dirty_request request)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} cmd = {
		.head.argsz = request.argsz ?: sizeof(cmd),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.range.iova = request.iova,
		.range.size = request.length,
		.range.bitmap = to_bitmap(&request),
	};

	return ioctl(c->fd, VFIO_IOMMU_DIRTY_PAGES, &cmd) ? -errno : 0;
}

long __dirty_unmap(struct container *c, __u32 flags, struct dirty_request request)
{
	struct {
		struct vfio_iommu_type1_dma_unmap head;
		struct vfio_bitmap bitmap;
	} cmd = {
		.head.argsz = request.argsz ?: sizeof(cmd),
		.head.flags = flags | VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
		.head.iova = request.iova,
		.head.size = request.length,
		.bitmap = to_bitmap(&request),
	};

	return ioctl(c->fd, VFIO_IOMMU_UNMAP_DMA, &cmd) ? -errno : (long)cmd.head.size;
}
