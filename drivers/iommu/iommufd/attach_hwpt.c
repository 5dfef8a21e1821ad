// SPDX-License-Identifier: GPL-2.0
/*
 * Which page table a device, or a PASID of it, is to use.
 *
 * User space names a page table, or an IOAS and leaves the choice to us: one that the
 * IOAS got this way before and that suits the device, else a new one. What happens then
 * is in attach.c for devices and in pasid.c for PASIDs.
 *
 * Locks: ioas->mutex around the choice and the switch, so that nobody else makes a page
 * table for the same purpose meanwhile. A page table is put only after all locks are
 * dropped, because it may be the last user's put.
 */
#include <linux/iommu.h>
#include <linux/module.h>

#include "attach.h"
#include "ctx.h"
#include "device.h"
#include "group.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "pasid.h"
#include "trace.h"

/**
 * struct request - What a driver wants for its device, and what came of it
 * @idev: the device
 * @pasid: of it, or IOMMU_NO_PASID
 * @replace: it is attached, and moves
 * @pt_id: id of an IOAS or HWPT; in the end of the HWPT that is used
 * @dropped: the page table that is not used any more
 * @failed: a page table that was made in vain, which nobody can find
 */
struct request {
	struct iommufd_device *idev;
	ioasid_t pasid;
	bool replace;
	u32 pt_id;
	struct iommufd_dropped dropped;
	struct iommufd_hwpt *failed;
};

/* Attach to a page table of which the caller took a use, which success keeps. */
static int use_hwpt(struct request *request, struct iommufd_hwpt *hwpt)
{
	struct iommufd_device *idev = request->idev;
	int ret;

	lockdep_assert_held(&hwpt->paging->ioas->mutex);

	/* The core does not look when it replaces. */
	if (hwpt->domain->owner != iommufd_core_ops(idev->dev))
		return -EINVAL;
	if (idev->enforce_cc) {
		ret = iommufd_hwpt_require_cc(hwpt->paging);
		if (ret)
			return ret;
	}
	if (request->pasid != IOMMU_NO_PASID)
		ret = iommufd_pasid_use_hwpt(idev, request->pasid, hwpt, request->replace,
					     &request->dropped);
	else
		ret = iommufd_attach_group(idev, hwpt, request->replace, &request->dropped);
	if (!ret)
		request->pt_id = hwpt->obj.id;
	return ret;
}

/* A new automatic page table, published once the device is on it. */
static int use_new_hwpt(struct request *request, struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt *hwpt;
	int ret;

	hwpt = iommufd_hwpt_paging_new(ioas, request->idev, 0, NULL, true);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	WARN_ON(iommufd_object_use(&hwpt->obj));
	ret = use_hwpt(request, hwpt);
	if (ret) {
		/* It ends when ioas->mutex is dropped; nobody may find it until then. */
		list_del_init(&hwpt->entry);
		request->failed = hwpt;
		return ret;
	}
	iommufd_object_publish(&hwpt->obj);
	return 0;
}

/* A page table that exists, while nobody else attaches to its IOAS. */
static int use_old_hwpt(struct request *request, struct iommufd_hwpt *hwpt)
{
	int ret;

	ret = iommufd_object_use(&hwpt->obj);
	if (ret)
		return ret;
	ret = use_hwpt(request, hwpt);
	/* Not the last use: that ends under ioas->mutex. */
	if (ret)
		iommufd_object_unuse(&hwpt->obj);
	return ret;
}

/*
 * An IOAS was named: take an automatic page table it has, or make one. -EINVAL means
 * that a page table does not suit the device, and -ENOENT that it is going.
 */
static int use_ioas(struct request *request, struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt *hwpt;
	int ret;

	guard(mutex)(&ioas->mutex);
	list_for_each_entry(hwpt, &ioas->hwpts, entry) {
		if (!hwpt->automatic)
			continue;
		ret = use_old_hwpt(request, hwpt);
		if (ret != -EINVAL && ret != -ENOENT)
			return ret;
	}
	return use_new_hwpt(request, ioas);
}

static int use_explicit(struct request *request, struct iommufd_hwpt *hwpt)
{
	guard(mutex)(&hwpt->paging->ioas->mutex);
	return use_old_hwpt(request, hwpt);
}

static int use_pt(struct request *request)
{
	struct iommufd_object *obj __free(iommufd_object_put) =
		iommufd_object_get(request->idev->obj.ictx, request->pt_id, NULL);

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	/* The page tables that an IOAS gets by itself are not for PASIDs. */
	if (obj->class == &iommufd_ioas_class && request->pasid == IOMMU_NO_PASID)
		return use_ioas(request, iommufd_ioas_from_obj(obj));
	if (obj->class == &iommufd_hwpt_paging_class ||
	    obj->class == &iommufd_hwpt_nested_class)
		return use_explicit(request, iommufd_hwpt_from_obj(obj));
	return -EINVAL;
}

static int change_pt(struct iommufd_device *idev, ioasid_t pasid, bool replace, u32 *pt_id)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_attach_enabled() ||
					trace_iommufd_replace_enabled());
	struct request request = {
		.idev = idev, .pasid = pasid, .replace = replace, .pt_id = *pt_id,
	};
	u32 asked = *pt_id;
	int ret;

	ret = use_pt(&request);
	if (request.dropped.hwpt)
		iommufd_hwpt_unuse(request.dropped.hwpt, request.dropped.uses);
	if (request.failed)
		iommufd_object_abort(&request.failed->obj);
	if (!ret)
		*pt_id = request.pt_id;

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
 * Where the IOMMU core or the driver can not do this in one step, requests with this PASID
 * fault for a moment; those of other PASIDs and without one are not disturbed. The core of
 * a kernel that was not built with our patch can not, nor can any driver of 6.12.
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
