// SPDX-License-Identifier: GPL-2.0
/*
 * One mapping, and walks over mappings.
 *
 * An area ties IOVAs to bytes of a pages object. It is made without IOVAs, gets them
 * when it enters the tree of its IOAS, and keeps them until it leaves. Its state says
 * who may touch it; the file mapping.c is the only one that changes it.
 *
 * Locks: the walks need ioas->iova_rwsem.
 */
#include <linux/align.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "area.h"
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
 * @area: holds nothing
 */
void iommufd_area_free(struct iommufd_area *area)
{
	iommufd_pages_put(area->pages);
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
