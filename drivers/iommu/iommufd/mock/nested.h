/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables of the mock IOMMU that user space would fill.
 */
#ifndef __IOMMUFD_MOCK_NESTED_H
#define __IOMMUFD_MOCK_NESTED_H

#include <linux/iommu.h>

struct iommufd_viommu;

struct iommu_domain *mock_nested_alloc(struct iommu_domain *parent,
				       struct iommufd_viommu *viommu,
				       const struct iommu_user_data *data);
int mock_nested_check(struct iommu_domain *domain, u32 id, u32 value);

#endif
