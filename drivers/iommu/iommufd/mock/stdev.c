// SPDX-License-Identifier: GPL-2.0
/*
 * Mock devices that are bound to a context and attached.
 *
 * What VFIO does for a device, this does for a mock device in one step. It is the driver
 * of the device, and an object of the context, which therefore outlives it.
 */
#include <linux/iommu.h>
#include <linux/module.h>

#include "../device.h"
#include "../group.h"
#include "../ioctl.h"
#include "dev.h"
#include "fault.h"
#include "stdev.h"

/**
 * mock_stdev_detach - Detach a device, if it is attached
 * @stdev: the device, not its PASIDs
 *
 * Context: Process context, may sleep. The caller holds stdev->mutex, or is the only one
 * left. Takes mdev->switching for write.
 */
void mock_stdev_detach(struct mock_stdev *stdev)
{
	guard(rwsem_write)(&stdev->mdev->switching);
	if (stdev->attached)
		iommufd_device_detach(stdev->idev);
	stdev->attached = false;
}

/* PASIDs are left to who unbinds it, and are there still if it was not attached itself. */
static void stdev_destroy(struct iommufd_object *obj)
{
	struct mock_stdev *stdev = container_of(obj, struct mock_stdev, obj);

	mock_stdev_detach(stdev);
	iommufd_device_release(stdev->idev);
	mock_dev_destroy(stdev->mdev);
	mutex_destroy(&stdev->mutex);
}

static const struct iommufd_object_class stdev_class = {
	.name = "mock device",
	.owner = THIS_MODULE,
	.destroy = stdev_destroy,
};

DEFINE_FREE(mock_dev_destroy, struct mock_dev *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : mock_dev_destroy(_T))

static struct iommufd_device *bind(struct iommufd_ctx *ictx, struct mock_dev *mdev, u32 *id)
{
	struct device *dev = &mdev->pdev.dev;
	struct iommufd_device *idev;

	struct iommufd_group *igroup __free(iommufd_group_put) =
		iommufd_group_get(ictx, dev);
	if (IS_ERR(igroup))
		return ERR_CAST(igroup);
	idev = iommufd_device_claim(igroup, dev, id);
	if (!IS_ERR(idev))
		retain_and_null_ptr(igroup);
	return idev;
}

static int bind_and_attach(struct mock_stdev *stdev, struct mock_dev *mdev, u32 *pt_id,
			   u32 *idev_id)
{
	int ret;

	stdev->idev = bind(stdev->obj.ictx, mdev, idev_id);
	if (IS_ERR(stdev->idev))
		return PTR_ERR(stdev->idev);
	ret = iommufd_device_attach(stdev->idev, pt_id);
	if (ret)
		iommufd_device_release(stdev->idev);
	stdev->attached = !ret;
	return ret;
}

static int create(struct iommufd_cmd *cmd, u32 flags, struct mock_dev *peer)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u32 pt_id = arg->id, idev_id;
	int ret;

	struct mock_stdev *stdev __free(iommufd_object_discard) =
		iommufd_object_new(cmd->ictx, &stdev_class, struct mock_stdev);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	mutex_init(&stdev->mutex);
	struct mock_dev *mdev __free(mock_dev_destroy) = mock_dev_create(flags, peer);
	if (IS_ERR(mdev))
		return PTR_ERR(mdev);
	ret = bind_and_attach(stdev, mdev, &pt_id, &idev_id);
	if (ret)
		return ret;

	arg->mock_domain.out_stdev_id = stdev->obj.id;
	arg->mock_domain.out_hwpt_id = pt_id;
	arg->mock_domain.out_idev_id = idev_id;
	stdev->mdev = no_free_ptr(mdev);
	cmd->new_obj = &no_free_ptr(stdev)->obj;
	return 0;
}

/**
 * mock_stdev_get - Look a bound mock device up for the length of a system call
 * @ictx: the context
 * @id: its id
 *
 * Return: the device or ERR_PTR(-ENOENT).
 */
struct mock_stdev *mock_stdev_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, id, &stdev_class);

	return IS_ERR(obj) ? ERR_CAST(obj) : container_of(obj, struct mock_stdev, obj);
}

