// SPDX-License-Identifier: GPL-2.0
/*
 * Binding devices to a context.
 *
 * To bind is to claim: the IOMMU core makes the context the owner of all DMA of the
 * device's group and blocks it, provided that no kernel driver and no other context
 * uses it. The owner cookie is the context, so its own devices may share a group. From
 * bind to unbind the device object keeps the context, the group and the claim.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "ctx.h"
#include "device.h"
#include "device_memory.h"
#include "dirty.h"
#include "fdinfo.h"
#include "group.h"
#include "hwpt.h"
#include "ioctl.h"
#include "iommu_core.h"
#include "pasid.h"
#include "trace.h"
#include "vdevice.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Bind devices although they can send interrupts to anywhere on this platform");

static void idev_destroy(struct iommufd_object *obj)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);
	u64 begin = iommufd_trace_begin(trace_iommufd_unbind_enabled());

	iommufd_vdevice_unbind(idev);
	iommufd_pasid_detach_all(idev);
	iommufd_group_count_owned(idev->igroup, -1);
	iommu_device_release_dma_owner(idev->dev);
	trace_iommufd_unbind(obj->ictx, idev->dev, idev->igroup->group, obj->id, 0,
			     iommufd_trace_ns(begin));
	iommufd_group_put(idev->igroup);
}

static void idev_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_device *idev = container_of(obj, struct iommufd_device, obj);
	struct iommufd_group *igroup = idev->igroup;

	seq_printf(m, " dev=%s group=%d", dev_name(idev->dev), iommu_group_id(igroup->group));
	if (!iommufd_fdinfo_lock(&igroup->lock)) {
		seq_puts(m, " busy");
		return;
	}
	if (idev->attached)
		seq_printf(m, " hwpt=%u ioas=%u", igroup->hwpt->obj.id,
			   igroup->hwpt->paging->ioas->obj.id);
	iommufd_pasid_show(idev, m);
	mutex_unlock(&igroup->lock);
}

const struct iommufd_object_class iommufd_device_class = {
	.name = "device",
	.show = idev_show,
	.destroy = idev_destroy,
};

/**
 * iommufd_device_get - Look a device up for the length of a system call
 * @ictx: the context
 * @id: id of the device
 *
 * Return: the device or ERR_PTR(-ENOENT).
 */
struct iommufd_device *iommufd_device_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, id, &iommufd_device_class);

	return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, struct iommufd_device, obj);
}

/* A driver that leaves DMA to its users, such as vfio-pci, or does none. */
static bool manages_no_dma(struct device *dev)
{
	return dev_is_pci(dev) && to_pci_driver(dev->driver)->driver_managed_dma;
}

static int report_member(struct device *dev, void *data)
{
	struct iommufd_group *igroup = data;

	/*
	 * The core holds the group's mutex, which nests inside device locks. A device
	 * whose lock is taken is being bound or unbound at this moment.
	 */
	if (!device_trylock(dev)) {
		dev_warn_ratelimited(dev, "iommufd: the driver of this device, in group %d, is changing\n",
				     iommu_group_id(igroup->group));
		return 0;
	}
	if (dev->driver && !manages_no_dma(dev))
		dev_warn_ratelimited(dev,
				     "iommufd: driver %s uses this device, which keeps group %d from being owned by user space; unbind it or bind it to vfio-pci\n",
				     dev->driver->name, iommu_group_id(igroup->group));
	device_unlock(dev);
	return 0;
}

static void report_claim_failure(struct iommufd_group *igroup, struct device *dev, int err)
{
	dev_warn_ratelimited(dev, "iommufd: group %d is in use, bind refused (%d)\n",
			     iommu_group_id(igroup->group), err);
	iommu_group_for_each_dev(igroup->group, igroup, report_member);
}

static int check_msi_isolation(struct iommufd_group *igroup, struct device *dev)
{
	if (iommu_group_has_isolated_msi(igroup->group))
		return 0;
	if (!allow_unsafe_interrupts) {
		dev_warn_ratelimited(dev,
				     "iommufd: interrupts are not remapped here, so the device could send any of them; iommufd.allow_unsafe_interrupts=1 accepts that\n");
		return -EPERM;
	}
	dev_warn_ratelimited(dev, "iommufd: to be bound without isolated interrupts\n");
	return 0;
}

