// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users reach the memory of an IOAS: they pin pages of it, or copy to and from
 * it.
 *
 * A pin is a holder like an area that is in a domain, so pages that both need are
 * pinned and charged once. It also counts on the area, which can not go before the
 * count is zero: an unmap marks the area, so that no new pin begins, and then calls the
 * users' unmap until the old ones are gone.
 *
 * A pin remembers where it was made. It can be given up while its access moves to
 * another IOAS, or after that has happened.
 *
 * Locks: access->mutex, then ioas->iova_rwsem, then pages->mutex.
 */
#include <linux/highmem.h>
#include <linux/interval_tree.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "access.h"
#include "area.h"
#include "device_memory.h"
#include "dirty_log.h"
#include "ioas.h"
#include "pages.h"

/* Copies go through at most this much at a time. */
#define RW_BYTES SZ_1M

/* The part of a pin that lies in one area. The pin keeps the area. */
struct piece {
	struct iommufd_area *area;
	struct iommufd_holder holder;
};

/* What one call of iommufd_access_pin_pages() pinned. */
struct access_pin {
	struct interval_tree_node node;
	unsigned int npieces;
	struct piece pieces[] __counted_by(npieces);
};

/**
 * iommufd_access_mark_pinned - Note in the dirty log what is pinned of an area
 * @ioas: the IOAS
 * @area: an area of it, which has its part of the log
 *
 * Context: Holds ioas->iova_rwsem.
 */
void iommufd_access_mark_pinned(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	unsigned long start = area->span.start, last = area->span.last;
	struct iommufd_access *access;
	struct interval_tree_node *pin;
	unsigned long id;

	lockdep_assert_held(&ioas->iova_rwsem);
	xa_for_each(&ioas->accesses, id, access) {
		guard(spinlock)(&access->pins_lock);
		for (pin = interval_tree_iter_first(&access->pins, start, last); pin;
		     pin = interval_tree_iter_next(pin, start, last))
			iommufd_dirty_log_mark(area, pin->start, pin->last);
	}
}

/* All of a range of areas has been pinned or written to. */
static void mark_areas(struct iommufd_ioas *ioas, unsigned long iova, unsigned long last)
{
	struct iommufd_area *area;

	iommufd_area_for_each(area, ioas, iova, last)
		iommufd_dirty_log_mark(area, iova, last);
}

/* May the caller have the range? */
static int check_areas(struct iommufd_ioas *ioas, unsigned long iova, unsigned long last,
		       bool write, bool whole_pages, unsigned int *nareas)
{
	struct iommufd_area *area;

	if (!iommufd_area_covers(ioas, iova, last))
		return -ENOENT;

	*nareas = 0;
	iommufd_area_for_each(area, ioas, iova, last) {
		if (area->state != IOMMUFD_AREA_MAPPED ||
		    iommufd_pages_of_device(area->pages))
			return -EINVAL;
		if (write ? !(area->prot & IOMMU_WRITE) : !(area->prot & IOMMU_READ))
			return -EPERM;
		/* The join of two areas must also be one of two pages. */
		if (whole_pages && area->span.last < last &&
		    (iommufd_area_offset(area, area->span.last) + 1) % PAGE_SIZE)
			return -EINVAL;
		if (whole_pages && area->span.start > iova && area->page_offset)
			return -EINVAL;
		(*nareas)++;
	}
	return 0;
}

/* Hold the part of [iova, last] that lies in @area. The caller has its pages' mutex. */
static int hold_piece(struct iommufd_area *area, unsigned long iova, unsigned long last,
		      struct iommufd_holder *holder)
{
	unsigned long from = max(area->span.start, iova);
	unsigned long to = min(area->span.last, last);

	holder->node.start = iommufd_area_offset(area, from) >> PAGE_SHIFT;
	holder->node.last = iommufd_area_offset(area, to) >> PAGE_SHIFT;
	return iommufd_pages_hold(area->pages, holder);
}

