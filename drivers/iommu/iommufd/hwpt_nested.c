// SPDX-License-Identifier: GPL-2.0
/*
 * Nested HWPTs: page tables that user space writes itself.
 *
 * A guest's own table is walked by the hardware; each address it yields is an IOVA of
 * the parent. Nothing is pinned or mapped here. User space tells of its changes by
 * IOMMU_HWPT_INVALIDATE, on the page table or on the vIOMMU it was made on.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "iommu_core.h"
#include "viommu.h"

#define NESTED_FLAGS (IOMMU_HWPT_FAULT_ID_VALID | IOMMU_HWPT_ALLOC_PASID)

/* What keeps the parent: it itself, or the vIOMMU that sits on it. */
static struct iommufd_object *base_of(struct iommufd_hwpt *hwpt)
{
	return hwpt->viommu ? &hwpt->viommu->obj : &hwpt->paging->obj;
}

static void nested_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_from_obj(obj);

	iommu_domain_free(hwpt->domain);
	iommufd_fault_clear(hwpt);
	iommufd_object_unuse(base_of(hwpt));
}

const struct iommufd_object_class iommufd_hwpt_nested_class = {
	.name = "nested HWPT",
	.show = iommufd_hwpt_show,
	.destroy = nested_destroy,
};

static struct iommu_domain *alloc_domain(struct iommufd_hwpt *hwpt, struct device *dev,
					 u32 flags, const struct iommu_user_data *data)
{
	struct iommufd_viommu *viommu = hwpt->viommu;

	if (viommu)
		return viommu->ops->alloc_domain_nested(viommu,
							flags & ~IOMMU_HWPT_FAULT_ID_VALID,
							data);
	/* The op of 6.12 knows no flags for these. */
	return iommufd_core_ops(dev)->domain_alloc_user(dev, 0, hwpt->paging->domain, data);
}

/* Only what goes through a vIOMMU may leave invalidation to that. */
static bool is_nested(const struct iommufd_hwpt *hwpt, const struct iommu_domain *domain)
{
	return domain->type == IOMMU_DOMAIN_NESTED &&
	       (hwpt->viommu || domain->ops->cache_invalidate_user);
}

static int make_domain(struct iommufd_hwpt *hwpt, struct device *dev, u32 flags,
		       const struct iommu_user_data *data)
{
	struct iommu_domain *domain = alloc_domain(hwpt, dev, flags, data);

	if (IS_ERR(domain))
		return PTR_ERR(domain);
	domain->owner = iommufd_core_ops(dev);
	if (!is_nested(hwpt, domain)) {
		iommu_domain_free(domain);
		return -EOPNOTSUPP;
	}
	hwpt->domain = domain;
	return 0;
}

static struct iommufd_hwpt *new_nested(struct iommufd_hwpt *parent,
				       struct iommufd_viommu *viommu, struct device *dev,
				       u32 flags, const struct iommu_user_data *data)
{
	int ret;

	struct iommufd_hwpt *hwpt __free(iommufd_object_discard) =
		iommufd_object_new(parent->obj.ictx, &iommufd_hwpt_nested_class,
				   struct iommufd_hwpt);
	if (IS_ERR(hwpt))
		return_ptr(hwpt);

	hwpt->paging = parent;
	hwpt->viommu = viommu;
	hwpt->pasid = flags & IOMMU_HWPT_ALLOC_PASID;
	ret = iommufd_object_use(base_of(hwpt));
	if (ret)
		return ERR_PTR(ret);
	ret = make_domain(hwpt, dev, flags, data);
	if (ret) {
		iommufd_object_unuse(base_of(hwpt));
		return ERR_PTR(ret);
	}
	return_ptr(hwpt);
}

/**
 * iommufd_hwpt_nested_new - Make a page table that user space manages
 * @parent: paging HWPT through which its addresses go
 * @idev: device for whose IOMMU it shall be
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: for the driver; says where the table is
 *
 * Context: Process context, may sleep.
 * Return: the unpublished HWPT; ERR_PTR(-EOPNOTSUPP): flags, no data, or the driver has
 * no such tables; ERR_PTR(-EINVAL): @parent can not be one, or belongs to another
 * driver; errors of the driver.
 */
struct iommufd_hwpt *iommufd_hwpt_nested_new(struct iommufd_hwpt *parent,
					     struct iommufd_device *idev, u32 flags,
					     const struct iommu_user_data *data)
{
	const struct iommu_ops *ops = iommufd_core_ops(idev->dev);

	if (flags & ~NESTED_FLAGS || !data || !ops->domain_alloc_user)
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->automatic || !parent->nest_parent || parent->domain->owner != ops)
		return ERR_PTR(-EINVAL);
	return new_nested(parent, NULL, idev->dev, flags, data);
}

/**
 * iommufd_hwpt_nested_new_viommu - Make a page table that a guest manages by its vIOMMU
 * @viommu: through whose nest parent its addresses go
 * @idev: device for whose IOMMU it shall be
 * @flags: of enum iommufd_hwpt_alloc_flags
 * @data: for the driver; says where the table is
 *
 * Context: Process context, may sleep.
 * Return: the unpublished HWPT; ERR_PTR(-EOPNOTSUPP): flags, no data, or the driver has
 * no such tables; ERR_PTR(-EINVAL): @idev is behind another IOMMU; errors of the driver.
 */
struct iommufd_hwpt *iommufd_hwpt_nested_new_viommu(struct iommufd_viommu *viommu,
						    struct iommufd_device *idev, u32 flags,
						    const struct iommu_user_data *data)
{
	if (flags & ~NESTED_FLAGS || !data || !viommu->ops->alloc_domain_nested)
		return ERR_PTR(-EOPNOTSUPP);
	if (idev->dev->iommu->iommu_dev != viommu->iommu_dev)
		return ERR_PTR(-EINVAL);
	return new_nested(viommu->hwpt, viommu, idev->dev, flags, data);
}
