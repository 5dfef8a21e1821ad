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
 * itself, then what iova.c and the core need. A page table is put only after all are
 * dropped, because it may be the last user's put.
 */
#include <linux/iommu.h>
#include <linux/module.h>

#include "ctx.h"
#include "device.h"
#include "device_memory.h"
#include "fault.h"
#include "group.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "owner.h"
#include "pasid.h"
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
 * Keep maps and unmaps of the page tables away while the hardware is switched: VT-d takes
 * levels away from a page table that is deeper than the IOMMU of the device can walk, and
 * does not flush a page table that it is about to detach, or has just attached.
 */
static void begin_switch(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other)
{
	struct iommufd_ioas *first = hwpt->paging->ioas;
	struct iommufd_ioas *second = other ? other->paging->ioas : first;

	if (second < first)
		swap(first, second);
	down_write(&first->domains_rwsem);
	if (second != first)
		down_write_nested(&second->domains_rwsem, SINGLE_DEPTH_NESTING);
	down_write(&iommufd_switch_rwsem);
}

static void end_switch(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other)
{
	up_write(&iommufd_switch_rwsem);
	if (other && other->paging->ioas != hwpt->paging->ioas)
		up_write(&other->paging->ioas->domains_rwsem);
	up_write(&hwpt->paging->ioas->domains_rwsem);
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

	begin_switch(hwpt, igroup->hwpt);
	ret = core_set_domain(igroup, hwpt->domain, new);
	end_switch(hwpt, igroup->hwpt);
	if (ret) {
		if (new)
			iommufd_fault_device_off(idev);
		kfree(new);
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

	begin_switch(igroup->hwpt, NULL);
	if (igroup->fault_handle)
		iommu_detach_group_handle(igroup->hwpt->domain, igroup->group);
	else
		iommu_detach_group(igroup->hwpt->domain, igroup->group);
	end_switch(igroup->hwpt, NULL);
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

static int switch_group(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
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

/* Attach to a page table of which the caller took a use, which success keeps. */
static int use_hwpt(struct iommufd_device *idev, ioasid_t pasid, struct iommufd_hwpt *hwpt,
		    bool replace, struct iommufd_dropped *dropped)
{
	lockdep_assert_held(&hwpt->paging->ioas->mutex);

	/* The core does not look when it replaces. */
	if (hwpt->domain->owner != iommufd_core_ops(idev->dev))
		return -EINVAL;
	if (idev->enforce_cc) {
		int ret = iommufd_hwpt_require_cc(hwpt->paging);

		if (ret)
			return ret;
	}
	if (pasid != IOMMU_NO_PASID)
		return iommufd_pasid_use_hwpt(idev, pasid, hwpt, replace, dropped);
	return switch_group(idev, hwpt, replace, dropped);
}

/* A new automatic page table, published once the device is on it. */
static int use_new_hwpt(struct iommufd_device *idev, struct iommufd_ioas *ioas,
			bool replace, u32 *pt_id, struct iommufd_dropped *dropped,
			struct iommufd_hwpt **failed)
{
	struct iommufd_hwpt *hwpt;
	int ret;

	hwpt = iommufd_hwpt_paging_new(ioas, idev, 0, NULL, true);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	WARN_ON(iommufd_object_use(&hwpt->obj));
	ret = use_hwpt(idev, IOMMU_NO_PASID, hwpt, replace, dropped);
	if (ret) {
		/* It ends when ioas->mutex is dropped; nobody may find it until then. */
		list_del_init(&hwpt->entry);
		*failed = hwpt;
		return ret;
	}
	*pt_id = hwpt->obj.id;
	iommufd_object_publish(&hwpt->obj);
	return 0;
}

/*
 * An IOAS was named: take an automatic page table it has, or make one. -EINVAL means
 * that a page table does not suit the device, and another one may.
 */
static int use_ioas(struct iommufd_device *idev, struct iommufd_ioas *ioas, bool replace,
		    u32 *pt_id, struct iommufd_dropped *dropped, struct iommufd_hwpt **failed)
{
	struct iommufd_hwpt *hwpt;
	int ret;

	guard(mutex)(&ioas->mutex);
	list_for_each_entry(hwpt, &ioas->hwpts, entry) {
		if (!hwpt->automatic || iommufd_object_use(&hwpt->obj))
			continue;
		ret = use_hwpt(idev, IOMMU_NO_PASID, hwpt, replace, dropped);
		if (!ret) {
			*pt_id = hwpt->obj.id;
			return 0;
		}
		/* Not the last use: that ends under ioas->mutex. */
		iommufd_object_unuse(&hwpt->obj);
		if (ret != -EINVAL)
			return ret;
	}
	return use_new_hwpt(idev, ioas, replace, pt_id, dropped, failed);
}

static int use_explicit(struct iommufd_device *idev, ioasid_t pasid,
			struct iommufd_hwpt *hwpt, bool replace, u32 *pt_id,
			struct iommufd_dropped *dropped)
{
	int ret;

	guard(mutex)(&hwpt->paging->ioas->mutex);
	ret = iommufd_object_use(&hwpt->obj);
	if (ret)
		return ret;
	ret = use_hwpt(idev, pasid, hwpt, replace, dropped);
	if (ret)
		iommufd_object_unuse(&hwpt->obj);
	else
		*pt_id = hwpt->obj.id;
	return ret;
}

static int use_pt(struct iommufd_device *idev, ioasid_t pasid, bool replace, u32 *pt_id,
		  struct iommufd_dropped *dropped, struct iommufd_hwpt **failed)
{
	struct iommufd_object *obj __free(iommufd_object_put) =
		iommufd_object_get(idev->obj.ictx, *pt_id, NULL);

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	/* The page tables that an IOAS gets by itself are not for PASIDs. */
	if (obj->class == &iommufd_ioas_class && pasid == IOMMU_NO_PASID)
		return use_ioas(idev, iommufd_ioas_from_obj(obj), replace, pt_id, dropped,
				failed);
	if (obj->class == &iommufd_hwpt_paging_class ||
	    obj->class == &iommufd_hwpt_nested_class)
		return use_explicit(idev, pasid, iommufd_hwpt_from_obj(obj), replace,
				    pt_id, dropped);
	return -EINVAL;
}

static int change_pt(struct iommufd_device *idev, ioasid_t pasid, bool replace, u32 *pt_id)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_attach_enabled() ||
					trace_iommufd_replace_enabled());
	u32 asked = *pt_id;
	struct iommufd_hwpt *failed = NULL;
	struct iommufd_dropped dropped = { };
	int ret;

	ret = use_pt(idev, pasid, replace, pt_id, &dropped, &failed);
	if (dropped.hwpt)
		iommufd_hwpt_unuse(dropped.hwpt, dropped.uses);
	if (failed)
		iommufd_object_abort(&failed->obj);

	if (replace)
		trace_iommufd_replace(idev, pasid, asked, ret ? 0 : *pt_id, ret,
				      iommufd_trace_ns(begin));
	else
		trace_iommufd_attach(idev, pasid, asked, ret ? 0 : *pt_id, ret,
				     iommufd_trace_ns(begin));
	return ret;
}

/**
 * iommufd_device_attach - Let a device use a page table
 * @idev: device that is not attached
 * @pt_id: in: id of an IOAS or HWPT. Out: id of the HWPT that is used
 *
 * Context: Process context, may sleep for long. The caller serialises with the other
 * calls on @idev.
 * Return: 0; -ENOENT: no such id; -EINVAL: not a page table, not one for this device,
 * attached already, or another device of the group uses another one; -EADDRINUSE: the
 * device's reserved regions or the aperture collide with mappings or allowed ranges;
 * -ENOMEM, -EFAULT: filling a new page table; errors of the driver.
 */
int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id)
{
	return change_pt(idev, IOMMU_NO_PASID, false, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach, IOMMUFD);

/**
 * iommufd_device_attach_pasid - Let a PASID of a device use a page table
 * @idev: the device
 * @pasid: the PASID, which is not attached. IOMMU_NO_PASID: as iommufd_device_attach()
 * @pt_id: in: id of a HWPT made with IOMMU_HWPT_ALLOC_PASID. Out: the same
 *
 * Context: as iommufd_device_attach().
 * Return: 0; -ENOENT: no such id; -EINVAL: not a page table for PASIDs or for this device,
 * the device uses another kind of page table for what has no PASID, another device of the
 * group uses another one for this PASID, or the device has no such PASID; -EBUSY:
 * attached already; -EOPNOTSUPP: the device, the IOMMU or its driver has no PASIDs;
 * -ENOMEM; errors of the driver.
 */
int iommufd_device_attach_pasid(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id)
{
	return change_pt(idev, pasid, false, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_attach_pasid, IOMMUFD);

/**
 * iommufd_device_replace - Switch to another page table in one step
 * @idev: attached device
 * @pt_id: in: id of an IOAS or HWPT. Out: id of the HWPT that is used
 *
 * All attached devices of the group move. Memory that both page tables map at the same
 * IOVA stays reachable all the time.
 *
 * Context: as iommufd_device_attach().
 * Return: as iommufd_device_attach(), -EINVAL when it is not attached. After an error
 * everything is as before.
 */
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id)
{
	return change_pt(idev, IOMMU_NO_PASID, true, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace, IOMMUFD);

/**
 * iommufd_device_replace_pasid - Switch a PASID to another page table
 * @idev: the device
 * @pasid: attached PASID. IOMMU_NO_PASID: as iommufd_device_replace()
 * @pt_id: as for iommufd_device_attach_pasid()
 *
 * The IOMMU core of 6.12 can not do this in one step. For a moment requests with this
 * PASID fault, while those of other PASIDs and without one are not disturbed.
 *
 * Context: as iommufd_device_attach().
 * Return: as iommufd_device_attach_pasid(), -EINVAL when it is not attached. After an
 * error everything is as before; only if the hardware then does not take back what it
 * had the PASID stays blocked until it is replaced or detached.
 */
int iommufd_device_replace_pasid(struct iommufd_device *idev, ioasid_t pasid, u32 *pt_id)
{
	return change_pt(idev, pasid, true, pt_id);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_replace_pasid, IOMMUFD);

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
