/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Areas: the mappings of an IOAS.
 */
#ifndef __IOMMUFD_AREA_H
#define __IOMMUFD_AREA_H

#include <linux/atomic.h>
#include <linux/list.h>

#include "holders.h"
#include "internal.h"
#include "iova.h"

/**
 * enum iommufd_area_state - What happens to an area
 * @IOMMUFD_AREA_MAPPING: the IOVAs are taken, domains may lack it; nobody but the
 *			  mapping thread touches it
 * @IOMMUFD_AREA_MAPPED: in every domain of the IOAS
 * @IOMMUFD_AREA_UNMAPPING: in every domain until its thread takes it out, but no
 *			    in-kernel user may begin to use it
 */
enum iommufd_area_state {
	IOMMUFD_AREA_MAPPING,
	IOMMUFD_AREA_MAPPED,
	IOMMUFD_AREA_UNMAPPING,
};

/**
 * struct iommufd_area - IOVAs that lead to a range of a pages object
 * @span: the IOVAs, and the place in the tree of the IOAS
 * @state: see there
 * @entry: for the thread that makes or removes the area
 * @accesses: number of pins by in-kernel users. Rises only under ioas->iova_rwsem
 *	      and in state MAPPED
 * @locks: number of hardware queues in it, for which it stays. Rises like @accesses
 * @pages: the memory, referenced. Immutable
 * @holder: which pages of it, inserted while the IOAS has a domain. Only a cut changes it
 * @page_offset: byte within the first page where the area begins, immutable
 * @prot: IOMMU_READ and the like, immutable
 * @runs: pieces of contiguous memory it was last mapped from; for people, no more than an
 *	  estimate after a cut. Written under @pages->mutex, read without
 * @lost: an IOMMU driver could not unmap it, so it holds its pages for ever
 * @dirty: its part of the dirty log, a bit for each page of IOVA it touches; NULL
 *	   without a log. See dirty_log.c
 */
struct iommufd_area {
	/* ioas->iova_rwsem */
	struct iommufd_iova_span span;
	enum iommufd_area_state state;
	struct list_head entry;
	unsigned long *dirty;

	atomic_t accesses;
	atomic_t locks;

	struct iommufd_pages *pages;
	struct iommufd_holder holder;
	unsigned int page_offset;
	int prot;
	unsigned long runs;
	bool lost;
};

struct iommufd_area *iommufd_area_new(struct iommufd_pages *pages, unsigned long offset,
				      unsigned long length, int prot);
void iommufd_area_free(struct iommufd_area *area);

static inline unsigned long iommufd_area_length(const struct iommufd_area *area)
{
	/* Lengths are below ULONG_MAX, so the sum is the length even at the very end. */
	return area->span.last - area->span.start + 1;
}

/* Byte of the pages object at which @iova, an address of the area, lies. */
static inline unsigned long iommufd_area_offset(const struct iommufd_area *area,
						unsigned long iova)
{
	return area->holder.node.start * PAGE_SIZE + area->page_offset +
	       (iova - area->span.start);
}

int iommufd_area_split(struct iommufd_ioas *ioas, unsigned long iova);
bool iommufd_area_aligned(const struct iommufd_area *area, unsigned long alignment);

struct iommufd_area *iommufd_area_first(const struct iommufd_ioas *ioas,
					unsigned long start, unsigned long last);
struct iommufd_area *iommufd_area_next(const struct iommufd_area *area);
bool iommufd_area_covers(const struct iommufd_ioas *ioas, unsigned long start,
			 unsigned long last);

#define iommufd_area_for_each(area, ioas, first, to)            \
	for (area = iommufd_area_first(ioas, first, to);        \
	     area && area->span.start <= (to);                  \
	     area = iommufd_area_next(area))

#endif
