/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HWPT: the object around a domain.
 *
 * Today every HWPT is a paging HWPT, which mirrors an IOAS. A page table that user
 * space manages itself would be another class with the same head.
 */
#ifndef __IOMMUFD_HWPT_H
#define __IOMMUFD_HWPT_H

#include <linux/list.h>

#include "ioas.h"
#include "mapping.h"
#include "object.h"

/**
 * struct iommufd_hwpt - A page table
 * @obj: users are attached devices
 * @ioas: what it mirrors; a use of its object. Immutable
 * @mirror: the domain as a mirror of @ioas
 * @automatic: made by attaching to the IOAS; goes with its last device. Immutable
 * @entry: in ioas->hwpts, under ioas->mutex
 * @enforce_cc: DMA is coherent whatever the device says; under ioas->mutex
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iommufd_ioas *ioas;
	struct iommufd_mirror mirror;
	bool automatic;

	struct list_head entry;
	bool enforce_cc;
};

extern const struct iommufd_object_class iommufd_hwpt_paging_class;

static inline struct iommufd_hwpt *iommufd_hwpt_from_obj(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt, obj);
}

struct iommufd_hwpt *iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
					     struct iommufd_device *idev, u32 flags,
					     bool automatic);
int iommufd_hwpt_require_cc(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_unuse(struct iommufd_hwpt *hwpt, unsigned int uses);

int iommufd_hwpt_alloc(struct iommufd_cmd *cmd);

#endif
