/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_SW_MSI_H
#define __IOMMUFD_SW_MSI_H

#include "internal.h"

int iommufd_sw_msi_setup(struct iommufd_device *idev, struct iommu_domain *domain);

#endif
