/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vIOMMUs and who makes them. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_VIOMMU_H
#define __IOMMUFD_VIOMMU_H

#include <linux/iommufd.h>

#include "object.h"

extern const struct iommufd_object_class iommufd_viommu_class;

static inline struct iommufd_viommu *iommufd_viommu_from_obj(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_viommu, obj);
}

/* Look up a vIOMMU for the length of a system call. */
static inline struct iommufd_viommu *iommufd_viommu_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, id, &iommufd_viommu_class);

	return IS_ERR(obj) ? ERR_CAST(obj) : iommufd_viommu_from_obj(obj);
}

DEFINE_FREE(iommufd_viommu_put, struct iommufd_viommu *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(&_T->obj))

struct iommufd_viommu_driver *iommufd_driver_get(struct device *dev);
void iommufd_driver_put(struct iommufd_viommu_driver *driver);

DEFINE_FREE(iommufd_driver_put, struct iommufd_viommu_driver *,
	    _T ? iommufd_driver_put(_T) : (void)0)

int iommufd_viommu_alloc(struct iommufd_cmd *cmd);

#endif
