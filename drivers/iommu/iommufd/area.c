// SPDX-License-Identifier: GPL-2.0
/*
 * One mapping, and walks over mappings.
 *
 * An area ties IOVAs to bytes of a pages object. It is made without IOVAs, gets them
 * when it enters the tree of its IOAS, and keeps them until it leaves. Its state says
 * who may touch it; the file mapping.c is the only one that changes it.
 *
 * Locks: the walks need ioas->iova_rwsem; a cut takes pages->mutex inside it.
 */
#include <linux/align.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"
#include "device_memory.h"
#include "ioas.h"
#include "pages.h"

/**
 * iommufd_area_new - Make an area that is not in an IOAS yet
 * @pages: the memory; the area takes a reference of its own
 * @offset: byte of @pages where it begins
 * @length: bytes, not 0
 * @prot: IOMMU_READ and the like
 *
 * The span is set as if the area were to begin at IOVA 0, so that its length is known.
 *
 * Return: the area or ERR_PTR(-ENOMEM).
 */
struct iommufd_area *iommufd_area_new(struct iommufd_pages *pages, unsigned long offset,
				      unsigned long length, int prot)
{
	struct iommufd_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area)
		return ERR_PTR(-ENOMEM);

	iommufd_pages_get(pages);
	area->pages = pages;
	area->prot = prot;
	area->page_offset = offset_in_page(offset);
	area->holder.node.start = offset >> PAGE_SHIFT;
	area->holder.node.last = (offset + length - 1) >> PAGE_SHIFT;
	area->span.last = length - 1;
	area->state = IOMMUFD_AREA_MAPPING;
	return area;
}

/**
 * iommufd_area_free - Free an area that is in no IOAS
 * @area: holds nothing, unless it is lost
 */
void iommufd_area_free(struct iommufd_area *area)
{
	if (area->lost)
		return;
	iommufd_pages_put(area->pages);
	kvfree(area->dirty);
	kfree(area);
}

/**
 * iommufd_area_aligned - Can IOPTEs of a size describe the area?
 * @area: area with IOVAs
 * @alignment: power of two, at most PAGE_SIZE
 *
 * Return: true when IOVA, length and place in memory are multiples of @alignment.
 */
bool iommufd_area_aligned(const struct iommufd_area *area, unsigned long alignment)
{
	return IS_ALIGNED(area->span.start | iommufd_area_length(area) | area->page_offset,
			  alignment);
}

static struct iommufd_area *to_area(struct iommufd_iova_span *span)
{
	return span ? container_of(span, struct iommufd_area, span) : NULL;
}

/**
 * iommufd_area_first - The lowest area that touches a range
 * @ioas: the IOAS
 * @start: first IOVA
 * @last: last IOVA, inclusive
 *
 * Context: ioas->iova_rwsem.
 * Return: the area, in any state, or NULL.
 */
struct iommufd_area *iommufd_area_first(const struct iommufd_ioas *ioas,
					unsigned long start, unsigned long last)
{
	lockdep_assert_held(&ioas->iova_rwsem);
	return to_area(iommufd_iova_first(&ioas->iova, start, last));
}

/**
 * iommufd_area_next - The area that follows in address order
 * @area: area in an IOAS
 *
 * Context: ioas->iova_rwsem.
 * Return: the area, in any state, or NULL.
 */
struct iommufd_area *iommufd_area_next(const struct iommufd_area *area)
{
	return to_area(iommufd_iova_next(&area->span));
}

/**
 * iommufd_area_covers - Is a range mapped without a hole?
 * @ioas: the IOAS
 * @start: first IOVA
 * @last: last IOVA, inclusive
 *
 * Context: ioas->iova_rwsem.
 * Return: true when areas lie back to back over the range and none of them is only
 * being made.
 */
bool iommufd_area_covers(const struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last)
{
	struct iommufd_area *area;

	iommufd_area_for_each(area, ioas, start, last) {
		if (area->span.start > start || area->state == IOMMUFD_AREA_MAPPING)
			return false;
		if (area->span.last >= last)
			return true;
		start = area->span.last + 1;
	}
	return false;
}

/* Counting would take long here. Each has at least one. */
static void split_runs(struct iommufd_area *left, struct iommufd_area *right)
{
	unsigned long length = iommufd_area_length(left), all = left->runs;

	right->runs = mul_u64_u64_div_u64(all, iommufd_area_length(right),
					  length + iommufd_area_length(right)) ?: 1;
	WRITE_ONCE(left->runs, max(all, right->runs + 1) - right->runs);
}

/* Make the pages of the right part of a cut a holder of its own. */
static void split_holder(struct iommufd_area *left, struct iommufd_area *right)
{
	struct iommufd_pages *pages = left->pages;

	guard(mutex)(&pages->mutex);
	split_runs(left, right);
	iommufd_holders_remove(&pages->holders, &left->holder);
	left->holder.node.last = right->holder.node.start - 1;
	iommufd_holders_insert(&pages->holders, &left->holder);
	iommufd_holders_insert(&pages->holders, &right->holder);
}

/**
 * iommufd_area_split - Let an area begin at an IOVA
 * @ioas: the IOAS, whose IOPTEs are all of PAGE_SIZE
 * @iova: where to cut. Nothing happens if no area covers both sides of it.
 *
 * What is pinned and mapped stays as it is; it only belongs to two areas afterwards.
 *
 * Context: Holds domains_rwsem for read and iova_rwsem for write.
 * Return: 0; -EINVAL: the cut is not at a page border, an in-kernel user has pages of
 * the area, or it is memory of a device; -EBUSY: the area is being mapped or unmapped; -ENOMEM.
 */
int iommufd_area_split(struct iommufd_ioas *ioas, unsigned long iova)
{
	struct iommufd_area *left = iommufd_area_first(ioas, iova, iova), *right;
	unsigned long offset;

	lockdep_assert_held_write(&ioas->iova_rwsem);
	lockdep_assert_held_read(&ioas->domains_rwsem);

	if (!left || left->span.start == iova)
		return 0;
	if (left->state != IOMMUFD_AREA_MAPPED || atomic_read(&left->locks))
		return -EBUSY;
	offset = iommufd_area_offset(left, iova);
	if (offset_in_page(iova) || offset_in_page(offset) || atomic_read(&left->accesses) ||
	    left->lost || iommufd_pages_of_device(left->pages))
		return -EINVAL;

	right = iommufd_area_new(left->pages, offset, left->span.last - iova + 1, left->prot);
	if (IS_ERR(right))
		return PTR_ERR(right);
	right->state = left->state;
	right->span.start = iova;
	right->span.last = left->span.last;

	iommufd_iova_remove(&ioas->iova, &left->span);
	left->span.last = iova - 1;
	iommufd_iova_insert(&ioas->iova, &left->span);
	iommufd_iova_insert(&ioas->iova, &right->span);
	if (list_empty(&ioas->mirrors))
		left->holder.node.last = right->holder.node.start - 1;
	else
		split_holder(left, right);
	return 0;
}
