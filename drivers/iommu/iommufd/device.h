/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device object. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_DEVICE_H
#define __IOMMUFD_DEVICE_H

#include <linux/iommufd.h>

#include "iova.h"
#include "object.h"

/**
 * struct iommufd_device - A device bound to a context
 * @obj: users: the driver that bound it
 * @dev: the device; its driver keeps it bound. Immutable
 * @igroup: its group, referenced. Immutable
 * @enforce_cc: its page tables must enforce cache coherency. Immutable
 * @vdev: what a guest calls it, or NULL
 * @attached: it uses the page table of the group
 * @attached_entry: in igroup->attached
 * @faulting: attachments its page requests can go to; they are enabled while there are any
 * @reserved: what it reserves in the IOAS of that page table
 * @next_reserved: the same in the IOAS it is being moved to
 */
struct iommufd_device {
	struct iommufd_object obj;
	struct device *dev;
	struct iommufd_group *igroup;
	bool enforce_cc;

	/* Lock of ictx->objects */
	struct iommufd_vdevice *vdev;

	/* igroup->lock */
	bool attached;
	struct list_head attached_entry;
	unsigned int faulting;
	struct iommufd_iova_reservation reserved;
	struct iommufd_iova_reservation next_reserved;
};

extern const struct iommufd_object_class iommufd_device_class;

struct iommufd_device *iommufd_device_claim(struct iommufd_group *igroup,
					    struct device *dev, u32 *id);
void iommufd_device_release(struct iommufd_device *idev);
struct iommufd_device *iommufd_device_get(struct iommufd_ctx *ictx, u32 id);

DEFINE_FREE(iommufd_device_put, struct iommufd_device *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(&_T->obj))

int iommufd_device_hw_info(struct iommufd_cmd *cmd);

#endif
