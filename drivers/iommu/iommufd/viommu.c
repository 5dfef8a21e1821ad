// SPDX-License-Identifier: GPL-2.0
/*
 * vIOMMUs: the part of an IOMMU that one virtual machine has.
 *
 * All that the guest's IOMMU consists of hangs below it: nested page tables, names of
 * devices, queues. It sits on the nest parent through which the guest's addresses go.
 * What it is in hardware is the driver's business.
 *
 * Locks: none of its own; the table of its devices has one.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "hwpt.h"
#include "ioctl.h"
#include "iommu_core.h"
#include "viommu.h"

static void viommu_destroy(struct iommufd_object *obj)
{
	struct iommufd_viommu *viommu = iommufd_viommu_from_obj(obj);

	if (viommu->ops->destroy)
		viommu->ops->destroy(viommu);
	xa_destroy(&viommu->vdevs);
	iommufd_object_unuse(&viommu->hwpt->obj);
	module_put(viommu->owner);
}

const struct iommufd_object_class iommufd_viommu_class = {
	.name = "vIOMMU",
	.destroy = viommu_destroy,
};

static struct iommufd_hwpt *get_parent(struct iommufd_ctx *ictx, u32 id, struct device *dev)
{
	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		iommufd_hwpt_get(ictx, id, &iommufd_hwpt_paging_class);

	if (IS_ERR(hwpt))
		return_ptr(hwpt);
	if (!hwpt->nest_parent || hwpt->domain->owner != iommufd_core_ops(dev))
		return ERR_PTR(-EINVAL);
	return_ptr(hwpt);
}

static int init_viommu(struct iommufd_viommu *viommu, struct iommufd_viommu_driver *driver,
		       const struct iommu_user_data *data)
{
	struct iommufd_object *parent = &viommu->hwpt->obj;
	int ret;

	ret = iommufd_object_use(parent);
	if (ret)
		return ret;
	xa_init(&viommu->vdevs);
	spin_lock_init(&viommu->events_lock);
	INIT_LIST_HEAD(&viommu->veventqs);
	ret = driver->viommu_init(viommu, viommu->hwpt->domain, data);
	if (ret) {
		iommufd_object_unuse(parent);
		return ret;
	}
	/* Only a registered driver's module is loaded for sure. */
	viommu->owner = driver->iommu_ops->owner;
	__module_get(viommu->owner);
	return 0;
}

static struct iommufd_viommu *make_viommu(struct iommufd_device *idev,
					  struct iommufd_viommu_driver *driver,
					  const struct iommu_viommu_alloc *arg,
					  const struct iommu_user_data *data)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	size_t size;
	int ret;

	size = driver->get_viommu_size(idev->dev, arg->type);
	if (!size)
		return ERR_PTR(-EOPNOTSUPP);
	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		get_parent(ictx, arg->hwpt_id, idev->dev);
	if (IS_ERR(hwpt))
		return ERR_CAST(hwpt);

	struct iommufd_viommu *viommu __free(iommufd_object_discard) =
		__iommufd_object_new(ictx, &iommufd_viommu_class, size);
	if (IS_ERR(viommu))
		return_ptr(viommu);
	viommu->ictx = ictx;
	viommu->hwpt = hwpt;
	viommu->iommu_dev = idev->dev->iommu->iommu_dev;
	viommu->type = arg->type;
	ret = init_viommu(viommu, driver, data);
	if (ret)
		return ERR_PTR(ret);
	return_ptr(viommu);
}

/**
 * iommufd_viommu_alloc - IOMMU_VIOMMU_ALLOC
 * @cmd: struct iommu_viommu_alloc
 *
 * Return: 0; -EOPNOTSUPP: the driver has no vIOMMUs, or none of the type; -ENOENT: no
 * such device or HWPT; -EINVAL: the HWPT is no nest parent of this driver; -ENOMEM;
 * errors of the driver.
 */
int iommufd_viommu_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_viommu_alloc *arg = cmd->arg;
	struct iommu_user_data data = {
		.type = arg->type,
		.uptr = u64_to_user_ptr(arg->data_uptr),
		.len = arg->data_len,
	};
	struct iommufd_viommu *viommu;

	if (arg->type == IOMMU_VIOMMU_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	struct iommufd_viommu_driver *driver __free(iommufd_driver_put) =
		iommufd_driver_get(idev->dev);
	if (!driver)
		return -EOPNOTSUPP;

	viommu = make_viommu(idev, driver, arg, data.len ? &data : NULL);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	arg->out_viommu_id = viommu->obj.id;
	cmd->new_obj = &viommu->obj;
	return 0;
}
