/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the IOMMU core offers to iommufd alone, in the namespace IOMMUFD_INTERNAL.
 *
 * The core declares these in drivers/iommu/iommu-priv.h, which the headers of a
 * distribution's kernel do not contain. An in-tree build uses it, so that a change of a
 * prototype can not go unnoticed.
 */
#ifndef __IOMMUFD_IOMMU_CORE_H
#define __IOMMUFD_IOMMU_CORE_H

#include <linux/iommu.h>

#if __has_include("../iommu-priv.h")
#include "../iommu-priv.h"
#else
int iommu_group_replace_domain(struct iommu_group *group,
			       struct iommu_domain *new_domain);
int iommu_attach_group_handle(struct iommu_domain *domain, struct iommu_group *group,
			      struct iommu_attach_handle *handle);
void iommu_detach_group_handle(struct iommu_domain *domain, struct iommu_group *group);
int iommu_replace_group_handle(struct iommu_group *group, struct iommu_domain *new_domain,
			       struct iommu_attach_handle *handle);
#endif

#ifdef IOMMUFD_NO_GROUP_DEQUEUE
/*
 * Older kernels answer and free each group that is still on the list of its device when
 * that leaves, and answer only groups that are on it. So take the group off, and put it
 * back for the answer.
 */
static inline void iommufd_core_fault_dequeue(struct iopf_group *group)
{
	guard(mutex)(&group->fault_param->lock);
	list_del_init(&group->pending_node);
}

static inline void iommufd_core_fault_answer(struct iopf_group *group,
					     enum iommu_page_response_code code)
{
	scoped_guard(mutex, &group->fault_param->lock)
		list_add_tail(&group->pending_node, &group->fault_param->faults);
	iopf_group_response(group, code);
}
#else
static inline void iommufd_core_fault_dequeue(struct iopf_group *group)
{
	iopf_group_dequeue(group);
}

static inline void iommufd_core_fault_answer(struct iopf_group *group,
					     enum iommu_page_response_code code)
{
	iopf_group_response(group, code);
}
#endif

#ifdef IOMMUFD_NO_PASID_REPLACE
static inline int iommufd_core_replace_pasid(struct iommu_domain *domain,
					     struct device *dev, ioasid_t pasid,
					     struct iommu_attach_handle *handle)
{
	return -EOPNOTSUPP;
}
#else
static inline int iommufd_core_replace_pasid(struct iommu_domain *domain,
					     struct device *dev, ioasid_t pasid,
					     struct iommu_attach_handle *handle)
{
	return iommu_replace_device_pasid(domain, dev, pasid, handle);
}
#endif

/* The driver of the IOMMU that translates for @dev, a device with a group. */
static inline const struct iommu_ops *iommufd_core_ops(struct device *dev)
{
	return dev->iommu->iommu_dev->ops;
}

#endif
