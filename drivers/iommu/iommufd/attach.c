// SPDX-License-Identifier: GPL-2.0
/*
 * Which page table a group uses: attach, replace, detach.
 *
 * All three are one transition: take what the new state needs, switch the hardware,
 * drop what the old state had. A failure before the switch drops what was taken, and
 * nothing after the switch can fail. The group has one page table for all its attached
 * devices, so a replace through one device moves them all, and the same replace through
 * another one finds the work done.
 *
 * Every attached device is one user of the page table and has its reserved regions in
 * the IOAS behind it. They are taken anew for the new IOAS before the switch, even if
 * that is the old one, and given back for the old one after it.
 *
 * Locks: ioas->mutex, then igroup->lock, then ioas->domains_rwsem around the switch
 * itself, then what iova.c and the core need.
 */
#include <linux/iommu.h>
#include <linux/module.h>

#include "attach.h"
#include "device.h"
#include "fault.h"
#include "group.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "owner.h"
#include "pasid.h"
#include "switch.h"
#include "trace.h"

static void unreserve(struct iommufd_ioas *ioas, struct iommufd_iova_reservation *res)
{
	guard(rwsem_write)(&ioas->iova_rwsem);
	iommufd_iova_unreserve(&ioas->iova, res);
}

static int reserve_regions(struct iommufd_ioas *ioas, struct list_head *regions,
			   struct iommufd_iova_reservation *res)
{
	struct iommu_resv_region *region;
	int ret = 0;

	guard(rwsem_write)(&ioas->iova_rwsem);
	list_for_each_entry(region, regions, list) {
		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE || !region->length)
			continue;
		ret = iommufd_iova_reserve(&ioas->iova, res, region->start,
					   region->start + region->length - 1);
		if (ret == -EADDRINUSE)
			iommufd_owner_report_conflict(res->owner, region->start,
						      region->start + region->length - 1);
		if (ret)
			break;
	}
	if (ret)
		iommufd_iova_unreserve(&ioas->iova, res);
	return ret;
}

/* Keep mappings of @ioas away from where the device can not be translated. */
static int reserve(struct iommufd_ioas *ioas, struct iommufd_device *idev,
		   struct iommufd_iova_reservation *res)
{
	LIST_HEAD(regions);
	int ret;

	iommu_get_resv_regions(idev->dev, &regions);
	ret = reserve_regions(ioas, &regions, res);
	iommu_put_resv_regions(idev->dev, &regions);
	return ret;
}

static int core_set_domain(struct iommufd_group *igroup, struct iommu_domain *domain,
			   struct iommufd_fault_handle *new)
{
	struct iommu_attach_handle *handle = new ? &new->handle : NULL;

	if (!igroup->hwpt)
		return new ? iommu_attach_group_handle(domain, igroup->group, handle) :
			     iommu_attach_group(domain, igroup->group);
	if (new || igroup->fault_handle)
		return iommu_replace_group_handle(igroup->group, domain, handle);
	return iommu_group_replace_domain(igroup->group, domain);
}

/*
 * Switch the hardware of the group. A page table that delivers page faults is attached
 * with a handle, by which the core tells us what a fault belongs to; it is for one
 * device only, because a page request names one.
 */
static int core_switch(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_fault_handle *old = igroup->fault_handle, *new = NULL;
	int ret;

	if (hwpt->fault) {
		if (igroup->hwpt && !list_is_singular(&igroup->attached))
			return -EINVAL;
		new = iommufd_fault_handle_new(idev, true);
		if (IS_ERR(new))
			return PTR_ERR(new);
		ret = iommufd_fault_device_on(idev);
		if (ret) {
			kfree(new);
			return ret;
		}
	}

	iommufd_switch_begin(hwpt, igroup->hwpt);
	ret = core_set_domain(igroup, hwpt->domain, new);
	iommufd_switch_end(hwpt, igroup->hwpt);
	if (ret) {
		if (new) {
			/* The core offers it to the device before the driver says no. */
			iommufd_fault_end(hwpt->fault, new);
			iommufd_fault_device_off(idev);
		}
		return ret;
	}

	if (old) {
		iommufd_fault_end(igroup->hwpt->fault, old);
		iommufd_fault_device_off(idev);
	}
	igroup->fault_handle = new;
	igroup->hwpt = hwpt;
	return 0;
}

/* @idev was the last. All DMA of the group is blocked from here on. */
static void core_detach(struct iommufd_device *idev)
{
	struct iommufd_group *igroup = idev->igroup;

	iommufd_switch_begin(igroup->hwpt, NULL);
	if (igroup->fault_handle)
		iommu_detach_group_handle(igroup->hwpt->domain, igroup->group);
	else
		iommu_detach_group(igroup->hwpt->domain, igroup->group);
	iommufd_switch_end(igroup->hwpt, NULL);
	if (igroup->fault_handle) {
		iommufd_fault_end(igroup->hwpt->fault, igroup->fault_handle);
		iommufd_fault_device_off(idev);
	}
	igroup->fault_handle = NULL;
	igroup->hwpt = NULL;
}

