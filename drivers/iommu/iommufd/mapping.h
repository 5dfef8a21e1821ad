/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Making and removing mappings.
 */
#ifndef __IOMMUFD_MAPPING_H
#define __IOMMUFD_MAPPING_H

#include <linux/list.h>

#include "internal.h"

/**
 * struct iommufd_place - Where areas shall go
 * @fixed: @iova is given
 * @iova: first IOVA
 * @length: bytes of all areas together, not 0
 * @addr: address of the memory, for its alignment
 */
struct iommufd_place {
	bool fixed;
	unsigned long iova;
	unsigned long length;
	unsigned long addr;
};

int iommufd_mapping_add(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_place *place);
int iommufd_mapping_remove_after(struct iommufd_ioas *ioas, unsigned long start,
				 unsigned long last, unsigned long *unmapped,
				 int (*look)(struct iommufd_ioas *ioas,
					     const struct list_head *areas, void *data),
				 void *data);

/* Unmap whole areas, without a look at them. */
static inline int iommufd_mapping_remove(struct iommufd_ioas *ioas, unsigned long start,
					 unsigned long last, unsigned long *unmapped)
{
	return iommufd_mapping_remove_after(ioas, start, last, unmapped, NULL, NULL);
}

void iommufd_mapping_release(struct iommufd_area *area);

#endif
