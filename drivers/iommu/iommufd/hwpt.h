/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HWPT: the object around a domain.
 *
 * A paging HWPT mirrors an IOAS. A nested HWPT is a page table that user space writes
 * itself; its addresses go through the paging HWPT it was made on.
 */
#ifndef __IOMMUFD_HWPT_H
#define __IOMMUFD_HWPT_H

#include <linux/list.h>

#include "ioas.h"
#include "mirror.h"
#include "object.h"

struct iommu_user_data;

/**
 * struct iommufd_hwpt - A page table
 * @obj: users are attached devices, and of a paging HWPT its nested ones and vIOMMUs
 * @domain: what devices are attached to, immutable
 * @paging: the paging HWPT whose IOAS it leads to: itself, or the parent, which it
 *	    uses. Immutable
 * @viommu: what a nested HWPT was made on, and uses instead of @paging; or NULL. Immutable
 * @fault: where page faults go; a use of its object, or NULL. Immutable
 * @pasid: devices can attach it to PASIDs. Immutable
 * @ioas: what it mirrors; a use of its object. Of a paging HWPT, immutable
 * @mirror: @domain as a mirror of @ioas. Of a paging HWPT
 * @automatic: made by attaching to the IOAS; goes with its last device. Immutable
 * @nest_parent: nested HWPTs can be made on it. Immutable
 * @entry: of a paging HWPT in ioas->hwpts, under ioas->mutex
 * @enforce_cc: DMA is coherent whatever the device says; under ioas->mutex
 */
struct iommufd_hwpt {
	struct iommufd_object obj;
	struct iommu_domain *domain;
	struct iommufd_hwpt *paging;
	struct iommufd_viommu *viommu;
	struct iommufd_fault *fault;
	bool pasid;

	struct iommufd_ioas *ioas;
	struct iommufd_mirror mirror;
	bool automatic;
	bool nest_parent;
	struct list_head entry;
	bool enforce_cc;
};

extern const struct iommufd_object_class iommufd_hwpt_paging_class;
extern const struct iommufd_object_class iommufd_hwpt_nested_class;

static inline struct iommufd_hwpt *iommufd_hwpt_from_obj(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_hwpt, obj);
}

/* Look up a page table of one class for the length of a system call. */
static inline struct iommufd_hwpt *
iommufd_hwpt_get(struct iommufd_ctx *ictx, u32 id, const struct iommufd_object_class *class)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, id, class);

	return IS_ERR(obj) ? ERR_CAST(obj) : iommufd_hwpt_from_obj(obj);
}

DEFINE_FREE(iommufd_hwpt_put, struct iommufd_hwpt *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(&_T->obj))

struct iommufd_hwpt *iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
					     struct iommufd_device *idev, u32 flags,
					     const struct iommu_user_data *data,
					     bool automatic);
struct iommufd_hwpt *iommufd_hwpt_nested_new(struct iommufd_hwpt *parent,
					     struct iommufd_device *idev, u32 flags,
					     const struct iommu_user_data *data);
struct iommufd_hwpt *iommufd_hwpt_nested_new_viommu(struct iommufd_viommu *viommu,
						    struct iommufd_device *idev, u32 flags,
						    const struct iommu_user_data *data);
/**
 * struct iommufd_dropped - Uses to be ended once no lock is held
 * @hwpt: page table, or NULL
 * @uses: how many
 */
struct iommufd_dropped {
	struct iommufd_hwpt *hwpt;
	unsigned int uses;
};

int iommufd_hwpt_require_cc(struct iommufd_hwpt *hwpt);
void iommufd_hwpt_show(struct iommufd_object *obj, struct seq_file *m);
void iommufd_hwpt_unuse(struct iommufd_hwpt *hwpt, unsigned int uses);

int iommufd_hwpt_alloc(struct iommufd_cmd *cmd);
int iommufd_hwpt_invalidate(struct iommufd_cmd *cmd);

#endif