/**
 * iommufd_device_claim - Bind a device, whatever may be wrong with it
 * @igroup: group of @dev in the context. The device keeps the reference
 * @dev: as for iommufd_device_bind()
 * @id: as for iommufd_device_bind()
 *
 * The caller sees to it that the context outlives the device.
 *
 * Context: Process context, may sleep.
 * Return: the device object; ERR_PTR(-EPERM): somebody else owns the group;
 * ERR_PTR(-EBUSY): the core has the group otherwise in use; ERR_PTR(-ENOMEM).
 */
struct iommufd_device *iommufd_device_claim(struct iommufd_group *igroup,
					    struct device *dev, u32 *id)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_bind_enabled());
	struct iommufd_ctx *ictx = igroup->ictx;
	int ret;

	struct iommufd_device *idev __free(iommufd_object_discard) =
		iommufd_object_new(ictx, &iommufd_device_class, struct iommufd_device);
	if (IS_ERR(idev))
		return_ptr(idev);
	ret = iommu_device_claim_dma_owner(dev, ictx);
	trace_iommufd_bind(ictx, dev, igroup->group, ret ? 0 : idev->obj.id, ret,
			   iommufd_trace_ns(begin));
	if (ret) {
		report_claim_failure(igroup, dev, ret);
		return ERR_PTR(ret);
	}

	iommufd_group_count_owned(igroup, 1);
	idev->dev = dev;
	idev->igroup = igroup;
	idev->enforce_cc = device_iommu_capable(dev, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	iommufd_iova_reservation_init(&idev->reserved);
	iommufd_iova_reservation_init(&idev->next_reserved);
	idev->reserved.owner = &idev->obj;
	idev->next_reserved.owner = &idev->obj;
	WARN_ON(iommufd_object_use(&idev->obj));
	*id = idev->obj.id;
	iommufd_object_publish(&idev->obj);
	return_ptr(idev);
}

/**
 * iommufd_device_release - Undo iommufd_device_claim()
 * @idev: detached device, not to be used afterwards
 *
 * Context: Process context, may sleep.
 */
void iommufd_device_release(struct iommufd_device *idev)
{
	WARN_ON(!iommufd_object_unuse_and_retire(&idev->obj));
}

/**
 * iommufd_device_bind - Make a context the owner of a device
 * @ictx: the context
 * @dev: device whose bound driver is the caller and does no DMA of its own
 * @id: set to the id under which user space sees the device
 *
 * Afterwards all DMA of the device's group is blocked until something is attached.
 *
 * Context: Process context, may sleep.
 * Return: the device object; ERR_PTR(-EINVAL): its DMA is not cache coherent;
 * ERR_PTR(-ENODEV): no IOMMU; ERR_PTR(-EPERM): interrupts are not isolated, or somebody
 * else owns the group; ERR_PTR(-EBUSY): the core has the group otherwise in use, or the
 * device is bound already; ERR_PTR(-ENOMEM).
 */
struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev,
					   u32 *id)
{
	struct iommufd_device *idev;
	int ret;

	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY))
		return ERR_PTR(-EINVAL);

	struct iommufd_group *igroup __free(iommufd_group_put) =
		iommufd_group_get(ictx, dev);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);
	ret = check_msi_isolation(igroup, dev);
	if (ret)
		return ERR_PTR(ret);

	idev = iommufd_device_claim(igroup, dev, id);
	if (IS_ERR(idev))
		return idev;
	ret = iommufd_device_memory_add(ictx, dev);
	if (ret) {
		retain_and_null_ptr(igroup);
		iommufd_device_release(idev);
		return ERR_PTR(ret);
	}
	retain_and_null_ptr(igroup);
	iommufd_ctx_get(ictx);
	return idev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_bind, IOMMUFD);

/**
 * iommufd_device_unbind - Give a device back
 * @idev: detached device, not to be used afterwards
 *
 * When the last device of the group goes, the core restores the group's own domain.
 *
 * Context: Process context, may sleep.
 */