/* The first device switches the hardware, the others join it. */
static int join(struct iommufd_device *idev, struct iommufd_hwpt *hwpt)
{
	struct iommufd_group *igroup = idev->igroup;
	int ret;

	if (igroup->hwpt && (igroup->hwpt != hwpt || hwpt->fault))
		return -EINVAL;

	ret = reserve(hwpt->paging->ioas, idev, &idev->reserved);
	if (ret)
		return ret;
	if (!igroup->hwpt) {
		ret = core_switch(idev, hwpt);
		if (ret) {
			unreserve(hwpt->paging->ioas, &idev->reserved);
			return ret;
		}
	}
	idev->attached = true;
	list_add_tail(&idev->attached_entry, &igroup->attached);
	return 0;
}

static int reserve_next(struct iommufd_group *igroup, struct iommufd_ioas *ioas)
{
	struct iommufd_device *idev;
	int ret;

	list_for_each_entry(idev, &igroup->attached, attached_entry) {
		ret = reserve(ioas, idev, &idev->next_reserved);
		if (ret)
			break;
	}
	if (list_entry_is_head(idev, &igroup->attached, attached_entry))
		return 0;
	list_for_each_entry_continue_reverse(idev, &igroup->attached, attached_entry)
		unreserve(ioas, &idev->next_reserved);
	return ret;
}

/* Move the whole group. *@moved is set to the number of devices that are in it. */
static int move(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
		unsigned int *moved)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_ioas *old = igroup->hwpt->paging->ioas, *new = hwpt->paging->ioas;
	int ret;

	ret = reserve_next(igroup, new);
	if (ret)
		return ret;
	ret = core_switch(idev, hwpt);
	if (ret) {
		list_for_each_entry(idev, &igroup->attached, attached_entry)
			unreserve(new, &idev->next_reserved);
		return ret;
	}

	*moved = 0;
	list_for_each_entry(idev, &igroup->attached, attached_entry) {
		unreserve(old, &idev->reserved);
		list_splice_init(&idev->next_reserved.ranges, &idev->reserved.ranges);
		/* The caller has taken the use of one of them. */
		if ((*moved)++)
			WARN_ON(iommufd_object_use(&hwpt->obj));
	}
	return 0;
}

/**
 * iommufd_attach_group - Attach a device, or replace the page table of its whole group
 * @idev: the device
 * @hwpt: page table of which the caller took a use, which success keeps
 * @replace: the device is attached
 * @dropped: filled in when uses of the old page table are left over
 *
 * Context: Process context, may sleep. Holds ioas->mutex of @hwpt.
 * Return: 0; -EINVAL: attached or not, against @replace, or the page table is not one for
 * the group as it is; -EADDRINUSE, -ENOMEM: reserved regions; errors of the driver.
 */
int iommufd_attach_group(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
			 bool replace, struct iommufd_dropped *dropped)
{
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *old;
	int ret;

	guard(mutex)(&igroup->lock);
	old = igroup->hwpt;
	if (!hwpt->pasid && !xa_empty(&igroup->pasids))
		return -EINVAL;
	if (replace != idev->attached)
		return -EINVAL;
	if (!replace)
		return join(idev, hwpt);

	if (old == hwpt) {
		*dropped = (struct iommufd_dropped){ hwpt, 1 };
		return 0;
	}
	ret = move(idev, hwpt, &dropped->uses);
	if (!ret)
		dropped->hwpt = old;
	return ret;
}

/**
 * iommufd_device_detach_pasid - Stop using a page table for a PASID
 * @idev: the device
 * @pasid: the PASID, attached or not. IOMMU_NO_PASID: as iommufd_device_detach()
 *
 * With the last device of the group that uses the PASID, requests with it fault.
 *
 * Context: as iommufd_device_attach().
 */
void iommufd_device_detach_pasid(struct iommufd_device *idev, ioasid_t pasid)
{
	if (pasid == IOMMU_NO_PASID)
		iommufd_device_detach(idev);
	else
		iommufd_pasid_detach(idev, pasid);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach_pasid, IOMMUFD);

/**
 * iommufd_device_detach - Stop using a page table
 * @idev: attached device
 *
 * With the last device of the group all its DMA is blocked. The device's PASIDs are
 * detached first: a device that was detached reaches nothing.
 *
 * Context: as iommufd_device_attach().
 */
void iommufd_device_detach(struct iommufd_device *idev)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_detach_enabled());
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt;

	iommufd_pasid_detach_all(idev);
	scoped_guard(mutex, &igroup->lock) {
		hwpt = igroup->hwpt;
		if (WARN_ON(!idev->attached))
			return;
		idev->attached = false;
		list_del(&idev->attached_entry);
		if (list_empty(&igroup->attached))
			core_detach(idev);
		unreserve(hwpt->paging->ioas, &idev->reserved);
	}
	trace_iommufd_detach(idev, IOMMU_NO_PASID, hwpt->obj.id, 0, 0,
			     iommufd_trace_ns(begin));
	iommufd_hwpt_unuse(hwpt, 1);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_detach, IOMMUFD);
