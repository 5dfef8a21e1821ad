/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mock IOMMU and its driver.
 */
#ifndef __IOMMUFD_MOCK_IOMMU_H
#define __IOMMUFD_MOCK_IOMMU_H

struct fwnode_handle;

int mock_iommu_register(void);
void mock_iommu_unregister(void);
struct fwnode_handle *mock_iommu_fwnode(void);

#endif