/**
 * mock_stdev_create - IOMMU_TEST_OP_MOCK_DOMAIN
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOMEM; errors of iommufd_device_claim() and iommufd_device_attach().
 */
int mock_stdev_create(struct iommufd_cmd *cmd)
{
	return create(cmd, 0, NULL);
}

/**
 * mock_stdev_create_flags - IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EINVAL: unknown flags; -ENOENT: no device whose group it could be in;
 * otherwise as mock_stdev_create().
 */
int mock_stdev_create_flags(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u32 flags = arg->mock_domain_flags.dev_flags;

	if (flags & ~(MOCK_FLAGS_DEVICE_NO_DIRTY | MOCK_FLAGS_DEVICE_HUGE_IOVA |
		      MOCK_FLAGS_DEVICE_PASID | MOCK_FLAGS_DEVICE_IN_GROUP |
		      MOCK_FLAGS_DEVICE_RESERVED | MOCK_FLAGS_DEVICE_RESERVED_NEXT))
		return -EINVAL;
	if (!(flags & MOCK_FLAGS_DEVICE_IN_GROUP))
		return create(cmd, flags, NULL);

	struct mock_stdev *peer __free(mock_stdev_put) =
		mock_stdev_get(cmd->ictx, arg->mock_domain_flags.group_of);
	return IS_ERR(peer) ? PTR_ERR(peer) : create(cmd, flags, peer->mdev);
}

/**
 * mock_stdev_replace - IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device; errors of iommufd_device_replace().
 */
int mock_stdev_replace(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct mock_stdev *stdev __free(mock_stdev_put) = mock_stdev_get(cmd->ictx, arg->id);

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	guard(mutex)(&stdev->mutex);
	guard(rwsem_write)(&stdev->mdev->switching);
	return iommufd_device_replace(stdev->idev, &arg->mock_domain_replace.pt_id);
}

/**
 * mock_stdev_fault - IOMMU_TEST_OP_TRIGGER_IOPF, IOMMU_TEST_OP_TRIGGER_PARTIAL_IOPF
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device; -EINVAL: not one of ours, or not attached to what
 * takes faults; -ENOMEM. What becomes of the fault is between the core and the fault queue.
 */
int mock_stdev_fault(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iopf_fault event = {
		.fault.type = IOMMU_FAULT_PAGE_REQ,
		.fault.prm = {
			.pasid = arg->trigger_iopf.pasid,
			.grpid = arg->trigger_iopf.grpid,
			.perm = arg->trigger_iopf.perm,
			.addr = arg->trigger_iopf.addr,
		},
	};

	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->trigger_iopf.dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (!mock_dev_is(idev->dev))
		return -EINVAL;

	if (arg->op != IOMMU_TEST_OP_TRIGGER_PARTIAL_IOPF)
		event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
	if (arg->trigger_iopf.pasid)
		event.fault.prm.flags |= IOMMU_FAULT_PAGE_REQUEST_PASID_VALID;
	return mock_fault_report(mock_dev_from(idev->dev), &event);
}

/**
 * mock_stdev_event - IOMMU_TEST_OP_TRIGGER_VEVENT
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EINVAL: not a device of ours; -ENOENT: no such device, or no guest has it;
 * errors of iommufd_viommu_report_event().
 */
int mock_stdev_event(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->trigger_vevent.dev_id);

	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (!mock_dev_is(idev->dev))
		return -EINVAL;
	return mock_dev_event(mock_dev_from(idev->dev));
}

/**
 * mock_stdev_check_cache - IOMMU_TEST_OP_DEV_CHECK_CACHE
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device; -EINVAL: not one of ours, another value, or no
 * such entry.
 */
int mock_stdev_check_cache(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->id);

	if (IS_ERR(idev))
		return PTR_ERR(idev);
	if (!mock_dev_is(idev->dev) ||
	    !mock_dev_cache_is(mock_dev_from(idev->dev), arg->check_dev_cache.id,
			       arg->check_dev_cache.cache))
		return -EINVAL;
	return 0;
}
