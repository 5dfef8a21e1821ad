// SPDX-License-Identifier: GPL-2.0
/*
 * What all page tables share: the command that makes them, and their users.
 */
#include <linux/iommu.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "hwpt.h"
#include "ioctl.h"

/**
 * iommufd_hwpt_unuse - End uses of a page table
 * @hwpt: may be freed when this returns
 * @uses: how many, at least 1
 *
 * An automatic page table goes with the last use, which happens here and nowhere else.
 *
 * Context: Process context, may sleep. The caller holds no lock.
 */
void iommufd_hwpt_unuse(struct iommufd_hwpt *hwpt, unsigned int uses)
{
	while (--uses)
		iommufd_object_unuse(&hwpt->obj);
	if (hwpt->automatic)
		iommufd_object_unuse_and_retire(&hwpt->obj);
	else
		iommufd_object_unuse(&hwpt->obj);
}

static int alloc_on_ioas(struct iommufd_cmd *cmd, struct iommufd_device *idev,
			 struct iommufd_ioas *ioas)
{
	struct iommu_hwpt_alloc *arg = cmd->arg;
	struct iommufd_hwpt *hwpt;

	/* No driver of 6.12 takes data for a paging domain. */
	if (arg->data_type != IOMMU_HWPT_DATA_NONE)
		return -EOPNOTSUPP;

	guard(mutex)(&ioas->mutex);
	hwpt = iommufd_hwpt_paging_new(ioas, idev, arg->flags, false);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	arg->out_hwpt_id = hwpt->obj.id;
	cmd->new_obj = &hwpt->obj;
	return 0;
}

/**
 * iommufd_hwpt_alloc - IOMMU_HWPT_ALLOC
 * @cmd: struct iommu_hwpt_alloc
 *
 * Return: 0; -EOPNOTSUPP: reserved field, flag or kind of table that neither we nor the
 * driver know; -EINVAL: data without type or the reverse, no such parent or not one
 * that can be; -ENOENT: no such device; errors of iommufd_mapping_add_mirror().
 */
int iommufd_hwpt_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_alloc *arg = cmd->arg;

	if (arg->__reserved2)
		return -EOPNOTSUPP;
	if (!arg->data_type != !arg->data_len)
		return -EINVAL;

	struct iommufd_device *idev __free(iommufd_device_put) =
		iommufd_device_get(cmd->ictx, arg->dev_id);
	if (IS_ERR(idev))
		return PTR_ERR(idev);
	struct iommufd_object *parent __free(iommufd_object_put) =
		iommufd_object_get(cmd->ictx, arg->pt_id, NULL);
	if (IS_ERR(parent))
		return -EINVAL;

	if (parent->class == &iommufd_ioas_class)
		return alloc_on_ioas(cmd, idev, iommufd_ioas_from_obj(parent));
	/* Nested page tables: no driver data of any type is known yet. */
	if (parent->class == &iommufd_hwpt_paging_class)
		return -EOPNOTSUPP;
	return -EINVAL;
}
