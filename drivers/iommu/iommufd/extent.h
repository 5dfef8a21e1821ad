/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The PFN store of a pages object: page index -> PFN, for pages that are pinned.
 *
 *	iommufd_extents_init(&ext);
 *	ret = iommufd_extents_add(&ext, 0, pfn, 512);
 *	n = iommufd_extents_run(&ext, 0, 511, &pfn);
 *	iommufd_extents_erase(&ext, 0, 511);
 *	iommufd_extents_destroy(&ext);
 *
 * The store does not know which indices are pinned; the holders of the pages object
 * do. What it says about other indices has no meaning.
 */
#ifndef __IOMMUFD_EXTENT_H
#define __IOMMUFD_EXTENT_H

#include <linux/xarray.h>

struct page;

/* Pages per entry of the store. One table of PFNs is then one page. */
#define IOMMUFD_CHUNK_PAGES 512UL
/* Entries that are allocated together */
#define IOMMUFD_BLOCK_CHUNKS 64UL

/**
 * struct iommufd_extents - The store
 * @first: the entry of chunk 0, so that memory within one chunk needs no block
 * @blocks: block number -> entries of IOMMUFD_BLOCK_CHUNKS chunks
 * @block: what @blocks has for @block_nr, or NULL: not looked up
 * @block_nr: the block that was used last
 *
 * An entry is NULL, a straight line (tagged as an XArray value) or a table of PFNs.
 */
struct iommufd_extents {
	void *first;
	struct xarray blocks;
	void **block;
	unsigned long block_nr;
};

void iommufd_extents_init(struct iommufd_extents *ext);
void iommufd_extents_destroy(struct iommufd_extents *ext);
int iommufd_extents_add(struct iommufd_extents *ext, unsigned long index,
			unsigned long pfn, unsigned long npages);
int iommufd_extents_add_pages(struct iommufd_extents *ext, unsigned long index,
			      struct page *const *list, unsigned long npages);
unsigned long iommufd_extents_run(struct iommufd_extents *ext, unsigned long index,
				  unsigned long last, unsigned long *pfn);
void iommufd_extents_erase(struct iommufd_extents *ext, unsigned long index,
			   unsigned long last);

#endif
