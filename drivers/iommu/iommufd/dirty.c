// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking of a paging HWPT.
 *
 * The IOMMU marks the IOPTEs that devices write through. Reading collects these marks
 * into a bitmap of the caller, and clears them unless it is told not to. A mark may be
 * reported twice, never lost: what was cleared is in the bitmap, whatever error ends
 * the walk, and every error is returned.
 *
 * Locks: ioas->domains_rwsem and ioas->iova_rwsem for read, so that areas neither come
 * nor go; the bitmap of the caller is pinned under them.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "dirty.h"
#include "hwpt.h"
#include "ioctl.h"

/**
 * iommufd_dirty_offered - Can the IOMMU of a device track?
 * @dev: the device
 *
 * Return: true when page tables with dirty tracking can be made for it.
 */
bool iommufd_dirty_offered(struct device *dev)
{
	return device_iommu_capable(dev, IOMMU_CAP_DIRTY_TRACKING);
}

/* Forget all marks, so that tracking begins with clean memory. */
static int clear_all(struct iommufd_hwpt *hwpt)
{
	const struct iommu_dirty_ops *ops = hwpt->domain->dirty_ops;
	struct iommu_iotlb_gather gather;
	struct iommu_dirty_bitmap dirty;
	struct iommufd_area *area;
	int ret = 0;

	iommu_dirty_bitmap_init(&dirty, NULL, &gather);
	guard(rwsem_read)(&hwpt->ioas->iova_rwsem);
	iommufd_area_for_each(area, hwpt->ioas, 0, ULONG_MAX) {
		/* Others are being put into the page table or taken out, tables included. */
		if (area->state != IOMMUFD_AREA_MAPPED)
			continue;
		ret = ops->read_and_clear_dirty(hwpt->domain, area->span.start,
						iommufd_area_length(area), 0, &dirty);
		if (ret)
			break;
	}
	iommu_iotlb_sync(hwpt->domain, &gather);
	return ret;
}

/**
 * iommufd_dirty_set - IOMMU_HWPT_SET_DIRTY_TRACKING
 * @cmd: struct iommu_hwpt_set_dirty_tracking
 *
 * Return: 0; -EOPNOTSUPP: not made for dirty tracking; -ENOENT: no such paging HWPT;
 * errors of the driver.
 */
int iommufd_dirty_set(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_set_dirty_tracking *arg = cmd->arg;
	bool enable = arg->flags & IOMMU_HWPT_DIRTY_TRACKING_ENABLE;
	int ret;

	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		iommufd_hwpt_get(cmd->ictx, arg->hwpt_id, &iommufd_hwpt_paging_class);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (!hwpt->domain->dirty_ops)
		return -EOPNOTSUPP;

	guard(rwsem_read)(&hwpt->ioas->domains_rwsem);
	if (enable) {
		ret = clear_all(hwpt);
		if (ret)
			return ret;
	}
	return hwpt->domain->dirty_ops->set_dirty_tracking(hwpt->domain, enable);
}

struct walk {
	struct iommufd_hwpt *hwpt;
	struct iommu_dirty_bitmap *dirty;
	unsigned long flags;
};

/* Collect the marks of one window of the bitmap; all of it must be mapped. */
static int read_window(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
		       void *opaque)
{
	struct walk *walk = opaque;
	struct iommu_domain *domain = walk->hwpt->domain;
	struct iommufd_ioas *ioas = walk->hwpt->ioas;
	unsigned long last = iova + length - 1;
	struct iommufd_area *area;
	int ret;

	if (!iommufd_area_covers(ioas, iova, last))
		return -EINVAL;

	iommufd_area_for_each(area, ioas, iova, last) {
		unsigned long from = max(area->span.start, iova);
		unsigned long to = min(area->span.last, last);

		if (area->state != IOMMUFD_AREA_MAPPED)
			return -EINVAL;
		ret = domain->dirty_ops->read_and_clear_dirty(domain, from, to - from + 1,
							      walk->flags, walk->dirty);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_dirty(struct iommufd_hwpt *hwpt, struct iova_bitmap *bitmap,
		      unsigned long flags)
{
	struct iommu_iotlb_gather gather;
	struct iommu_dirty_bitmap dirty;
	struct walk walk = { .hwpt = hwpt, .dirty = &dirty, .flags = flags };
	int ret;

	lockdep_assert_held(&hwpt->ioas->iova_rwsem);
	iommu_dirty_bitmap_init(&dirty, bitmap, &gather);
	ret = iova_bitmap_for_each(bitmap, &walk, read_window);
	/* Entries that lost their mark must not stay cached with it. */
	if (!(flags & IOMMU_DIRTY_NO_CLEAR))
		iommu_iotlb_sync(hwpt->domain, &gather);
	return ret;
}

static int check_get(const struct iommu_hwpt_get_dirty_bitmap *arg, unsigned long alignment)
{
	unsigned long last;

	if (!arg->length)
		return -EINVAL;
	if (arg->iova >= ULONG_MAX || arg->length >= ULONG_MAX ||
	    check_add_overflow((unsigned long)arg->iova, (unsigned long)arg->length - 1,
			       &last))
		return -EOVERFLOW;
	if (!is_power_of_2(arg->page_size) || arg->page_size > ULONG_MAX)
		return -EINVAL;
	if ((arg->iova | arg->length) & (max_t(u64, alignment, arg->page_size) - 1))
		return -EINVAL;
	return 0;
}

/**
 * iommufd_dirty_get - IOMMU_HWPT_GET_DIRTY_BITMAP
 * @cmd: struct iommu_hwpt_get_dirty_bitmap
 *
 * Return: 0; -EOPNOTSUPP: flags, reserved field, or not made for dirty tracking;
 * -ENOENT: no such paging HWPT; -EINVAL: length 0, page size no power of two, something
 * misaligned, part of the range is not mapped, or tracking is off; -EOVERFLOW; -ENOMEM;
 * -EFAULT: the bitmap can not be written.
 */
int iommufd_dirty_get(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_get_dirty_bitmap *arg = cmd->arg;
	struct iova_bitmap *bitmap;
	int ret;

	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		iommufd_hwpt_get(cmd->ictx, arg->hwpt_id, &iommufd_hwpt_paging_class);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	guard(rwsem_read)(&hwpt->ioas->domains_rwsem);
	guard(rwsem_read)(&hwpt->ioas->iova_rwsem);
	ret = check_get(arg, hwpt->ioas->iova.alignment);
	if (ret)
		return ret;
	if (!hwpt->domain->dirty_ops)
		return -EOPNOTSUPP;

	bitmap = iova_bitmap_alloc(arg->iova, arg->length, arg->page_size,
				   u64_to_user_ptr(arg->data));
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	ret = read_dirty(hwpt, bitmap, arg->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR ?
						IOMMU_DIRTY_NO_CLEAR : 0);
	iova_bitmap_free(bitmap);
	return ret;
}
