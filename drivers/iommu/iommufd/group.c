// SPDX-License-Identifier: GPL-2.0
/*
 * Groups of a context, found by the id of the iommu_group.
 *
 * Devices that the IOMMU can not tell apart share a page table, so what they are
 * attached to is kept here, once, and not with each of them.
 *
 * Locks: ictx->groups_lock for the table and the reference counts.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "ctx.h"
#include "group.h"

static struct iommufd_group *new_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup __free(kfree) =
		kzalloc(sizeof(*igroup), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&ictx->groups_lock);
	if (!igroup)
		return ERR_PTR(-ENOMEM);

	igroup->ictx = ictx;
	igroup->group = group;
	mutex_init(&igroup->lock);
	INIT_LIST_HEAD(&igroup->attached);
	xa_init_flags(&igroup->pasids, XA_FLAGS_ACCOUNT);
	if (xa_err(xa_store(&ictx->groups, iommu_group_id(group), igroup,
			    GFP_KERNEL_ACCOUNT)))
		return ERR_PTR(-ENOMEM);
	return_ptr(igroup);
}

/**
 * iommufd_group_get - Find or make the group of a device
 * @ictx: the context
 * @dev: device to be bound to it
 *
 * Context: Process context, may sleep. Takes ictx->groups_lock.
 * Return: the group with a reference; ERR_PTR(-ENODEV): no IOMMU translates for @dev;
 * ERR_PTR(-ENOMEM).
 */
struct iommufd_group *iommufd_group_get(struct iommufd_ctx *ictx, struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	struct iommufd_group *igroup;

	if (!group)
		return ERR_PTR(-ENODEV);

	guard(mutex)(&ictx->groups_lock);
	/* An id is not used again while we have a reference on its group. */
	igroup = xa_load(&ictx->groups, iommu_group_id(group));
	if (igroup) {
		iommu_group_put(group);
	} else {
		igroup = new_group(ictx, group);
		if (IS_ERR(igroup)) {
			iommu_group_put(group);
			return igroup;
		}
	}
	igroup->refs++;
	return igroup;
}

/**
 * iommufd_group_put - Drop a reference
 * @igroup: not to be used afterwards
 *
 * Context: Process context. Takes ictx->groups_lock.
 */
void iommufd_group_put(struct iommufd_group *igroup)
{
	guard(mutex)(&igroup->ictx->groups_lock);
	if (--igroup->refs)
		return;

	xa_erase(&igroup->ictx->groups, iommu_group_id(igroup->group));
	iommu_group_put(igroup->group);
	WARN_ON(!xa_empty(&igroup->pasids));
	mutex_destroy(&igroup->lock);
	kfree(igroup);
}

/**
 * iommufd_group_count_owned - Take down that a claim on the group came or goes
 * @igroup: the group
 * @change: 1 after the claim, -1 before it is given up
 *
 * Context: Process context. Takes ictx->groups_lock.
 */
void iommufd_group_count_owned(struct iommufd_group *igroup, int change)
{
	guard(mutex)(&igroup->ictx->groups_lock);
	igroup->owned += change;
}

/**
 * iommufd_ctx_has_group - Does a context own a group?
 * @ictx: the context, or NULL
 * @group: the group, or NULL
 *
 * VFIO asks before it resets all of a slot, so a bind that may still fail does not count.
 *
 * Context: Process context. The caller has references on both. Takes ictx->groups_lock.
 * Return: true when a device of the group is bound to the context.
 */
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group)
{
	struct iommufd_group *igroup;

	if (!ictx || !group)
		return false;
	guard(mutex)(&ictx->groups_lock);
	igroup = xa_load(&ictx->groups, iommu_group_id(group));
	return igroup && igroup->owned;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_has_group, IOMMUFD);
