// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages are, in 8 bytes per contiguous 2 MiB.
 *
 * The indices are cut into chunks of 512. A chunk whose pinned pages lie on one
 * straight line, PFN = index + constant, is a single XArray value: the constant. Any
 * other chunk has one page with 512 PFNs. Physical contiguity of 2 MiB and more, the
 * case that matters, so costs one slot; the worst case is 8 bytes per page, and it is
 * reached by turning lines into tables, never by splitting or merging.
 *
 * Taking pages out needs no memory: a chunk goes when no holder touches it, and
 * until then its entry stays as it is.
 *
 * This file is pure: no locks, no pins. The owner of the store serialises all calls
 * (pages->mutex). It also builds in user space, see tools/testing/unit.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "extent.h"

#define CHUNK_MASK (IOMMUFD_CHUNK_PAGES - 1)

/*
 * PFN minus index may be negative. Indices and PFNs have at most 52 bits, so this
 * makes it positive and still fits the 63 bits of an XArray value.
 */
#define LINE_BIAS BIT(53)

static void *line_entry(unsigned long index, unsigned long pfn)
{
	return xa_mk_value(pfn - index + LINE_BIAS);
}

static unsigned long line_pfn(const void *entry, unsigned long index)
{
	return xa_to_value(entry) - LINE_BIAS + index;
}

/**
 * iommufd_extents_init - Make an empty store
 * @ext: the store
 */
void iommufd_extents_init(struct iommufd_extents *ext)
{
	xa_init(&ext->chunks);
	ext->table = NULL;
}

/**
 * iommufd_extents_destroy - Free all that a store still has
 * @ext: the store
 */
void iommufd_extents_destroy(struct iommufd_extents *ext)
{
	iommufd_extents_erase(ext, 0, ULONG_MAX);
	xa_destroy(&ext->chunks);
}

/* Replace a line by the table that says the same. */
static unsigned long *make_table(struct iommufd_extents *ext, unsigned long chunk,
				 const void *line)
{
	unsigned long base = chunk * IOMMUFD_CHUNK_PAGES;
	unsigned long *table;
	unsigned int i;
	void *old;

	table = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	for (i = 0; i < IOMMUFD_CHUNK_PAGES; i++)
		table[i] = line_pfn(line, base + i);

	/* The slot exists, so this takes no memory. */
	old = xa_store(&ext->chunks, chunk, table, GFP_KERNEL_ACCOUNT);
	if (xa_is_err(old)) {
		free_page((unsigned long)table);
		return NULL;
	}
	return table;
}

/* [index, index + npages) lies within one chunk. */
static int add_to_chunk(struct iommufd_extents *ext, unsigned long index,
			unsigned long pfn, unsigned long npages)
{
	unsigned long chunk = index / IOMMUFD_CHUNK_PAGES;
	unsigned long *table = ext->table;
	void *entry, *line;
	unsigned int i;

	if (!table || ext->table_chunk != chunk) {
		entry = xa_load(&ext->chunks, chunk);
		line = line_entry(index, pfn);
		if (!entry)
			return xa_err(xa_store(&ext->chunks, chunk, line,
					       GFP_KERNEL_ACCOUNT));
		if (entry == line)
			return 0;

		table = xa_is_value(entry) ? make_table(ext, chunk, entry) : entry;
		if (!table)
			return -ENOMEM;
		ext->table = table;
		ext->table_chunk = chunk;
	}

	for (i = 0; i < npages; i++)
		table[(index & CHUNK_MASK) + i] = pfn + i;
	return 0;
}

/**
 * iommufd_extents_add - Store a physically contiguous run
 * @ext: the store
 * @index: first page index, below 2^52
 * @pfn: PFN of that page
 * @npages: length of the run in pages
 *
 * What the store said about other indices that are pinned stays true, whatever the
 * result. After a failure the run may be there in part, which the caller need not
 * undo: it does not hold those pages.
 *
 * Context: Process context, may sleep. The caller serialises.
 * Return: 0 or -ENOMEM.
 */
int iommufd_extents_add(struct iommufd_extents *ext, unsigned long index,
			unsigned long pfn, unsigned long npages)
{
	while (npages) {
		unsigned long n = min(npages, IOMMUFD_CHUNK_PAGES - (index & CHUNK_MASK));
		int ret = add_to_chunk(ext, index, pfn, n);

		if (ret)
			return ret;
		index += n;
		pfn += n;
		npages -= n;
	}
	return 0;
}

/* How many of the indices from @index to @last continue at @pfn within one chunk. */
static unsigned long run_in_chunk(const void *entry, unsigned long index,
				  unsigned long last, unsigned long pfn)
{
	unsigned long n = last - index + 1;
	const unsigned long *pfns = entry;
	unsigned long i;

	if (xa_is_value(entry))
		return line_pfn(entry, index) == pfn ? n : 0;

	pfns += index & CHUNK_MASK;
	for (i = 0; i < n && pfns[i] == pfn + i; i++)
		;
	return i;
}

/**
 * iommufd_extents_run - The longest contiguous run from an index on
 * @ext: the store
 * @index: first page index; the page is in the store
 * @last: last page index of interest; all pages up to it are in the store
 * @pfn: set to the PFN of @index
 *
 * Context: Any. The caller serialises.
 * Return: length of the run in pages, at least 1 and at most @last - @index + 1.
 */
unsigned long iommufd_extents_run(struct iommufd_extents *ext, unsigned long index,
				  unsigned long last, unsigned long *pfn)
{
	unsigned long at = index;

	while (at <= last) {
		unsigned long chunk_last = min(at | CHUNK_MASK, last);
		const void *entry = xa_load(&ext->chunks, at / IOMMUFD_CHUNK_PAGES);
		unsigned long n;

		if (!entry)
			break;
		if (at == index)
			*pfn = xa_is_value(entry) ?
				       line_pfn(entry, at) :
				       ((unsigned long *)entry)[at & CHUNK_MASK];

		n = run_in_chunk(entry, at, chunk_last, *pfn + (at - index));
		at += n;
		if (!n || at <= chunk_last)
			break;
	}
	return at - index;
}

/**
 * iommufd_extents_erase - Forget whole chunks
 * @ext: the store
 * @index: first page index that nobody needs any more
 * @last: last such page index
 *
 * Only chunks that lie completely in the range go; a caller that knows a chunk to be
 * unused widens the range to it.
 *
 * Context: Process context. Takes no memory. The caller serialises.
 */
void iommufd_extents_erase(struct iommufd_extents *ext, unsigned long index,
			   unsigned long last)
{
	unsigned long chunk = index / IOMMUFD_CHUNK_PAGES + !!(index & CHUNK_MASK);
	unsigned long end = last / IOMMUFD_CHUNK_PAGES + ((last & CHUNK_MASK) == CHUNK_MASK);
	void *entry;

	ext->table = NULL;
	if (chunk >= end)
		return;

	xa_for_each_range(&ext->chunks, chunk, entry, chunk, end - 1) {
		xa_erase(&ext->chunks, chunk);
		if (!xa_is_value(entry))
			free_page((unsigned long)entry);
	}
}
