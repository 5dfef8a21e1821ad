// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log of an IOAS, as VFIO's containers have it.
 *
 * A container asks which pages anybody may have written to since it asked last, and
 * does not care who can tell. Three sources answer:
 *
 * - Page tables. Where all of them track dirty IOPTEs, those; else every page that is
 *   mapped counts as written to, at every question.
 * - In-kernel users. A page is dirty as long as it is pinned, and once more afterwards;
 *   a copy to the IOAS makes dirty what it touches.
 * - What went away: when a page table leaves, its marks go with it, so that every page
 *   is dirty once.
 *
 * The last two are in a bitmap of each area, one bit for each page of IOVA it touches.
 * A pinned page always has its bit: it is set behind the pin, and what a reader takes
 * out is put back for pins that exist. Unpinning has nothing to do, then.
 *
 * Locks: whether there is a log, and which page tables serve it, is under
 * ioas->domains_rwsem; the bitmaps exist under ioas->iova_rwsem, their bits change by
 * atomic operations under it for read.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "access.h"
#include "area.h"
#include "dirty.h"
#include "dirty_log.h"
#include "ioas.h"
#include "mirror.h"

/* Words that are handled at a time */
#define BATCH 32

static unsigned long area_bits(const struct iommufd_area *area)
{
	return (area->span.last >> PAGE_SHIFT) - (area->span.start >> PAGE_SHIFT) + 1;
}

static int add_bitmap(struct iommufd_area *area)
{
	/* One more: without IOVAs it is not known how they lie in pages. */
	unsigned long nbits = area_bits(area) + 1;

	if (nbits > IOMMUFD_DIRTY_LOG_PAGES + 1)
		return -EINVAL;
	area->dirty = kvcalloc(BITS_TO_LONGS(nbits), sizeof(long), GFP_KERNEL_ACCOUNT);
	return area->dirty ? 0 : -ENOMEM;
}

static void free_bitmaps(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		kvfree(area->dirty);
		area->dirty = NULL;
	}
}

static int add_bitmaps(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;
	int ret;

	lockdep_assert_held_write(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		ret = add_bitmap(area);
		if (ret) {
			free_bitmaps(ioas);
			return ret;
		}
		iommufd_access_mark_pinned(ioas, area);
	}
	return 0;
}

/**
 * iommufd_dirty_log_start - Begin to note what is written to
 * @ioas: the IOAS; if it has a log that goes on
 *
 * Context: Process context, may sleep.
 * Return: 0; -EACCES: mappings may be cut, as in type1's first version; -EINVAL: a
 * mapping is too large; -ENOMEM.
 */
int iommufd_dirty_log_start(struct iommufd_ioas *ioas)
{
	struct iommufd_mirror *mirror;
	int ret;

	guard(rwsem_write)(&ioas->domains_rwsem);
	if (!ioas->huge_pages)
		return -EACCES;
	if (ioas->dirty_log)
		return 0;
	scoped_guard(rwsem_write, &ioas->iova_rwsem)
		ret = add_bitmaps(ioas);
	if (ret)
		return ret;

	/* One that can not track is no error, but makes everything dirty. */
	list_for_each_entry(mirror, &ioas->mirrors, entry)
		mirror->logs = !iommufd_dirty_track(ioas, mirror->domain, true);
	ioas->dirty_log = true;
	return 0;
}

/**
 * iommufd_dirty_log_stop - Forget the log
 * @ioas: the IOAS; it need not have one
 *
 * Context: Process context, may sleep.
 */
void iommufd_dirty_log_stop(struct iommufd_ioas *ioas)
{
	struct iommufd_mirror *mirror;

	guard(rwsem_write)(&ioas->domains_rwsem);
	if (!ioas->dirty_log)
		return;
	list_for_each_entry(mirror, &ioas->mirrors, entry) {
		if (mirror->logs)
			iommufd_dirty_track(ioas, mirror->domain, false);
		mirror->logs = false;
	}
	ioas->dirty_log = false;
	guard(rwsem_write)(&ioas->iova_rwsem);
	free_bitmaps(ioas);
}

/**
 * iommufd_dirty_log_add_area - Let a new area have its part of the log
 * @ioas: the IOAS it will be in
 * @area: area of which only the length is known
 *
 * Context: Process context, may sleep. Holds ioas->domains_rwsem.
 * Return: 0; -EINVAL: it is too large; -ENOMEM.
 */
int iommufd_dirty_log_add_area(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	lockdep_assert_held(&ioas->domains_rwsem);
	return ioas->dirty_log && !area->dirty ? add_bitmap(area) : 0;
}

/**
 * iommufd_dirty_log_lose_mirror - A page table leaves, and its marks with it
 * @ioas: the IOAS
 *
 * Context: Holds ioas->domains_rwsem for write and ioas->iova_rwsem.
 */
void iommufd_dirty_log_lose_mirror(struct iommufd_ioas *ioas)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->domains_rwsem);
	if (!ioas->dirty_log)
		return;
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX)
		bitmap_fill(area->dirty, area_bits(area));
}

/**
 * iommufd_dirty_log_mark - Somebody wrote, or can write, to a part of an area
 * @area: area in an IOAS, with or without a log
 * @iova: first byte
 * @last: last byte; the range may stick out of the area
 *
 * Comes after the write, or after the pin that allows it.
 *
 * Context: Any. Holds ioas->iova_rwsem.
 */
