// SPDX-License-Identifier: GPL-2.0
/*
 * What the mock IOMMU uses of iommufd, beyond the interface for drivers.
 *
 * Its device objects belong to the context that asked for them, and its commands look
 * into HWPTs and IOAS. Nothing else may import this namespace.
 */
#include <linux/module.h>

#include "device.h"
#include "group.h"
#include "hwpt.h"
#include "ioas.h"
#include "ioctl.h"
#include "object.h"

EXPORT_SYMBOL_NS_GPL(iommufd_ioctl_extend, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_ioctl_unextend, IOMMUFD_MOCK);

EXPORT_SYMBOL_NS_GPL(__iommufd_object_new, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_object_discard, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_object_get, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_object_put, IOMMUFD_MOCK);

EXPORT_SYMBOL_NS_GPL(iommufd_group_get, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_group_put, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_device_claim, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_device_release, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_device_get, IOMMUFD_MOCK);

EXPORT_SYMBOL_NS_GPL(iommufd_ioas_class, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_iova_reserve, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_hwpt_paging_class, IOMMUFD_MOCK);
EXPORT_SYMBOL_NS_GPL(iommufd_hwpt_nested_class, IOMMUFD_MOCK);
