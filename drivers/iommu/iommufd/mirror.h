/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Domains that map all of an IOAS.
 */
#ifndef __IOMMUFD_MIRROR_H
#define __IOMMUFD_MIRROR_H

#include <linux/list.h>

#include "internal.h"
#include "iova.h"

/**
 * struct iommufd_mirror - A domain that mirrors an IOAS
 * @entry: in ioas->mirrors, under ioas->domains_rwsem
 * @domain: the domain, immutable
 * @outside: the IOVAs that the domain can not translate, under ioas->iova_rwsem
 * @logs: the domain has tracked dirty IOPTEs ever since the dirty log of the IOAS began;
 *	  changes under ioas->domains_rwsem
 */
struct iommufd_mirror {
	struct list_head entry;
	struct iommu_domain *domain;
	struct iommufd_iova_reservation outside;
	bool logs;
};

int iommufd_mirror_join(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror);
void iommufd_mirror_leave(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror);

#endif
