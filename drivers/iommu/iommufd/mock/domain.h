/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables of the mock IOMMU that iommufd fills.
 */
#ifndef __IOMMUFD_MOCK_DOMAIN_H
#define __IOMMUFD_MOCK_DOMAIN_H

#include <linux/iommu.h>

#include "iommufd_test.h"

/* Every table covers this many mock pages: one huge one. */
#define MOCK_TABLE_ENTRIES (MOCK_HUGE_PAGE_SIZE / MOCK_PAGE_SIZE)
#define MOCK_NTABLES ((MOCK_APERTURE_LAST + 1UL) / MOCK_HUGE_PAGE_SIZE)

/**
 * struct mock_domain - One page table
 * @domain: as the core sees it
 * @tracking: dirty tracking is on
 * @tables: of MOCK_TABLE_ENTRIES entries each, made when first used
 */
struct mock_domain {
	struct iommu_domain domain;
	bool tracking;
	unsigned long *tables[MOCK_NTABLES];
};

static inline struct mock_domain *to_mock_domain(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_domain, domain);
}

struct iommu_domain *mock_domain_alloc(bool huge, bool dirty);
bool mock_domain_is(struct iommu_domain *domain);
bool mock_domain_tracks(struct iommu_domain *domain);
void mock_domain_mark_dirty(struct mock_domain *mock, unsigned long iova);

#endif
