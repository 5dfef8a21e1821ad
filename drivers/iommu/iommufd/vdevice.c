// SPDX-License-Identifier: GPL-2.0
/*
 * vDEVICEs: what a guest calls the devices behind its IOMMU.
 *
 * A device has at most one. It does not keep the device bound: whoever unbinds the
 * device destroys it, and leaves its id unused, so that user space, which does not
 * expect that, can not destroy something else by it.
 *
 * Locks: the lock of ictx->objects for idev->vdev. That of viommu->vdevs, a leaf, for who
 * looks up devices by the guest's name.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>

#include "ctx.h"
#include "device.h"
#include "ioctl.h"
#include "vdevice.h"
#include "viommu.h"

static int link_device(struct iommufd_vdevice *vdev)
{
	guard(spinlock)(&vdev->obj.ictx->objects.xa_lock);
	if (vdev->idev->vdev)
		return -EEXIST;
	vdev->idev->vdev = vdev;
	return 0;
}

/* The device may be gone when this returns. */
static void unlink_device(struct iommufd_vdevice *vdev)
{
	struct iommufd_ctx *ictx = vdev->obj.ictx;

	scoped_guard(spinlock, &ictx->objects.xa_lock)
		vdev->idev->vdev = NULL;
	wake_up_all(&ictx->retire_wait);
}

static int link_viommu(struct iommufd_vdevice *vdev)
{
	int ret;

	ret = xa_insert(&vdev->viommu->vdevs, vdev->virt_id, vdev, GFP_KERNEL_ACCOUNT);
	return ret == -EBUSY ? -EEXIST : ret;
}

static void unlink_viommu(struct iommufd_vdevice *vdev)
{
	xa_erase(&vdev->viommu->vdevs, vdev->virt_id);
}

static void vdevice_destroy(struct iommufd_object *obj)
{
	struct iommufd_vdevice *vdev = container_of(obj, struct iommufd_vdevice, obj);

	if (vdev->destroy)
		vdev->destroy(vdev);
	unlink_viommu(vdev);
	unlink_device(vdev);
	iommufd_object_unuse(&vdev->viommu->obj);
}

static const struct iommufd_object_class vdevice_class = {
	.name = "vDEVICE",
	.destroy = vdevice_destroy,
};

static int init_driver(struct iommufd_vdevice *vdev)
{
	const struct iommufd_viommu_ops *ops = vdev->viommu->ops;

	return ops->vdevice_init ? ops->vdevice_init(vdev) : 0;
}

static int init_vdevice(struct iommufd_vdevice *vdev)
{
	int ret;

	ret = iommufd_object_use(&vdev->viommu->obj);
	if (ret)
		return ret;
	ret = link_device(vdev);
	if (ret)
		goto unuse;
	ret = link_viommu(vdev);
	if (ret)
		goto no_device;
	ret = init_driver(vdev);
	if (ret)
		goto no_viommu;
	return 0;

no_viommu:
	unlink_viommu(vdev);
no_device:
	unlink_device(vdev);
unuse:
	iommufd_object_unuse(&vdev->viommu->obj);
	return ret;
}

static struct iommufd_vdevice *make_vdevice(struct iommufd_viommu *viommu,
					    struct iommufd_device *idev, u64 virt_id)
{
	size_t size = viommu->ops->vdevice_size ?: sizeof(struct iommufd_vdevice);
	int ret;

	if (idev->dev->iommu->iommu_dev != viommu->iommu_dev)
		return ERR_PTR(-EINVAL);
	struct iommufd_vdevice *vdev __free(iommufd_object_discard) =
		__iommufd_object_new(viommu->ictx, &vdevice_class, size);
	if (IS_ERR(vdev))
		return_ptr(vdev);
	vdev->idev = idev;
	vdev->viommu = viommu;
	vdev->virt_id = virt_id;
	ret = init_vdevice(vdev);
	if (ret)
		return ERR_PTR(ret);
	return_ptr(vdev);
}

/**
 * iommufd_vdevice_alloc - IOMMU_VDEVICE_ALLOC
 * @cmd: struct iommu_vdevice_alloc
 *
 * Return: 0; -EINVAL: no such number can be, or the device is behind another IOMMU;
 * -ENOENT: no such vIOMMU or device; -EEXIST: the device has a vDEVICE, or the number is
 * taken; -ENOMEM; errors of the driver.
 */
int iommufd_vdevice_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_vdevice_alloc *arg = cmd->arg;
	struct iommufd_vdevice *vdev;

	if (arg->virt_id > ULONG_MAX)
		return -EINVAL;
	struct iommufd_viommu *viommu __free(iommufd_viommu_put) =
		iommufd_viommu_get(cmd->ictx, arg->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);
	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);

	vdev = make_vdevice(viommu, idev, arg->virt_id);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);
	arg->out_vdevice_id = vdev->obj.id;
	cmd->new_obj = &vdev->obj;
	/* Who unbinds the device then finds the vDEVICE published or gone. */
	cmd->kept = &no_free_ptr(idev)->obj;
	return 0;
}

/**
 * iommufd_vdevice_unbind - Destroy the vDEVICE of a device that is going
 * @idev: device that nobody can look up any more
 *
 * Context: Process context, may sleep. The caller holds no lock.
 */
void iommufd_vdevice_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;
	struct iommufd_vdevice *vdev;
	bool claimed;

	scoped_guard(spinlock, &ictx->objects.xa_lock) {
		vdev = idev->vdev;
		claimed = vdev && iommufd_object_claim(&vdev->obj);
	}
	if (claimed)
		iommufd_object_bury_claimed(&vdev->obj);
	else
		/* Another thread may be destroying it. */
		wait_event(ictx->retire_wait, !READ_ONCE(idev->vdev));
}
