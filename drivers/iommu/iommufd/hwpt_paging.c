// SPDX-License-Identifier: GPL-2.0
/*
 * Paging HWPTs: page tables that mirror an IOAS.
 *
 * A paging HWPT is complete before anything can be attached to it: its domain maps all
 * of the IOAS, so a device that is replaced onto it finds every page at once.
 *
 * Locks: ioas->mutex around creation; it nests outside of all that mapping.c takes.
 */
#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "dirty.h"
#include "fault.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "sw_msi.h"

static void paging_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_from_obj(obj);

	scoped_guard(mutex, &hwpt->ioas->mutex)
		list_del(&hwpt->entry);
	iommufd_mirror_leave(hwpt->ioas, &hwpt->mirror);
	iommu_domain_free(hwpt->domain);
	iommufd_fault_clear(hwpt);
	iommufd_object_unuse(&hwpt->ioas->obj);
}

const struct iommufd_object_class iommufd_hwpt_paging_class = {
	.name = "HWPT",
	.show = iommufd_hwpt_show,
	.destroy = paging_destroy,
};

/*
 * What the driver has to know; the other flags are our own business. Drivers of 6.12 do not
 * know the flag for PASIDs, and say with each attachment whether they can.
 */
#define DRIVER_FLAGS (IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING)

/*
 * VT-d that translates by first-stage tables only. The op for users makes second-stage
 * tables even then, and those do not attach.
 */
static bool first_stage_only(struct device *dev)
{
	const struct iommu_ops *ops = iommufd_core_ops(dev);
	const u64 scalable_mode = BIT_ULL(43), second_stage = BIT_ULL(46);
	u32 length, type = IOMMU_HW_INFO_TYPE_DEFAULT;

	if (!ops->hw_info)
		return false;
	struct iommu_hw_info_vtd *vtd __free(kfree) = ops->hw_info(dev, &length, &type);
	if (IS_ERR_OR_NULL(vtd) || type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
		return false;
	return (vtd->ecap_reg & (scalable_mode | second_stage)) == scalable_mode;
}

static struct iommu_domain *alloc_domain(struct device *dev, u32 flags,
					 const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = iommufd_core_ops(dev);
	struct iommu_domain *domain;

	flags &= DRIVER_FLAGS;
	if (flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING && !iommufd_dirty_offered(dev))
		return ERR_PTR(-EOPNOTSUPP);

	/* The op for users is better where it works: its domains fit the device at once. */
	if (!flags && !data && (!ops->domain_alloc_user || first_stage_only(dev)))
		return iommu_paging_domain_alloc(dev);

	if (!ops->domain_alloc_user)
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user(dev, flags, NULL, data);
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/**
 * iommufd_hwpt_require_cc - Make all DMA of a page table coherent
 * @hwpt: the page table
 *
 * Drivers can turn this on for a domain without mappings at least. Nobody maps anything
 * meanwhile, so no mapping can be half-way when they look.
 *
 * Context: Process context, may sleep. Holds ioas->mutex.
 * Return: 0, or -EINVAL when it is too late or impossible.
 */
int iommufd_hwpt_require_cc(struct iommufd_hwpt *hwpt)
{
	struct iommu_domain *domain = hwpt->domain;

	lockdep_assert_held(&hwpt->ioas->mutex);
	if (hwpt->enforce_cc)
		return 0;
	guard(rwsem_write)(&hwpt->ioas->domains_rwsem);
	if (domain->ops->enforce_cache_coherency)
		hwpt->enforce_cc = domain->ops->enforce_cache_coherency(domain);
	return hwpt->enforce_cc ? 0 : -EINVAL;
}

/* A domain for @idev that mirrors the IOAS of @hwpt. */
static int make_mirror(struct iommufd_hwpt *hwpt, struct iommufd_device *idev, u32 flags,
		       const struct iommu_user_data *data)
{
	struct iommu_domain *domain;
	int ret;

	domain = alloc_domain(idev->dev, flags, data);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	hwpt->domain = domain;
	hwpt->mirror.domain = domain;
	iommufd_iova_reservation_init(&hwpt->mirror.outside);
	hwpt->mirror.outside.owner = &hwpt->obj;
	ret = iommufd_sw_msi_setup(idev, domain);
	if (!ret && idev->enforce_cc)
		ret = iommufd_hwpt_require_cc(hwpt);
	if (!ret)
		ret = iommufd_mirror_join(hwpt->ioas, &hwpt->mirror);
	if (ret)
		iommu_domain_free(domain);
	return ret;
}

static bool known_flags(u32 flags)
{
	/* A table for page faults has no use as a parent: faults go to its nested ones. */
	if (flags & IOMMU_HWPT_ALLOC_NEST_PARENT && flags & IOMMU_HWPT_FAULT_ID_VALID)
		return false;
	return !(flags & ~(DRIVER_FLAGS | IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID));
}

/**
 * iommufd_hwpt_paging_new - Make a page table for an IOAS
 * @ioas: the IOAS
 * @idev: device for whose IOMMU it shall be
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: for the driver, or NULL
 * @automatic: it goes with its last device
 *
 * Context: Process context, may sleep for long. Holds ioas->mutex.
 * Return: the unpublished HWPT; ERR_PTR(-EOPNOTSUPP): flags or data; ERR_PTR(-EINVAL):
 * the driver can not enforce coherency; errors of iommufd_mirror_join() and of
 * the driver.
 */
struct iommufd_hwpt *iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
					     struct iommufd_device *idev, u32 flags,
					     const struct iommu_user_data *data,
					     bool automatic)
{
	int ret;

	lockdep_assert_held(&ioas->mutex);

	if (!known_flags(flags))
		return ERR_PTR(-EOPNOTSUPP);
	struct iommufd_hwpt *hwpt __free(iommufd_object_discard) =
		iommufd_object_new(ioas->obj.ictx, &iommufd_hwpt_paging_class,
				   struct iommufd_hwpt);
	if (IS_ERR(hwpt))
		return_ptr(hwpt);

	ret = iommufd_object_use(&ioas->obj);
	if (ret)
		return ERR_PTR(ret);
	hwpt->paging = hwpt;
	hwpt->ioas = ioas;
	hwpt->automatic = automatic;
	hwpt->pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	hwpt->nest_parent = flags & IOMMU_HWPT_ALLOC_NEST_PARENT;
	ret = make_mirror(hwpt, idev, flags, data);
	if (ret) {
		iommufd_object_unuse(&ioas->obj);
		return ERR_PTR(ret);
	}
	list_add_tail(&hwpt->entry, &ioas->hwpts);
	return_ptr(hwpt);
}
