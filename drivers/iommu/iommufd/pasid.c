// SPDX-License-Identifier: GPL-2.0
/*
 * Which page table a PASID uses.
 *
 * A device can tag its requests with a number, the PASID, for each of which there is a
 * page table. The numbers are the device's own; who owns the device owns them all. A
 * request with a number that nobody attached faults in the hardware.
 *
 * The IOMMU core of 6.12 keeps PASIDs per group, and programs all devices of it that have
 * any. So there is one page table for a PASID of a group, and several devices of the
 * group may use it. It has no call to replace one; patches/ adds it for kernels that are
 * built with us. Without it, or with a driver that can not do that, the old page table is
 * detached and the new one attached, and between the two requests with that PASID fault.
 * When the new one is refused the old one is attached again.
 *
 * Only page tables made for it are attached to a PASID, and a device with PASIDs uses
 * only such for its requests without one: some hardware has one format for all of them.
 * Reserved regions are not looked at. They are of requests without PASID.
 *
 * Locks: ioas->mutex, igroup->lock, ioas->domains_rwsem as in attach.c.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "device.h"
#include "fault.h"
#include "group.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "pasid.h"
#include "switch.h"
#include "trace.h"

/**
 * struct pasid - A PASID that is in use in a group; in igroup->pasids, under igroup->lock
 * @pasid: the number, immutable
 * @hwpt: its page table, of which each user has a use. NULL: a replace failed so badly
 *	  that it has none
 * @handle: the attachment in the core
 * @users: struct pasid_user by entry, not empty
 */
struct pasid {
	ioasid_t pasid;
	struct iommufd_hwpt *hwpt;
	struct iommufd_fault_handle *handle;
	struct list_head users;
};

struct pasid_user {
	struct list_head entry;
	struct iommufd_device *idev;
};

static struct pasid_user *user_of(struct pasid *pasid, struct iommufd_device *idev)
{
	struct pasid_user *user;

	lockdep_assert_held(&idev->igroup->lock);
	if (!pasid)
		return NULL;
	list_for_each_entry(user, &pasid->users, entry)
		if (user->idev == idev)
			return user;
	return NULL;
}

/* What delivers page faults does so for one device. The others' would have its name. */
static struct iommufd_fault_handle *new_handle(struct iommufd_device *idev,
					       struct iommufd_hwpt *hwpt)
{
	struct iommufd_fault_handle *handle;
	int ret;

	handle = iommufd_fault_handle_new(idev, hwpt->fault);
	if (IS_ERR(handle) || !hwpt->fault)
		return handle;
	ret = iommufd_fault_device_on(idev);
	if (ret) {
		kfree(handle);
		return ERR_PTR(ret);
	}
	return handle;
}

/* @handle is not attached any more, or never was. */
static void end_handle(struct iommufd_fault_handle *handle, struct iommufd_hwpt *hwpt)
{
	struct iommufd_device *idev = handle->idev;

	if (!hwpt->fault) {
		kfree(handle);
		return;
	}
	iommufd_fault_end(hwpt->fault, handle);
	iommufd_fault_device_off(idev);
}

static int core_attach(struct iommufd_device *idev, struct pasid *pasid,
		       struct iommufd_hwpt *hwpt, struct iommufd_fault_handle *handle)
{
	int ret;

	iommufd_switch_begin(hwpt, NULL);
	ret = iommu_attach_device_pasid(hwpt->domain, idev->dev, pasid->pasid,
					&handle->handle);
	iommufd_switch_end(hwpt, NULL);
	return ret;
}

static void core_detach(struct iommufd_device *idev, struct pasid *pasid)
{
	iommufd_switch_begin(pasid->hwpt, NULL);
	iommu_detach_device_pasid(pasid->hwpt->domain, idev->dev, pasid->pasid);
	iommufd_switch_end(pasid->hwpt, NULL);
}

/* -EOPNOTSUPP: this core or this driver can not do that in one step. */
static int core_replace(struct iommufd_device *idev, struct pasid *pasid,
			struct iommufd_hwpt *hwpt, struct iommufd_fault_handle *handle)
{
	int ret;

	iommufd_switch_begin(hwpt, pasid->hwpt);
	ret = iommufd_core_replace_pasid(hwpt->domain, idev->dev, pasid->pasid,
					 &handle->handle);
	iommufd_switch_end(hwpt, pasid->hwpt);
	return ret;
}

