/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas into a domain, and out again: the only user of the iommu map API.
 */
#ifndef __IOMMUFD_DOMAIN_MAP_H
#define __IOMMUFD_DOMAIN_MAP_H

#include "internal.h"

int iommufd_domain_map(struct iommu_domain *domain, struct iommufd_area *area,
		       bool huge_pages);
void iommufd_domain_unmap(struct iommu_domain *domain, struct iommufd_area *area);

#endif
