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
	xa_init_flags(&ext->chunks, XA_FLAGS_ACCOUNT);
	ext->entry = NULL;
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

/* Chunks are used one after the other, and a chunk of scattered pages many times. */
static void *load_chunk(struct iommufd_extents *ext, unsigned long chunk)
{
	if (!ext->entry || ext->entry_chunk != chunk) {
		ext->entry = xa_load(&ext->chunks, chunk);
		ext->entry_chunk = chunk;
	}
	return ext->entry;
}

static int store_chunk(struct iommufd_extents *ext, unsigned long chunk, void *entry)
{
	ext->entry = NULL;
	return xa_err(xa_store(&ext->chunks, chunk, entry, GFP_KERNEL_ACCOUNT));
}

/* The table of a chunk; a line is replaced by the table that says the same. */
static unsigned long *need_table(struct iommufd_extents *ext, unsigned long chunk)
{
	unsigned long base = chunk * IOMMUFD_CHUNK_PAGES;
	void *entry = load_chunk(ext, chunk);
	unsigned long *table;
	unsigned int i;

	if (entry && !xa_is_value(entry))
		return entry;

	table = (unsigned long *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	for (i = 0; entry && i < IOMMUFD_CHUNK_PAGES; i++)
		table[i] = line_pfn(entry, base + i);

	if (store_chunk(ext, chunk, table)) {
		free_page((unsigned long)table);
		return NULL;
	}
	return table;
}

/* [index, index + npages) lies within one chunk. */
static int add_run_to_chunk(struct iommufd_extents *ext, unsigned long index,
			    unsigned long pfn, unsigned long npages)
{
	unsigned long chunk = index / IOMMUFD_CHUNK_PAGES;
	void *entry = load_chunk(ext, chunk), *line = line_entry(index, pfn);
	unsigned long *table, i;

	if (!entry)
		return store_chunk(ext, chunk, line);
	if (entry == line)
		return 0;

	table = need_table(ext, chunk);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < npages; i++)
		table[(index & CHUNK_MASK) + i] = pfn + i;
	return 0;
}

/* [index, index + npages) lies within one chunk. */
static int add_pages_to_chunk(struct iommufd_extents *ext, unsigned long index,
			      struct page *const *list, unsigned long npages)
{
	unsigned long pfn = page_to_pfn(list[0]), *table, i;

	for (i = 1; i < npages && page_to_pfn(list[i]) == pfn + i; i++)
		;
	if (i == npages)
		return add_run_to_chunk(ext, index, pfn, npages);

	table = need_table(ext, index / IOMMUFD_CHUNK_PAGES);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < npages; i++)
		table[(index & CHUNK_MASK) + i] = page_to_pfn(list[i]);
	return 0;
}

/* How many of @npages are in the chunk of @index. */
static unsigned long within_chunk(unsigned long index, unsigned long npages)
{
	return min(npages, IOMMUFD_CHUNK_PAGES - (index & CHUNK_MASK));
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
		unsigned long n = within_chunk(index, npages);
		int ret = add_run_to_chunk(ext, index, pfn, n);

		if (ret)
			return ret;
		index += n;
		pfn += n;
		npages -= n;
	}
	return 0;
}

/**
 * iommufd_extents_add_pages - Store pages as they come
 * @ext: the store
 * @index: first page index, below 2^52
 * @list: the pages of that and the following indices
 * @npages: their number
 *
 * Otherwise like iommufd_extents_add().
 *
 * Context: Process context, may sleep. The caller serialises.
 * Return: 0 or -ENOMEM.
 */
int iommufd_extents_add_pages(struct iommufd_extents *ext, unsigned long index,
			      struct page *const *list, unsigned long npages)
{
	while (npages) {
		unsigned long n = within_chunk(index, npages);
		int ret = add_pages_to_chunk(ext, index, list, n);

		if (ret)
			return ret;
		index += n;
		list += n;
		npages -= n;
	}
	return 0;
}

static unsigned long entry_pfn(const void *entry, unsigned long index)
{
	if (xa_is_value(entry))
		return line_pfn(entry, index);
	return ((const unsigned long *)entry)[index & CHUNK_MASK];
}

/* How many of @n pages from @index on, all in one chunk, continue at @pfn. */
static unsigned long run_in_chunk(const void *entry, unsigned long index,
				  unsigned long n, unsigned long pfn)
{
	const unsigned long *pfns = entry;
	unsigned long i;

	if (xa_is_value(entry))
		return line_pfn(entry, index) == pfn ? n : 0;

	pfns += index & CHUNK_MASK;
	for (i = 0; i < n && pfns[i] == pfn + i; i++)
		;
	return i;
}

/* How many of @npages pages from @index, a border of chunks, on continue at @pfn. */
static noinline unsigned long run_in_more_chunks(struct iommufd_extents *ext,
						 unsigned long index,
						 unsigned long npages, unsigned long pfn)
{
	unsigned long done = 0, n, run;
	const void *entry;

	while (done < npages) {
		entry = load_chunk(ext, (index + done) / IOMMUFD_CHUNK_PAGES);
		if (!entry)
			break;
		n = within_chunk(index + done, npages - done);
		run = run_in_chunk(entry, index + done, n, pfn + done);
		done += run;
		if (run < n)
			break;
	}
	return done;
}

/**
 * iommufd_extents_run - The longest contiguous run from an index on
 * @ext: the store
 * @index: first page index; the page is in the store
 * @last: last page index of interest; all pages up to it are in the store
 * @pfn: set to the PFN of @index
 *
 * Context: Any. The caller serialises.
 * Return: length of the run in pages, at least 1 and at most @last - @index + 1; 0 if the
 * store does not have @index at all.
 */
unsigned long iommufd_extents_run(struct iommufd_extents *ext, unsigned long index,
				  unsigned long last, unsigned long *pfn)
{
	const void *entry = load_chunk(ext, index / IOMMUFD_CHUNK_PAGES);
	unsigned long npages = last - index + 1;
	unsigned long n = within_chunk(index, npages), run;

	if (!entry)
		return 0;

	/* With scattered pages this is called for every single one. */
	*pfn = entry_pfn(entry, index);
	run = run_in_chunk(entry, index, n, *pfn);
	if (run < n)
		return run;
	return n + run_in_more_chunks(ext, index + n, npages - n, *pfn + n);
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

	ext->entry = NULL;
	if (chunk >= end)
		return;

	xa_for_each_range(&ext->chunks, chunk, entry, chunk, end - 1) {
		xa_erase(&ext->chunks, chunk);
		if (!xa_is_value(entry))
			free_page((unsigned long)entry);
	}
}
