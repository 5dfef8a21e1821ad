// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking of a paging HWPT.
 *
 * The IOMMU marks the IOPTEs that devices write through. Reading collects these marks
 * into a bitmap of the caller, and clears them unless it is told not to. A mark may be
 * reported twice, never lost: what was cleared is in the bitmap, whatever error ends
 * the walk, and every error is returned. A mark stands for all of an IOPTE, so where one
 * may stick out of what is asked for it is read, and stays.
 *
 * Locks: ioas->domains_rwsem and ioas->iova_rwsem for read, so that areas neither come
 * nor go; the bitmap of the caller is pinned under them.
 */
#include <linux/iommu.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "device_memory.h"
#include "dirty.h"
#include "domain_map.h"
#include "extent.h"
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

/*
 * Let the driver collect the marks of [@from, @last], in which everything is mapped, in
 * steps that cut no IOPTE.
 */
static int read_marks(struct iommu_domain *domain, unsigned long from, unsigned long last,
		      unsigned long flags, struct iommu_dirty_bitmap *dirty)
{
	for (;;) {
		unsigned long step_last = min(from | (IOMMUFD_DOMAIN_STEP - 1), last);
		int ret = domain->dirty_ops->read_and_clear_dirty(domain, from,
								  step_last - from + 1,
								  flags, dirty);

		if (ret || step_last == last)
			return ret;
		from = step_last + 1;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
}

/* Forget all marks, so that tracking begins with clean memory. */
static int clear_all(struct iommufd_ioas *ioas, struct iommu_domain *domain)
{
	struct iommu_iotlb_gather gather;
	struct iommu_dirty_bitmap dirty;
	struct iommufd_area *area;
	int ret = 0;

	iommu_dirty_bitmap_init(&dirty, NULL, &gather);
	guard(rwsem_read)(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		/* Others are being put into the page table or taken out, tables included. */
		if (area->state != IOMMUFD_AREA_MAPPED || iommufd_pages_of_device(area->pages))
			continue;
		ret = read_marks(domain, area->span.start, area->span.last, 0, &dirty);
		if (ret)
			break;
		cond_resched();
	}
	iommu_iotlb_sync(domain, &gather);
	return ret;
}

/**
 * iommufd_dirty_track - Turn tracking on or off
 * @ioas: what @domain mirrors
 * @domain: the domain
 * @enable: on, which forgets earlier marks
 *
 * Context: Process context, may sleep. Holds ioas->domains_rwsem.
 * Return: 0; -EOPNOTSUPP: not made for dirty tracking; -EINTR: a fatal signal came; errors
 * of the driver.
 */
int iommufd_dirty_track(struct iommufd_ioas *ioas, struct iommu_domain *domain, bool enable)
{
	int ret;

	lockdep_assert_held(&ioas->domains_rwsem);
	if (!domain->dirty_ops)
		return -EOPNOTSUPP;
	if (enable) {
		ret = clear_all(ioas, domain);
		if (ret)
			return ret;
	}
	return domain->dirty_ops->set_dirty_tracking(domain, enable);
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

	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		iommufd_hwpt_get(cmd->ictx, arg->hwpt_id, &iommufd_hwpt_paging_class);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	guard(rwsem_read)(&hwpt->ioas->domains_rwsem);
	return iommufd_dirty_track(hwpt->ioas, hwpt->domain, enable);
}

/*
 * @whole: the range must be mapped without a hole. Otherwise areas that are being mapped
 * or unmapped count as written to.
 * @leaving: only these areas, which the caller is unmapping, or NULL
 */
struct walk {
	struct iommufd_ioas *ioas;
	struct iommu_domain *domain;
	struct iommu_dirty_bitmap *dirty;
	unsigned long flags;
	bool whole;
	const struct list_head *leaving;
};

/* Can one IOPTE map @size bytes from @first on? Memory has to lie as it does. */
static bool fits_one_iopte(const struct iommufd_area *area, unsigned long first,
			   unsigned long size)
{
	unsigned long offset = iommufd_area_offset(area, first), n = size >> PAGE_SHIFT;
	unsigned long index = offset >> PAGE_SHIFT, pfn;

	if (size < PAGE_SIZE)
		return true;
	if (offset % PAGE_SIZE)
		return false;
	guard(mutex)(&area->pages->mutex);
	return iommufd_extents_run(&area->pages->extents, index, index + n - 1, &pfn) == n &&
	       IS_ALIGNED(pfn, n);
}

/* First and last IOVA of what an IOPTE at @iova may map at most */
static unsigned long block_at(const struct iommu_domain *domain,
			      const struct iommufd_area *area, unsigned long iova,
			      unsigned long *last)
{
	unsigned long sizes = domain->pgsize_bitmap & (2 * IOMMUFD_DOMAIN_STEP - 1), size, first;

	for (; sizes; sizes &= ~size) {
		size = BIT(__fls(sizes));
		first = ALIGN_DOWN(iova, size);
		*last = first + size - 1;
		if (first >= area->span.start && *last <= area->span.last &&
		    fits_one_iopte(area, first, size))
			return first;
	}
	*last = iova;
	return iova;
}

/* Drivers take the IOVA where they begin for the beginning of an IOPTE. */
static int read_first_block(const struct walk *walk, const struct iommufd_area *area,
			    unsigned long *from, unsigned long last)
{
	unsigned long block_last, first = block_at(walk->domain, area, *from, &block_last);
	unsigned long to = min(block_last, last);

	if (first == *from)
		return 0;
	*from = to + 1;
	return read_marks(walk->domain, first, to, IOMMU_DIRTY_NO_CLEAR, walk->dirty);
}

static int read_mapped(const struct walk *walk, const struct iommufd_area *area,
		       unsigned long from, unsigned long last)
{
	unsigned long begin = from, block, block_last;
	int ret;

	ret = read_first_block(walk, area, &from, last);
	/* Less than @begin: that block was the last of all IOVAs. */
	if (ret || from < begin || from > last)
		return ret;
	block = block_at(walk->domain, area, last, &block_last);
	if (block_last == last)
		return read_marks(walk->domain, from, last, walk->flags, walk->dirty);
	if (block > from) {
		ret = read_marks(walk->domain, from, block - 1, walk->flags, walk->dirty);
		if (ret)
			return ret;
	}
	return read_marks(walk->domain, block, last, IOMMU_DIRTY_NO_CLEAR, walk->dirty);
}

/* Collect the marks of what an area has in [@start, @last]. */
static int read_area(const struct walk *walk, const struct iommufd_area *area,
		     unsigned long start, unsigned long last)
{
	unsigned long from = max(area->span.start, start), to = min(area->span.last, last);

	/* Not RAM, and revoked at any time, with tables that we would walk. */
	if (from > to || iommufd_pages_of_device(area->pages))
		return 0;
	if (walk->leaving || area->state == IOMMUFD_AREA_MAPPED)
		return read_mapped(walk, area, from, to);
	if (walk->whole)
		return -EINVAL;
	iova_bitmap_set(walk->dirty->bitmap, from, to - from + 1);
	return 0;
}

/* Collect the marks of one window of the bitmap. */
static int read_window(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
		       void *opaque)
{
	const struct walk *walk = opaque;
	unsigned long last = iova + length - 1;
	struct iommufd_area *area;
	int ret;

	if (walk->leaving) {
		list_for_each_entry(area, walk->leaving, entry) {
			ret = read_area(walk, area, iova, last);
			if (ret)
				return ret;
		}
		return 0;
	}
	if (walk->whole && !iommufd_area_covers(walk->ioas, iova, last))
		return -EINVAL;
	iommufd_area_for_each(area, walk->ioas, iova, last) {
		ret = read_area(walk, area, iova, last);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_dirty(struct walk *walk, struct iova_bitmap *bitmap)
{
	struct iommu_iotlb_gather gather;
	struct iommu_dirty_bitmap dirty;
	int ret;

	lockdep_assert_held(&walk->ioas->iova_rwsem);
	iommu_dirty_bitmap_init(&dirty, bitmap, &gather);
	walk->dirty = &dirty;
	ret = iova_bitmap_for_each(bitmap, walk, read_window);
	/* Entries that lost their mark must not stay cached with it. */
	if (!(walk->flags & IOMMU_DIRTY_NO_CLEAR))
		iommu_iotlb_sync(walk->domain, &gather);
	return ret;
}

/**
 * iommufd_dirty_collect - Add the marks of a page table to a bitmap
 * @ioas: what @domain mirrors
 * @domain: domain that tracks
 * @start: IOVA of the first bit
 * @last: last IOVA; the range may have holes
 * @data: the bitmap, one bit for each PAGE_SIZE
 * @leaving: areas that the caller is unmapping, to look at no others; or NULL
 *
 * Marks are cleared as they are read.
 *
 * Context: Process context, may sleep. Holds ioas->domains_rwsem and ioas->iova_rwsem.
 * Return: 0; -EFAULT: the bitmap can not be written; errors of the driver; -ENOMEM;
 * -EINTR: a fatal signal came.
 */
int iommufd_dirty_collect(struct iommufd_ioas *ioas, struct iommu_domain *domain,
			  unsigned long start, unsigned long last, u8 __user *data,
			  const struct list_head *leaving)
{
	struct walk walk = { .ioas = ioas, .domain = domain, .leaving = leaving };
	struct iova_bitmap *bitmap;
	int ret;

	bitmap = iova_bitmap_alloc(start, last - start + 1, PAGE_SIZE, (u64 __user *)data);
	if (IS_ERR(bitmap))
		return PTR_ERR(bitmap);
	ret = read_dirty(&walk, bitmap);
	iova_bitmap_free(bitmap);
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
 * -EFAULT: the bitmap can not be written; -EINTR: a fatal signal came.
 */
int iommufd_dirty_get(struct iommufd_cmd *cmd)
{
	struct iommu_hwpt_get_dirty_bitmap *arg = cmd->arg;
	struct walk walk = { .whole = true };
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
	walk.ioas = hwpt->ioas;
	walk.domain = hwpt->domain;
	if (arg->flags & IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR)
		walk.flags = IOMMU_DIRTY_NO_CLEAR;
	ret = read_dirty(&walk, bitmap);
	iova_bitmap_free(bitmap);
	return ret;
}
