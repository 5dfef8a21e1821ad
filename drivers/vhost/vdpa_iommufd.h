/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vhost-vdpa devices in the address spaces of /dev/iommu: what vdpa.c calls.
 *
 * All functions but vhost_vdpa_iommufd_init(), _check_write() and _remove() are called
 * with the mutex of the vhost device held.
 */
#ifndef _VHOST_VDPA_IOMMUFD_H
#define _VHOST_VDPA_IOMMUFD_H

#include <linux/types.h>
#include <linux/vhost_iommufd.h>

struct iommufd_ctx;
struct iommufd_device;
struct iov_iter;
struct vdpa_device;
struct vhost_dev;
struct vhost_vdpa_iommufd;
struct vhost_vdpa_mirror;

/**
 * struct vhost_vdpa_legacy_ops - vhost-vdpa's own way to map memory
 * @in_use: are there mappings by IOTLB messages in the address space, or a batch of such
 *	    messages? If not, forget that there ever were.
 * @stop: give the device's IOMMU domain up
 * @start: allocate and attach it again
 */
struct vhost_vdpa_legacy_ops {
	bool (*in_use)(struct vhost_vdpa_iommufd *vi, u32 asid);
	void (*stop)(struct vhost_vdpa_iommufd *vi);
	int (*start)(struct vhost_vdpa_iommufd *vi);
};

/**
 * struct vhost_vdpa_iommufd - What one device has to do with /dev/iommu
 * @vdpa: the device. Immutable
 * @vdev: the same, as vhost sees it. Immutable
 * @legacy: immutable
 * @ictx: the context that the open file is bound to, or NULL
 * @idev: the device there, if it is behind the IOMMU
 * @attached: @idev is attached
 * @mirrors: if it translates by itself: what each address space is attached to, or NULL
 * @parked: what it was to be attached to, and did not take quite
 * @no_domain: the attempt to go back to @legacy failed
 * @unclaimed: the parent's driver misses its claim on the IOMMU group
 */
struct vhost_vdpa_iommufd {
	struct vdpa_device *vdpa;
	struct vhost_dev *vdev;
	const struct vhost_vdpa_legacy_ops *legacy;

	/* vdev->mutex */
	struct iommufd_ctx *ictx;
	struct iommufd_device *idev;
	bool attached;
	struct vhost_vdpa_mirror **mirrors;
	struct list_head parked;
	bool no_domain;
	bool unclaimed;
};

#if IS_ENABLED(CONFIG_IOMMUFD)
void vhost_vdpa_iommufd_init(struct vhost_vdpa_iommufd *vi, struct vdpa_device *vdpa,
			     struct vhost_dev *vdev,
			     const struct vhost_vdpa_legacy_ops *legacy);
int vhost_vdpa_iommufd_open(struct vhost_vdpa_iommufd *vi);
long vhost_vdpa_iommufd_ioctl(struct vhost_vdpa_iommufd *vi, unsigned int cmd,
			      void __user *argp);
int vhost_vdpa_iommufd_check_message(struct vhost_vdpa_iommufd *vi, u32 asid);
int vhost_vdpa_iommufd_check_write(struct vhost_vdpa_iommufd *vi, struct iov_iter *from);
void vhost_vdpa_iommufd_release(struct vhost_vdpa_iommufd *vi);
void vhost_vdpa_iommufd_remove(struct vhost_vdpa_iommufd *vi);

/* Does a reset have to leave the device's mappings alone? */
static inline bool vhost_vdpa_iommufd_bound(const struct vhost_vdpa_iommufd *vi)
{
	return vi->ictx;
}
#else
static inline void vhost_vdpa_iommufd_init(struct vhost_vdpa_iommufd *vi,
					   struct vdpa_device *vdpa, struct vhost_dev *vdev,
					   const struct vhost_vdpa_legacy_ops *legacy)
{
}

static inline int vhost_vdpa_iommufd_open(struct vhost_vdpa_iommufd *vi)
{
	return 0;
}

static inline long vhost_vdpa_iommufd_ioctl(struct vhost_vdpa_iommufd *vi, unsigned int cmd,
					    void __user *argp)
{
	return -ENOIOCTLCMD;
}

static inline int vhost_vdpa_iommufd_check_message(struct vhost_vdpa_iommufd *vi, u32 asid)
{
	return 0;
}

static inline int vhost_vdpa_iommufd_check_write(struct vhost_vdpa_iommufd *vi,
						 struct iov_iter *from)
{
	return 0;
}

static inline void vhost_vdpa_iommufd_release(struct vhost_vdpa_iommufd *vi)
{
}

static inline void vhost_vdpa_iommufd_remove(struct vhost_vdpa_iommufd *vi)
{
}

static inline bool vhost_vdpa_iommufd_bound(const struct vhost_vdpa_iommufd *vi)
{
	return false;
}
#endif
#endif