void iommufd_dirty_log_mark(struct iommufd_area *area, unsigned long iova,
			    unsigned long last)
{
	unsigned long base = area->span.start >> PAGE_SHIFT, bit, end;

	if (!area->dirty)
		return;
	bit = (max(iova, area->span.start) >> PAGE_SHIFT) - base;
	end = (min(last, area->span.last) >> PAGE_SHIFT) - base;
	while (bit <= end) {
		/* Whole words at once; a reader takes them by xchg(). */
		if (IS_ALIGNED(bit, BITS_PER_LONG) && end - bit >= BITS_PER_LONG - 1) {
			WRITE_ONCE(area->dirty[bit / BITS_PER_LONG], ~0UL);
			bit += BITS_PER_LONG;
		} else {
			set_bit(bit++, area->dirty);
		}
	}
}

/* Set @n bits of user memory where they are set in @bits, from bit @at on. */
static int or_to_user(u8 __user *data, unsigned long at, const unsigned long *bits,
		      unsigned int n)
{
	DECLARE_BITMAP(old, (BATCH + 1) * BITS_PER_LONG) = { };
	DECLARE_BITMAP(add, (BATCH + 1) * BITS_PER_LONG) = { };
	unsigned int shift = at % 8, bytes = DIV_ROUND_UP(n + shift, 8);

	data += at / 8;
	bitmap_copy_clear_tail(add, bits, n);
	bitmap_shift_left(add, add, shift, n + shift);
	if (copy_from_user(old, data, bytes))
		return -EFAULT;
	bitmap_or(add, add, old, bytes * 8);
	return copy_to_user(data, add, bytes) ? -EFAULT : 0;
}

/* Take up to BATCH words of a bitmap out of it. */
static void take_bits(unsigned long *from, unsigned long *bits, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(n); i++)
		bits[i] = xchg(&from[i], 0);
}

static void put_back(struct iommufd_area *area, unsigned long first,
		     const unsigned long *bits, unsigned int n)
{
	unsigned int bit;

	for_each_set_bit(bit, bits, n)
		set_bit(first + bit, area->dirty);
}

/* @at is the bit of user memory for the first page of the area. */
static int report_area(struct iommufd_area *area, u8 __user *data, unsigned long at,
		       bool all)
{
	unsigned long bits[BATCH], nbits = area_bits(area), done;
	unsigned int n;
	int ret;

	for (done = 0; done < nbits; done += n) {
		n = min(nbits - done, BATCH * BITS_PER_LONG);
		take_bits(area->dirty + done / BITS_PER_LONG, bits, n);
		if (all)
			bitmap_fill(bits, n);
		ret = or_to_user(data, at + done, bits, n);
		if (ret) {
			put_back(area, done, bits, n);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

/* Ask the page tables. Returns whether all of them can answer. */
static bool all_track(struct iommufd_ioas *ioas)
{
	struct iommufd_mirror *mirror;

	list_for_each_entry(mirror, &ioas->mirrors, entry)
		if (!mirror->logs)
			return false;
	return true;
}

static int collect(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
		   u8 __user *data, const struct list_head *leaving)
{
	struct iommufd_mirror *mirror;
	int ret;

	list_for_each_entry(mirror, &ioas->mirrors, entry) {
		ret = iommufd_dirty_collect(ioas, mirror->domain, start, last, data,
					    leaving);
		if (ret)
			return ret;
	}
	return 0;
}

/* What the log itself knows about one area */
static int report(struct iommufd_ioas *ioas, struct iommufd_area *area, unsigned long start,
		  u8 __user *data, bool all)
{
	int ret = report_area(area, data, (area->span.start - start) >> PAGE_SHIFT, all);

	/* Also after an error: a part of the marks may have been taken. */
	iommufd_access_mark_pinned(ioas, area);
	return ret;
}

static int report_leaving(struct iommufd_ioas *ioas, unsigned long start, u8 __user *data,
			  const struct list_head *leaving, bool all)
{
	struct iommufd_area *area;
	int ret;

	list_for_each_entry(area, leaving, entry) {
		ret = report(ioas, area, start, data, all);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * iommufd_dirty_log_read - Set the bits of pages that were written to
 * @ioas: the IOAS
 * @start: IOVA of the first bit, page aligned; no area covers both sides of it
 * @last: last IOVA, no area covers both sides of its end
 * @data: the bitmap, one bit for each PAGE_SIZE; bits are only set
 * @leaving: the areas of the range that the caller unmaps, and in which nobody has pins any
 *	     more; what others map or unmap there meanwhile is not looked at. Or NULL
 *
 * Pages are reported once, except where it is not known when they are written to. What
 * could not be delivered because of an error is reported again.
 *
 * Context: Process context, may sleep. Holds ioas->domains_rwsem and ioas->iova_rwsem.
 * Return: 0; -EINVAL: there is no log; -EFAULT: the bitmap can not be used; errors of
 * the IOMMU driver; -ENOMEM.
 */
int iommufd_dirty_log_read(struct iommufd_ioas *ioas, unsigned long start,
			   unsigned long last, u8 __user *data,
			   const struct list_head *leaving)
{
	bool all = !all_track(ioas);
	struct iommufd_area *area;
	int ret;

	lockdep_assert_held(&ioas->domains_rwsem);
	lockdep_assert_held(&ioas->iova_rwsem);

	if (!ioas->dirty_log)
		return -EINVAL;
	if (!all) {
		ret = collect(ioas, start, last, data, leaving);
		if (ret)
			return ret;
	}
	if (leaving)
		return report_leaving(ioas, start, data, leaving, all);
	iommufd_area_for_each(area, ioas, start, last) {
		/* Still being made: nobody has been told yet that it is there. */
		if (area->state == IOMMUFD_AREA_MAPPING)
			continue;
		ret = report(ioas, area, start, data, all);
		if (ret)
			return ret;
	}
	return 0;
}
