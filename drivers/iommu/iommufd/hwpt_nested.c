// SPDX-License-Identifier: GPL-2.0
/*
 * Nested HWPTs: page tables that user space writes itself.
 *
 * A guest's own table is walked by the hardware; each address it yields is an IOVA of
 * the parent. Nothing is pinned or mapped here. User space tells of its changes by
 * IOMMU_HWPT_INVALIDATE.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "iommu_core.h"

static void nested_destroy(struct iommufd_object *obj)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_from_obj(obj);

	iommu_domain_free(hwpt->domain);
	iommufd_fault_clear(hwpt);
	iommufd_object_unuse(&hwpt->paging->obj);
}

const struct iommufd_object_class iommufd_hwpt_nested_class = {
	.name = "nested HWPT",
	.show = iommufd_hwpt_show,
	.destroy = nested_destroy,
};

static struct iommu_domain *alloc_nested(const struct iommu_ops *ops, struct device *dev,
					 struct iommu_domain *parent,
					 const struct iommu_user_data *data)
{
	struct iommu_domain *domain;

	domain = ops->domain_alloc_user(dev, 0, parent, data);
	if (IS_ERR(domain))
		return domain;

	domain->owner = ops;
	if (domain->type == IOMMU_DOMAIN_NESTED && domain->ops->cache_invalidate_user)
		return domain;
	iommu_domain_free(domain);
	return ERR_PTR(-EOPNOTSUPP);
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
	int ret;

	if (flags & ~IOMMU_HWPT_FAULT_ID_VALID || !data || !ops->domain_alloc_user)
		return ERR_PTR(-EOPNOTSUPP);
	if (parent->automatic || !parent->nest_parent || parent->domain->owner != ops)
		return ERR_PTR(-EINVAL);

	struct iommufd_hwpt *hwpt __free(iommufd_object_discard) =
		iommufd_object_new(parent->obj.ictx, &iommufd_hwpt_nested_class,
				   struct iommufd_hwpt);
	if (IS_ERR(hwpt))
		return_ptr(hwpt);

	ret = iommufd_object_use(&parent->obj);
	if (ret)
		return ERR_PTR(ret);
	hwpt->paging = parent;
	hwpt->domain = alloc_nested(ops, idev->dev, parent->domain, data);
	if (IS_ERR(hwpt->domain)) {
		ret = PTR_ERR(hwpt->domain);
		iommufd_object_unuse(&parent->obj);
		return ERR_PTR(ret);
	}
	return_ptr(hwpt);
}
