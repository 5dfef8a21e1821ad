/* SPDX-License-Identifier: GPL-2.0 */
/* A PCI device in the hands of vfio-pci, through its character device. */
#ifndef IOMMU_TEST_VFIO_H
#define IOMMU_TEST_VFIO_H

#include <linux/vfio.h>

#include "pci.h"

struct vdev {
	bdf_t bdf;
	int fd;
	/* Id in the context it is bound to */
	__u32 id;
	/* BAR 0, once mapped */
	volatile char *bar0;
	size_t bar0_size;
};

/* Path of the character device of @bdf, such as /dev/vfio/devices/vfio0 */
int __vdev_path(const char *bdf, char *path, size_t size);

/* Open the device; it is bound to nothing yet. */
int __vdev_open(struct vdev *dev, const char *bdf);
/* Unmap and close, which detaches and unbinds. */
void vdev_close(struct vdev *dev);

int __vdev_bind(struct vdev *dev, int iommufd);
/* Attach, or replace. *@pt becomes the id of the page table that is used. */
int __vdev_attach(struct vdev *dev, __u32 *pt);
int __vdev_detach(struct vdev *dev);

/* Open, bind, map BAR 0 and let the device do DMA. */
void vdev_start(struct vdev *dev, const char *bdf, int iommufd);
/* Attach to an IOAS or HWPT; returns the page table. */
__u32 vdev_attach(struct vdev *dev, __u32 pt);
void vdev_detach(struct vdev *dev);

int __vdev_map_bar0(struct vdev *dev);
int __vdev_config_read(struct vdev *dev, unsigned int offset, void *data, size_t size);
int __vdev_config_write(struct vdev *dev, unsigned int offset, const void *data, size_t size);
int __vdev_enable_dma(struct vdev *dev, bool on);
/* Let the device decode accesses to its BARs, or not. */
int __vdev_enable_memory(struct vdev *dev, bool on);
/* Put it into the PCI power state D@state, 0 to 3. */
int __vdev_set_power(struct vdev *dev, unsigned int state);
int __vdev_reset(struct vdev *dev);

/* What a reset of all of a slot, or of a bus, would concern */
struct hot_reset {
	__u32 flags;
	__u32 n;
	struct vfio_pci_dependent_device device[8];
};

int __vdev_hot_reset_info(struct vdev *dev, struct hot_reset *reset);
/* The id that a device has there, which may be one of VFIO_PCI_DEVID_… */
__u32 hot_reset_id(const struct hot_reset *reset, const char *bdf);
/*
 * Whether it worked has to be seen by the device: QEMU's ports show no link afterwards, which
 * the kernel waits for and then says ENOTTY.
 */
int __vdev_hot_reset(struct vdev *dev);

static inline __u32 reg_read(const struct vdev *dev, size_t offset)
{
	return *(volatile __u32 *)(dev->bar0 + offset);
}

static inline void reg_write(const struct vdev *dev, size_t offset, __u32 value)
{
	*(volatile __u32 *)(dev->bar0 + offset) = value;
}

static inline void reg_write64(const struct vdev *dev, size_t offset, __u64 value)
{
	*(volatile __u64 *)(dev->bar0 + offset) = value;
}

#endif
