/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas into a domain, and out again: the only user of the iommu map API.
 */
#ifndef __IOMMUFD_DOMAIN_MAP_H
#define __IOMMUFD_DOMAIN_MAP_H

#include <linux/sizes.h>

#include "internal.h"

/*
 * Bytes of IOVA that a driver is asked about without letting others run. Nothing is mapped
 * across a multiple of it by one call, so it cuts no IOPTE.
 */
#define IOMMUFD_DOMAIN_STEP ((unsigned long)SZ_1G)

int iommufd_domain_map(struct iommu_domain *domain, struct iommufd_area *area,
		       bool huge_pages);
void iommufd_domain_unmap(struct iommu_domain *domain, struct iommufd_area *area);

#endif
