/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vhost-vdpa devices in the address spaces of /dev/iommu.
 *
 * Both commands are ioctls of /dev/vhost-vdpa-N and take a pointer to a struct that begins
 * with its own size. A longer struct is one of a newer header: what this kernel does not
 * know of it has to be zero. A shorter one ends behind the last member that its command
 * had when it was introduced, or later.
 *
 * The numbers are far above those of <linux/vhost.h>.
 */
#ifndef _UAPI_LINUX_VHOST_IOMMUFD_H
#define _UAPI_LINUX_VHOST_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct vhost_vdpa_iommufd_attach - ioctl(VHOST_VDPA_IOMMUFD_ATTACH)
 * @argsz: sizeof(struct vhost_vdpa_iommufd_attach)
 * @flags: must be 0
 * @iommufd: file descriptor of /dev/iommu
 * @asid: address space of the device, below VHOST_VDPA_GET_AS_NUM
 * @pt_id: in: IOAS, or page table for a device behind the IOMMU; out: the page table or
 *	   IOAS that it is attached to now
 * @out_dev_id: out: id of the device in the context
 *
 * The first one binds the device to the context for as long as the file is open; the
 * device must not have been started yet. An address space that is attached moves.
 *
 * EINVAL: @argsz is too small, there is no such address space, the file is bound to another
 * context, or DMA of the device is not cache coherent. E2BIG: there is more in the struct
 * than this kernel knows. EOPNOTSUPP: unknown flag, the device can not be used this way,
 * or it maps files and there is memory of no file. EIO: the program that plays the device
 * does not take it.
 * EBADF, EBADFD: @iommufd is no file descriptor, or not one of /dev/iommu. ENOENT: there is
 * no such @pt_id. EBUSY: the address space has mappings by IOTLB messages, or the device is
 * started already. EPERM: somebody else owns the device or its group, or the caller has not
 * issued VHOST_SET_OWNER, or a mapping allows less than its file, for a device that maps
 * files. EADDRINUSE: what is mapped there is out of the device's reach.
 * ENODEV: there is no IOMMU in front of the device. After an error what was attached still
 * is.
 */
struct vhost_vdpa_iommufd_attach {
	__u32 argsz;
	__u32 flags;
	__s32 iommufd;
	__u32 asid;
	__u32 pt_id;
	__u32 out_dev_id;
};
#define VHOST_VDPA_IOMMUFD_ATTACH _IO(0xAF, 0xC0)

/**
 * struct vhost_vdpa_iommufd_detach - ioctl(VHOST_VDPA_IOMMUFD_DETACH)
 * @argsz: sizeof(struct vhost_vdpa_iommufd_detach)
 * @flags: must be 0
 * @asid: address space of the device that is attached
 *
 * Afterwards DMA through the address space is blocked.
 *
 * EINVAL: @argsz is too small, or there is no such address space. E2BIG: there is more in
 * the struct than this kernel knows. EOPNOTSUPP: unknown flag. ENOENT: it is not attached.
 */
struct vhost_vdpa_iommufd_detach {
	__u32 argsz;
	__u32 flags;
	__u32 asid;
};
#define VHOST_VDPA_IOMMUFD_DETACH _IO(0xAF, 0xC1)

#endif
