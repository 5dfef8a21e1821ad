/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page faults of devices, handed to user space.
 */
#ifndef __IOMMUFD_FAULT_H
#define __IOMMUFD_FAULT_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "eventq.h"

/**
 * struct iommufd_fault - A fault queue
 * @eventq: users are HWPTs and the file
 * @answering: held while a group is taken and answered
 * @lock: protects @queued, and moves between it and @read
 * @queued: struct iopf_group that nobody has read
 * @read: cookie -> struct iopf_group that waits for its response
 * @next_cookie: cookies are not reused soon, so that a late response hits nobody else
 */
struct iommufd_fault {
	struct iommufd_eventq eventq;
	struct mutex answering; /* from taking to answering */
	spinlock_t lock; /* protects @queued */
	struct list_head queued;
	struct xarray read;
	u32 next_cookie;
};

/**
 * struct iommufd_fault_handle - An attachment whose faults can be delivered
 * @handle: what the core gives to the handler of the domain
 * @idev: the device
 */
struct iommufd_fault_handle {
	struct iommu_attach_handle handle;
	struct iommufd_device *idev;
};

int iommufd_fault_alloc(struct iommufd_cmd *cmd);

int iommufd_fault_set(struct iommufd_hwpt *hwpt, u32 fault_id);
void iommufd_fault_clear(struct iommufd_hwpt *hwpt);

int iommufd_fault_device_on(struct iommufd_device *idev);
void iommufd_fault_device_off(struct iommufd_device *idev);
struct iommufd_fault_handle *iommufd_fault_handle_new(struct iommufd_device *idev,
						      bool delivers);
void iommufd_fault_end(struct iommufd_fault *fault, struct iommufd_fault_handle *handle);

#endif