static int start(struct iommufd_device *idev, struct pasid *pasid,
		 struct iommufd_hwpt *hwpt)
{
	struct iommufd_fault_handle *handle = new_handle(idev, hwpt);
	int ret;

	if (IS_ERR(handle))
		return PTR_ERR(handle);
	ret = core_attach(idev, pasid, hwpt, handle);
	if (ret) {
		end_handle(handle, hwpt);
		return ret;
	}
	pasid->hwpt = hwpt;
	pasid->handle = handle;
	return 0;
}

static void stop(struct iommufd_device *idev, struct pasid *pasid)
{
	if (!pasid->hwpt)
		return;
	core_detach(idev, pasid);
	end_handle(pasid->handle, pasid->hwpt);
	pasid->hwpt = NULL;
}

/* Nobody has it so far: the user that comes is the first. */
static int add_pasid(struct iommufd_device *idev, ioasid_t nr, struct iommufd_hwpt *hwpt,
		     struct pasid_user *user)
{
	struct pasid *pasid __free(kfree) = kzalloc(sizeof(*pasid), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!pasid)
		return -ENOMEM;
	pasid->pasid = nr;
	INIT_LIST_HEAD(&pasid->users);
	ret = xa_insert(&idev->igroup->pasids, nr, pasid, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = start(idev, pasid, hwpt);
	if (ret) {
		xa_erase(&idev->igroup->pasids, nr);
		return ret;
	}
	list_add(&user->entry, &pasid->users);
	retain_and_null_ptr(pasid);
	return 0;
}

static int join(struct iommufd_device *idev, ioasid_t nr, struct iommufd_hwpt *hwpt)
{
	struct pasid *pasid = xa_load(&idev->igroup->pasids, nr);
	int ret;

	if (user_of(pasid, idev))
		return -EBUSY;
	struct pasid_user *user __free(kfree) = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return -ENOMEM;
	user->idev = idev;
	if (!pasid) {
		ret = add_pasid(idev, nr, hwpt, user);
		if (ret)
			return ret;
	} else {
		if (pasid->hwpt != hwpt || hwpt->fault)
			return -EINVAL;
		list_add(&user->entry, &pasid->users);
	}
	retain_and_null_ptr(user);
	return 0;
}

/* In two steps. After an error it is where it was, unless that is refused as well. */
static int core_reattach(struct iommufd_device *idev, struct pasid *pasid,
			 struct iommufd_hwpt *hwpt, struct iommufd_fault_handle *handle)
{
	int ret;

	/* Then there is no need to disturb the old one. */
	if (!hwpt->domain->ops->set_dev_pasid)
		return -EOPNOTSUPP;
	core_detach(idev, pasid);
	ret = core_attach(idev, pasid, hwpt, handle);
	if (!ret || !core_attach(idev, pasid, pasid->hwpt, pasid->handle))
		return ret;

	dev_warn_ratelimited(idev->dev,
			     "iommufd: PASID %u is blocked: neither the new nor the old page table could be attached (%d)\n",
			     pasid->pasid, ret);
	end_handle(pasid->handle, pasid->hwpt);
	pasid->hwpt = NULL;
	return ret;
}

/* From one page table, or none after a failure, to another; or to where it was. */
static int switch_pasid(struct iommufd_device *idev, struct pasid *pasid,
			struct iommufd_hwpt *hwpt)
{
	struct iommufd_fault_handle *new;
	int ret;

	if (!pasid->hwpt)
		return start(idev, pasid, hwpt);
	new = new_handle(idev, hwpt);
	if (IS_ERR(new))
		return PTR_ERR(new);

	ret = core_replace(idev, pasid, hwpt, new);
	if (ret == -EOPNOTSUPP)
		ret = core_reattach(idev, pasid, hwpt, new);
	if (ret) {
		end_handle(new, hwpt);
		return ret;
	}
	end_handle(pasid->handle, pasid->hwpt);
	pasid->hwpt = hwpt;
	pasid->handle = new;
	return 0;
}

static int move(struct iommufd_device *idev, ioasid_t nr, struct iommufd_hwpt *hwpt,
		struct iommufd_dropped *dropped)
{
	struct pasid *pasid = xa_load(&idev->igroup->pasids, nr);
	struct iommufd_hwpt *old;
	unsigned int users;
	int ret;

	if (!user_of(pasid, idev))
		return -EINVAL;
	users = list_count_nodes(&pasid->users);
	old = pasid->hwpt;
	if (old == hwpt) {
		*dropped = (struct iommufd_dropped){ hwpt, 1 };
		return 0;
	}
	if (hwpt->fault && users > 1)
		return -EINVAL;

