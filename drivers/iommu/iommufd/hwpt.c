// SPDX-License-Identifier: GPL-2.0
/*
 * What all page tables share: the commands on them, and their users.
 */
#include <linux/iommu.h>
#include <linux/seq_file.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "fault.h"
#include "hwpt.h"
#include "ioctl.h"
#include "viommu.h"

/* More requests than that are a mistake; each takes a while. */
#define MAX_INVALIDATE_REQUESTS BIT(19)

/* Attaching tries page tables under ioas->mutex; here none of its tries is seen. */
static bool unuse_automatic(struct iommufd_hwpt *hwpt)
{
	struct iommufd_ioas *ioas = hwpt->ioas;
	bool claimed;

	/* Whoever ends the last use may take the IOAS with it. */
	iommufd_object_get_used(&ioas->obj);
	scoped_guard(mutex, &ioas->mutex)
		claimed = iommufd_object_unuse_and_claim(&hwpt->obj);
	iommufd_object_put(&ioas->obj);
	return claimed;
}

/**
 * iommufd_hwpt_unuse - End uses of a page table
 * @hwpt: may be freed when this returns
 * @uses: how many, at least 1
 *
 * An automatic page table goes with the last use, which happens here and nowhere else.
 *
 * Context: Process context, may sleep. Takes ioas->mutex; the caller holds no lock.
 */
void iommufd_hwpt_unuse(struct iommufd_hwpt *hwpt, unsigned int uses)
{
	while (--uses)
		iommufd_object_unuse(&hwpt->obj);
	if (!hwpt->automatic)
		iommufd_object_unuse(&hwpt->obj);
	else if (unuse_automatic(hwpt))
		iommufd_object_free_claimed(&hwpt->obj);
}

/**
 * iommufd_hwpt_show - What a page table leads to, for fdinfo
 * @obj: page table of either class
 * @m: where to
 *
 * Context: Any.
 */
void iommufd_hwpt_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_hwpt *hwpt = iommufd_hwpt_from_obj(obj);

	seq_printf(m, " ioas=%u", hwpt->paging->ioas->obj.id);
	if (hwpt->paging != hwpt)
		seq_printf(m, " parent=%u", hwpt->paging->obj.id);
	if (hwpt->fault)
		seq_printf(m, " fault-queue=%u", hwpt->fault->eventq.obj.id);
	if (hwpt->automatic)
		seq_puts(m, " automatic");
}

static struct iommufd_hwpt *make_hwpt(struct iommufd_device *idev,
				      struct iommufd_object *parent, u32 flags,
				      const struct iommu_user_data *data)
{
	if (parent->class == &iommufd_ioas_class) {
		struct iommufd_ioas *ioas = iommufd_ioas_from_obj(parent);

		guard(mutex)(&ioas->mutex);
		return iommufd_hwpt_paging_new(ioas, idev, flags, data, false);
	}
	if (parent->class == &iommufd_hwpt_paging_class)
		return iommufd_hwpt_nested_new(iommufd_hwpt_from_obj(parent), idev, flags,
					       data);
	if (parent->class == &iommufd_viommu_class)
		return iommufd_hwpt_nested_new_viommu(iommufd_viommu_from_obj(parent), idev,
						      flags, data);
	return ERR_PTR(-EINVAL);
}

/**
 * iommufd_hwpt_alloc - IOMMU_HWPT_ALLOC
 * @cmd: struct iommu_hwpt_alloc
 *
 * Return: 0; -EOPNOTSUPP: reserved field, flag or kind of table that neither we nor the
 * driver know; -EINVAL: data without type or the reverse, no such parent or not one
 * that can be; -ENOENT: no such device or fault queue; errors of
 * iommufd_mirror_join() and of the driver.
 */
int iommufd_hwpt_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_alloc *arg = cmd->arg;
	struct iommu_user_data data = {
		.type = arg->data_type,
		.uptr = u64_to_user_ptr(arg->data_uptr),
		.len = arg->data_len,
	};
	struct iommufd_hwpt *hwpt;
	int ret;

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

	hwpt = make_hwpt(idev, parent, arg->flags, data.len ? &data : NULL);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (arg->flags & IOMMU_HWPT_FAULT_ID_VALID) {
		ret = iommufd_fault_set(hwpt, arg->fault_id);
		if (ret) {
			iommufd_object_abort(&hwpt->obj);
			return ret;
		}
	}
	arg->out_hwpt_id = hwpt->obj.id;
	cmd->new_obj = &hwpt->obj;
	return 0;
}

static int check_requests(const struct iommu_hwpt_invalidate *arg)
{
	if (arg->__reserved)
		return -EOPNOTSUPP;
	if (!arg->entry_num)
		return 0;
	if (!arg->data_uptr || !arg->entry_len || arg->entry_len > PAGE_SIZE ||
	    arg->entry_num > MAX_INVALIDATE_REQUESTS)
		return -EINVAL;
	return 0;
}

static int invalidate(struct iommufd_object *obj, struct iommu_user_data_array *requests)
{
	int ret = -EINVAL;

	if (obj->class == &iommufd_hwpt_nested_class) {
		struct iommu_domain *domain = iommufd_hwpt_from_obj(obj)->domain;

		if (domain->ops->cache_invalidate_user)
			return domain->ops->cache_invalidate_user(domain, requests);
		ret = -EOPNOTSUPP;
	} else if (obj->class == &iommufd_viommu_class) {
		struct iommufd_viommu *viommu = iommufd_viommu_from_obj(obj);

		if (viommu->ops->cache_invalidate)
			return viommu->ops->cache_invalidate(viommu, requests);
		ret = -EOPNOTSUPP;
	}
	requests->entry_num = 0;
	return ret;
}

/**
 * iommufd_hwpt_invalidate - IOMMU_HWPT_INVALIDATE
 * @cmd: struct iommu_hwpt_invalidate
 *
 * The number of requests that were carried out is written back in any case.
 *
 * Return: 0; -EOPNOTSUPP: reserved field, or the driver takes none there; -EINVAL: no
 * requests, too many or too large ones, or neither a nested page table nor a vIOMMU;
 * -ENOENT: no such object; errors of the driver.
 */
int iommufd_hwpt_invalidate(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_invalidate *arg = cmd->arg;
	struct iommu_user_data_array requests = {
		.type = arg->data_type,
		.uptr = u64_to_user_ptr(arg->data_uptr),
		.entry_len = arg->entry_len,
		.entry_num = arg->entry_num,
	};
	int ret;

	ret = check_requests(arg);
	cmd->reply_on_error = true;
	arg->entry_num = 0;
	if (ret)
		return ret;

	struct iommufd_object *obj __free(iommufd_object_put) =
		iommufd_object_get(cmd->ictx, arg->hwpt_id, NULL);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = invalidate(obj, &requests);
	arg->entry_num = requests.entry_num;
	return ret;
}