static struct page **list_pages(struct iommufd_pages *pages,
				const struct iommufd_holder *holder, struct page **out)
{
	unsigned long index = holder->node.start, pfn, n;

	while (index <= holder->node.last) {
		n = iommufd_extents_run(&pages->extents, index, holder->node.last, &pfn);
		if (WARN_ON(!n))
			break;
		for (index += n; n; n--)
			*out++ = pfn_to_page(pfn++);
	}
	return out;
}

static void drop_pieces(struct access_pin *pin, unsigned int npieces)
{
	while (npieces--) {
		struct iommufd_area *area = pin->pieces[npieces].area;

		scoped_guard(mutex, &area->pages->mutex)
			iommufd_pages_release(area->pages, &pin->pieces[npieces].holder);
		/* Paired with ask_users(); the area may be freed at once. */
		atomic_dec_return_release(&area->accesses);
	}
}

static int pin_pieces(struct iommufd_ioas *ioas, struct access_pin *pin,
		      struct page **out_pages)
{
	unsigned long iova = pin->node.start, last = pin->node.last;
	struct iommufd_area *area;
	unsigned int n = 0;
	int ret;

	iommufd_area_for_each(area, ioas, iova, last) {
		struct piece *piece = &pin->pieces[n];

		scoped_guard(mutex, &area->pages->mutex) {
			ret = hold_piece(area, iova, last, &piece->holder);
			if (!ret)
				out_pages = list_pages(area->pages, &piece->holder,
						       out_pages);
		}
		if (ret) {
			drop_pieces(pin, n);
			return ret;
		}
		piece->area = area;
		atomic_inc(&area->accesses);
		n++;
	}
	return 0;
}

/**
 * iommufd_access_pin_pages - Pin a range of the IOAS
 * @access: attached access with needs_pin_pages
 * @iova: first byte
 * @length: bytes
 * @out_pages: gets one page for every PAGE_SIZE step the range touches
 * @flags: IOMMUFD_ACCESS_RW_WRITE if the pages will be written
 *
 * The driver must be able to unpin, from its unmap callback, as soon as this returns.
 *
 * Context: Process context, may sleep for long.
 * Return: 0; -EINVAL: length 0, areas that join within a page, being unmapped, or not
 * an access that pins; -EOVERFLOW; -ENOENT: not attached, or not mapped; -EPERM: not
 * mapped for that direction; errors of iommufd_pages_hold(); -ENOMEM.
 */
int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags)
{
	unsigned int nareas;
	unsigned long last;
	int ret;

	if (!access->ops->needs_pin_pages || !length)
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;

	guard(mutex)(&access->mutex);
	if (!access->ioas)
		return -ENOENT;
	guard(rwsem_read)(&access->ioas->iova_rwsem);

	ret = check_areas(access->ioas, iova, last, flags & IOMMUFD_ACCESS_RW_WRITE, true,
			  &nareas);
	if (ret)
		return ret;

	struct access_pin *pin __free(kfree) =
		kzalloc(struct_size(pin, pieces, nareas), GFP_KERNEL_ACCOUNT);
	if (!pin)
		return -ENOMEM;
	pin->npieces = nareas;
	pin->node.start = iova;
	pin->node.last = last;
	ret = pin_pieces(access->ioas, pin, out_pages);
	if (ret)
		return ret;

	scoped_guard(spinlock, &access->pins_lock)
		interval_tree_insert(&no_free_ptr(pin)->node, &access->pins);
	/* Behind the insertion: whoever reads the log in between marks it again. */
	mark_areas(access->ioas, iova, last);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_pin_pages, IOMMUFD);

/* The longest pin that begins at @iova and does not stick out of the range. */
static struct access_pin *take_pin(struct iommufd_access *access, unsigned long iova,
				   unsigned long last)
{
	struct interval_tree_node *node, *best = NULL;

	guard(spinlock)(&access->pins_lock);
	for (node = interval_tree_iter_first(&access->pins, iova, iova); node;
	     node = interval_tree_iter_next(node, iova, iova))
		if (node->start == iova && node->last <= last &&
		    (!best || best->last < node->last))
			best = node;
	if (!best)
		return NULL;
	interval_tree_remove(best, &access->pins);
	return container_of(best, struct access_pin, node);
}

