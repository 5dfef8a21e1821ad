// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs of mock devices: the commands, which go through iommufd as a driver's would, and
 * a look at what then arrived in the device.
 */
#include <linux/iommu.h>
#include <linux/iommufd.h>

#include "../device.h"
#include "../hwpt.h"
#include "../ioctl.h"
#include "dev.h"
#include "pasid.h"
#include "stdev.h"

/**
 * mock_pasid_attach - IOMMU_TEST_OP_PASID_ATTACH
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device; errors of iommufd_device_attach_pasid().
 */
int mock_pasid_attach(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u32 pasid = arg->pasid_attach.pasid;
	int ret;

	struct mock_stdev *stdev __free(mock_stdev_put) = mock_stdev_get(cmd->ictx, arg->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	guard(mutex)(&stdev->mutex);
	ret = iommufd_device_attach_pasid(stdev->idev, pasid, &arg->pasid_attach.pt_id);
	if (!ret && pasid == IOMMU_NO_PASID)
		stdev->attached = true;
	return ret;
}

/**
 * mock_pasid_replace - IOMMU_TEST_OP_PASID_REPLACE
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device; errors of iommufd_device_replace_pasid().
 */
int mock_pasid_replace(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct mock_stdev *stdev __free(mock_stdev_put) = mock_stdev_get(cmd->ictx, arg->id);

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	guard(mutex)(&stdev->mutex);
	guard(rwsem_write)(&stdev->mdev->switching);
	return iommufd_device_replace_pasid(stdev->idev, arg->pasid_replace.pasid,
					    &arg->pasid_replace.pt_id);
}

/**
 * mock_pasid_detach - IOMMU_TEST_OP_PASID_DETACH
 * @cmd: struct iommu_test_cmd; PASID 0 is the device itself
 *
 * Return: 0; -ENOENT: no such device.
 */
int mock_pasid_detach(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct mock_stdev *stdev __free(mock_stdev_put) = mock_stdev_get(cmd->ictx, arg->id);

	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	guard(mutex)(&stdev->mutex);
	if (arg->pasid_detach.pasid == IOMMU_NO_PASID) {
		mock_stdev_detach(stdev);
		return 0;
	}
	guard(rwsem_write)(&stdev->mdev->switching);
	iommufd_device_detach_pasid(stdev->idev, arg->pasid_detach.pasid);
	return 0;
}

static struct iommufd_hwpt *get_hwpt(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_get(ictx, id, &iommufd_hwpt_paging_class);

	return IS_ERR(hwpt) ? iommufd_hwpt_get(ictx, id, &iommufd_hwpt_nested_class) : hwpt;
}

/**
 * mock_pasid_check - IOMMU_TEST_OP_PASID_CHECK_HWPT
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such device or page table; -EINVAL: the PASID uses another one.
 */
int mock_pasid_check(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iommu_domain *domain;

	struct mock_stdev *stdev __free(mock_stdev_put) = mock_stdev_get(cmd->ictx, arg->id);
	if (IS_ERR(stdev))
		return PTR_ERR(stdev);
	domain = mock_dev_pasid_domain(stdev->mdev, arg->pasid_check.pasid);
	if (!arg->pasid_check.hwpt_id)
		return domain ? -EINVAL : 0;

	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		get_hwpt(cmd->ictx, arg->pasid_check.hwpt_id);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	return hwpt->domain == domain ? 0 : -EINVAL;
}
