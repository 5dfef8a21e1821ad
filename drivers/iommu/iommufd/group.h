/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An iommu_group as one context sees it.
 */
#ifndef __IOMMUFD_GROUP_H
#define __IOMMUFD_GROUP_H

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "internal.h"

/**
 * struct iommufd_group - The devices of one iommu_group bound to one context
 * @ictx: the context, immutable
 * @group: the group, referenced. Immutable
 * @refs: devices that are bound, or about to be; under ictx->groups_lock
 * @owned: those whose claim on the group stands; under ictx->groups_lock
 * @lock: protects the members below it, and struct iommufd_device's attachment
 * @hwpt: the page table that all of @attached use, NULL when that is empty
 * @fault_handle: the attachment in the core if @hwpt delivers page faults, else NULL
 * @attached: struct iommufd_device by attached_entry. While it is empty all DMA of
 *	      the group without a PASID is blocked by the core
 * @pasids: PASID -> struct pasid of pasid.c, for those in use
 */
struct iommufd_group {
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	unsigned int refs;
	unsigned int owned;

	struct mutex lock; /* protects what follows */
	struct iommufd_hwpt *hwpt;
	struct iommufd_fault_handle *fault_handle;
	struct list_head attached;
	struct xarray pasids;
};

struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx, struct device *dev);
void iommufd_group_put(struct iommufd_group *igroup);
void iommufd_group_count_owned(struct iommufd_group *igroup, int change);

DEFINE_FREE(iommufd_group_put, struct iommufd_group *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_group_put(_T))

#endif