void iommufd_device_unbind(struct iommufd_device *idev)
{
	struct iommufd_ctx *ictx = idev->obj.ictx;

	iommufd_device_memory_remove(idev->dev);
	iommufd_device_release(idev);
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_unbind, IOMMUFD);

/**
 * iommufd_device_to_ictx - The context a device is bound to
 * @idev: the device
 *
 * Return: the context, without a reference.
 */
struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev)
{
	return idev->obj.ictx;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_ictx, IOMMUFD);

/**
 * iommufd_device_to_id - The id of a device
 * @idev: the device
 *
 * Return: its id in its context.
 */
u32 iommufd_device_to_id(struct iommufd_device *idev)
{
	return idev->obj.id;
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_to_id, IOMMUFD);

static void pasid_info(struct device *dev, struct iommu_hw_info *arg)
{
	int status;

	arg->out_max_pasid_log2 = dev->iommu->max_pasids ? ilog2(dev->iommu->max_pasids) : 0;
	if (!arg->out_max_pasid_log2 || !dev_is_pci(dev))
		return;

	status = pci_pasid_status(to_pci_dev(dev));
	if (status < 0)
		return;
	if (status & PCI_PASID_CAP_EXEC)
		arg->out_capabilities |= IOMMU_HW_CAP_PCI_PASID_EXEC;
	if (status & PCI_PASID_CAP_PRIV)
		arg->out_capabilities |= IOMMU_HW_CAP_PCI_PASID_PRIV;
}

/* The driver's own structure, or NULL with length 0. */
static void *driver_info(struct device *dev, u32 want, u32 *length, u32 *type)
{
	const struct iommu_ops *ops = iommufd_core_ops(dev);
	void *data = NULL;

	*length = 0;
	*type = IOMMU_HW_INFO_TYPE_NONE;
	if (ops->hw_info) {
		/* Drivers that can tell more than one thing read what is wanted here. */
		*type = want;
		data = ops->hw_info(dev, length, type);
		if (IS_ERR(data))
			return data;
	}
	if (want != IOMMU_HW_INFO_TYPE_DEFAULT && want != *type) {
		kfree(data);
		return ERR_PTR(-EOPNOTSUPP);
	}
	return data;
}

/* Fill in the reply but for its data, which the caller frees. */
static void *collect_info(struct iommufd_cmd *cmd, struct iommu_hw_info *arg, u32 *length)
{
	u32 want = arg->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE ? arg->in_data_type :
								IOMMU_HW_INFO_TYPE_DEFAULT;
	void *data;
	u32 type;

	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->dev_id);
	if (IS_ERR(idev))
		return idev;
	data = driver_info(idev->dev, want, length, &type);
	if (IS_ERR(data))
		return data;

	arg->out_data_type = type;
	arg->out_max_pasid_log2 = 0;
	arg->out_capabilities = iommufd_dirty_offered(idev->dev) ?
				IOMMU_HW_CAP_DIRTY_TRACKING : 0;
	pasid_info(idev->dev, arg);
	return data;
}

/**
 * iommufd_device_hw_info - IOMMU_GET_HW_INFO
 * @cmd: struct iommu_hw_info
 *
 * The device may be unbound while user memory is written to.
 *
 * Return: 0; -ENOENT; -EFAULT; -EOPNOTSUPP: the device has no information of the wanted
 * type; errors of the driver.
 */
int iommufd_device_hw_info(struct iommufd_cmd *cmd)
{
	struct iommu_hw_info *arg = cmd->arg;
	void __user *uptr = u64_to_user_ptr(arg->data_uptr);
	u32 length, copied;

	void *data __free(kfree) = collect_info(cmd, arg, &length);
	if (IS_ERR(data))
		return PTR_ERR(no_free_ptr(data));

	copied = min(length, arg->data_len);
	if (copy_to_user(uptr, data, copied) ||
	    clear_user(uptr + copied, arg->data_len - copied))
		return -EFAULT;
	arg->data_len = length;
	return 0;
}
