// SPDX-License-Identifier: GPL-2.0
/*
 * Paging HWPTs: page tables that mirror an IOAS.
 *
 * A paging HWPT is complete before anything can be attached to it: its domain maps all
 * of the IOAS, so a device that is replaced onto it finds every page at once.
 *
 * Locks: ioas->mutex around creation; it nests outside of all that mapping.c takes.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "sw_msi.h"

static void paging_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_from_obj(obj);

	scoped_guard(mutex, &hwpt->ioas->mutex)
		list_del(&hwpt->entry);
	iommufd_mapping_remove_mirror(hwpt->ioas, &hwpt->mirror);
	iommu_domain_free(hwpt->mirror.domain);
	iommufd_object_unuse(&hwpt->ioas->obj);
}

const struct iommufd_object_class iommufd_hwpt_paging_class = {
	.name = "HWPT",
	.destroy = paging_destroy,
};

static struct iommu_domain *alloc_domain(struct device *dev, u32 flags)
{
	const struct iommu_ops *ops = iommufd_core_ops(dev);
	struct iommu_domain *domain;

	/*
	 * Without wishes take what any unmanaged user gets. The op for users insists on
	 * a second stage on VT-d, which hardware with a first stage only does not have.
	 */
	if (!flags)
		return iommu_paging_domain_alloc(dev);

	/*
	 * Dirty tracking is not offered: nothing here can read the bits yet. See
	 * iommufd_device_hw_info().
	 */
	if (flags & ~IOMMU_HWPT_ALLOC_NEST_PARENT || !ops->domain_alloc_user)
		return ERR_PTR(-EOPNOTSUPP);
	domain = ops->domain_alloc_user(dev, flags, NULL, NULL);
	if (!IS_ERR(domain))
		domain->owner = ops;
	return domain;
}

/**
 * iommufd_hwpt_require_cc - Make all DMA of a page table coherent
 * @hwpt: the page table
 *
 * Drivers can turn this on for a domain without mappings at least.
 *
 * Context: Holds ioas->mutex.
 * Return: 0, or -EINVAL when it is too late or impossible.
 */
int iommufd_hwpt_require_cc(struct iommufd_hwpt *hwpt)
{
	struct iommu_domain *domain = hwpt->mirror.domain;

	lockdep_assert_held(&hwpt->ioas->mutex);
	if (!hwpt->enforce_cc && domain->ops->enforce_cache_coherency)
		hwpt->enforce_cc = domain->ops->enforce_cache_coherency(domain);
	return hwpt->enforce_cc ? 0 : -EINVAL;
}

/* A domain for @idev that mirrors the IOAS of @hwpt. */
static int make_mirror(struct iommufd_hwpt *hwpt, struct iommufd_device *idev, u32 flags)
{
	struct iommu_domain *domain;
	int ret;

	domain = alloc_domain(idev->dev, flags);
	if (IS_ERR(domain))
		return PTR_ERR(domain);

	hwpt->mirror.domain = domain;
	ret = iommufd_sw_msi_setup(idev, domain);
	if (!ret && idev->enforce_cc)
		ret = iommufd_hwpt_require_cc(hwpt);
	if (!ret)
		ret = iommufd_mapping_add_mirror(hwpt->ioas, &hwpt->mirror);
	if (ret)
		iommu_domain_free(domain);
	return ret;
}

/**
 * iommufd_hwpt_paging_new - Make a page table for an IOAS
 * @ioas: the IOAS
 * @idev: device for whose IOMMU it shall be
 * @flags: IOMMU_HWPT_ALLOC_NEST_PARENT or 0
 * @automatic: it goes with its last device
 *
 * Context: Process context, may sleep for long. Holds ioas->mutex.
 * Return: the unpublished HWPT; ERR_PTR(-EOPNOTSUPP): flags; ERR_PTR(-EINVAL): the
 * driver can not enforce coherency; errors of iommufd_mapping_add_mirror() and of the
 * driver.
 */
struct iommufd_hwpt *iommufd_hwpt_paging_new(struct iommufd_ioas *ioas,
					     struct iommufd_device *idev, u32 flags,
					     bool automatic)
{
	struct iommufd_hwpt *hwpt __free(iommufd_object_discard) =
		iommufd_object_new(ioas->obj.ictx, &iommufd_hwpt_paging_class,
				   struct iommufd_hwpt);
	int ret;

	lockdep_assert_held(&ioas->mutex);

	if (IS_ERR(hwpt))
		return hwpt;

	ret = iommufd_object_use(&ioas->obj);
	if (ret)
		return ERR_PTR(ret);
	hwpt->ioas = ioas;
	hwpt->automatic = automatic;
	ret = make_mirror(hwpt, idev, flags);
	if (ret) {
		iommufd_object_unuse(&ioas->obj);
		return ERR_PTR(ret);
	}
	list_add_tail(&hwpt->entry, &ioas->hwpts);
	return no_free_ptr(hwpt);
}