	ret = switch_pasid(idev, pasid, hwpt);
	if (old && pasid->hwpt != old)
		*dropped = (struct iommufd_dropped){ old, users };
	/* The caller has taken the use of one of them. */
	while (!ret && --users)
		WARN_ON(iommufd_object_use(&hwpt->obj));
	return ret;
}

static int check(struct iommufd_device *idev, ioasid_t nr, struct iommufd_hwpt *hwpt)
{
	struct iommufd_hwpt *rid = idev->igroup->hwpt;
	u32 max_pasids = idev->dev->iommu->max_pasids;

	lockdep_assert_held(&idev->igroup->lock);
	if (!hwpt->pasid || (rid && !rid->pasid))
		return -EINVAL;
	/* The core would say yes, and do nothing. */
	if (!max_pasids)
		return -EOPNOTSUPP;
	return nr < max_pasids ? 0 : -EINVAL;
}

/**
 * iommufd_pasid_use_hwpt - Attach a PASID to a page table, or move it there
 * @idev: the device
 * @nr: the PASID, not IOMMU_NO_PASID
 * @hwpt: the page table, of which the caller took a use. Success keeps it
 * @replace: it is attached to another one
 * @dropped: set to uses that the caller has to end when it has dropped the locks, also
 *	     after an error
 *
 * Context: Process context, may sleep. Holds ioas->mutex of the page table, takes
 * igroup->lock.
 * Return: as iommufd_device_attach_pasid() and iommufd_device_replace_pasid().
 */
int iommufd_pasid_use_hwpt(struct iommufd_device *idev, ioasid_t nr,
			   struct iommufd_hwpt *hwpt, bool replace,
			   struct iommufd_dropped *dropped)
{
	int ret;

	lockdep_assert_held(&hwpt->paging->ioas->mutex);
	guard(mutex)(&idev->igroup->lock);
	ret = check(idev, nr, hwpt);
	if (ret)
		return ret;
	return replace ? move(idev, nr, hwpt, dropped) : join(idev, nr, hwpt);
}

/**
 * iommufd_pasid_detach - End the use of a PASID
 * @idev: the device
 * @nr: the PASID
 *
 * With the last device of the group that uses it, requests with it fault. Does nothing
 * when the device does not use it.
 *
 * Context: Process context, may sleep. Takes igroup->lock.
 */
void iommufd_pasid_detach(struct iommufd_device *idev, ioasid_t nr)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_detach_enabled());
	struct iommufd_group *igroup = idev->igroup;
	struct iommufd_hwpt *hwpt = NULL;

	scoped_guard(mutex, &igroup->lock) {
		struct pasid *pasid = xa_load(&igroup->pasids, nr);
		struct pasid_user *user = user_of(pasid, idev);

		if (!user)
			return;
		hwpt = pasid->hwpt;
		list_del(&user->entry);
		kfree(user);
		if (list_empty(&pasid->users)) {
			stop(idev, pasid);
			xa_erase(&igroup->pasids, nr);
			kfree(pasid);
		}
	}
	trace_iommufd_detach(idev, nr, hwpt ? hwpt->obj.id : 0, 0, 0,
			     iommufd_trace_ns(begin));
	if (hwpt)
		iommufd_hwpt_unuse(hwpt, 1);
}

/**
 * iommufd_pasid_detach_all - End the use of all PASIDs of a device
 * @idev: the device
 *
 * Context: Process context, may sleep. Takes igroup->lock.
 */
void iommufd_pasid_detach_all(struct iommufd_device *idev)
{
	unsigned long nr;
	void *pasid;

	/* Nobody else takes the device's own out of the table meanwhile. */
	xa_for_each(&idev->igroup->pasids, nr, pasid)
		iommufd_pasid_detach(idev, nr);
}

/**
 * iommufd_pasid_show - Which page table each PASID of a device uses, for fdinfo
 * @idev: the device
 * @m: where to
 *
 * Context: Holds igroup->lock.
 */
void iommufd_pasid_show(struct iommufd_device *idev, struct seq_file *m)
{
	struct pasid *pasid;
	unsigned long nr;

	lockdep_assert_held(&idev->igroup->lock);
	xa_for_each(&idev->igroup->pasids, nr, pasid)
		if (user_of(pasid, idev))
			seq_printf(m, " pasid:%lu=%u", nr,
				   pasid->hwpt ? pasid->hwpt->obj.id : 0);
}