/**
 * iommufd_access_unpin_pages - Give pins back
 * @access: the access
 * @iova: as it was pinned
 * @length: as it was pinned; or the sum of several pins that follow one another, since
 *	    VFIO's drivers pin page by page and unpin the whole
 *
 * Context: Process context, may sleep. Also from the unmap callback.
 */
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length)
{
	struct access_pin *pin;
	unsigned long last;

	if (WARN_ON(!length) || WARN_ON(check_add_overflow(iova, length - 1, &last)))
		return;

	do {
		pin = take_pin(access, iova, last);
		if (WARN_ON(!pin))
			return;
		iova = pin->node.last + 1;
		drop_pieces(pin, pin->npieces);
		kfree(pin);
	} while (iova - 1 != last);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_unpin_pages, IOMMUFD);

/* Copy between @data and pages that are held, from byte @offset of the pages on. */
static void copy_held(struct iommufd_pages *pages, unsigned long offset, void *data,
		      size_t length, bool write)
{
	while (length) {
		unsigned long index = offset >> PAGE_SHIFT, pfn;
		size_t in_page = offset_in_page(offset);
		size_t n = min(length, PAGE_SIZE - in_page);

		if (WARN_ON(!iommufd_extents_run(&pages->extents, index, index, &pfn)))
			return;
		if (write)
			memcpy_to_page(pfn_to_page(pfn), in_page, data, n);
		else
			memcpy_from_page(data, pfn_to_page(pfn), in_page, n);
		offset += n;
		data += n;
		length -= n;
	}
}

static int rw_area(struct iommufd_area *area, unsigned long iova, unsigned long last,
		   void *data, bool write)
{
	struct iommufd_holder holder;
	int ret;

	guard(mutex)(&area->pages->mutex);
	ret = hold_piece(area, iova, last, &holder);
	if (ret)
		return ret;
	copy_held(area->pages, iommufd_area_offset(area, iova), data, last - iova + 1,
		  write);
	if (write)
		iommufd_dirty_log_mark(area, iova, last);
	iommufd_pages_release(area->pages, &holder);
	return 0;
}

/**
 * iommufd_access_rw - Copy to or from the memory behind an IOVA range
 * @access: attached access
 * @iova: first byte, any alignment
 * @data: kernel buffer
 * @len: bytes
 * @flags: IOMMUFD_ACCESS_RW_WRITE: from @data to the IOAS. The others are accepted and
 *	   make no difference.
 *
 * Pages that nobody has pinned are held, and charged, while they are copied.
 *
 * Context: Process context, may sleep. Kernel threads may call it.
 * Return: 0; -EINVAL: length 0 or being unmapped; -EOVERFLOW; -ENOENT: not attached, or
 * not mapped; -EPERM: not mapped for that direction, in which case nothing is copied;
 * errors of iommufd_pages_hold(), after which part may have been copied.
 */
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t len, unsigned int flags)
{
	bool write = flags & IOMMUFD_ACCESS_RW_WRITE;
	struct iommufd_area *area;
	unsigned int nareas;
	unsigned long last;
	int ret;

	if (!len)
		return -EINVAL;
	if (check_add_overflow(iova, len - 1, &last))
		return -EOVERFLOW;

	guard(mutex)(&access->mutex);
	if (!access->ioas)
		return -ENOENT;
	guard(rwsem_read)(&access->ioas->iova_rwsem);

	ret = check_areas(access->ioas, iova, last, write, false, &nareas);
	if (ret)
		return ret;

	iommufd_area_for_each(area, access->ioas, iova, last) {
		while (iova <= area->span.last) {
			unsigned long to = min(area->span.last, last);

			to = iova + min(to - iova, RW_BYTES - 1UL);
			ret = rw_area(area, iova, to, data, write);
			if (ret || to == last)
				return ret;
			data += to - iova + 1;
			iova = to + 1;
		}
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_rw, IOMMUFD);
