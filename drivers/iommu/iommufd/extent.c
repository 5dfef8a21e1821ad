// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages are, in 8 bytes per contiguous 2 MiB.
 *
 * The indices are cut into chunks of 512 with one entry each. A chunk whose pinned pages
 * lie on one straight line, PFN = index + constant, has the constant for its entry. Any
 * other chunk has a pointer to one page with 512 PFNs. Physical contiguity of 2 MiB and
 * more, the case that matters, so costs one word; the worst case is 8 bytes per page, and
 * it is reached by turning lines into tables, never by splitting or merging.
 *
 * Entries are in blocks of 64, and an XArray finds the block. Once per 128 MiB that is,
 * so what is stored or read in order costs little more than with a plain array.
 *
 * Taking pages out needs no memory: an entry goes when no holder touches its chunk, a
 * block when it has no entries, and until then both stay as they are.
 *
 * This file is pure: no locks, no pins. The owner of the store serialises all calls
 * (pages->mutex). It also builds in user space, see tools/testing/unit.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

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
	ext->first = NULL;
	xa_init_flags(&ext->blocks, XA_FLAGS_ACCOUNT);
	ext->block = NULL;
}

/**
 * iommufd_extents_destroy - Free all that a store still has
 * @ext: the store
 */
void iommufd_extents_destroy(struct iommufd_extents *ext)
{
	iommufd_extents_erase(ext, 0, ULONG_MAX);
	xa_destroy(&ext->blocks);
}

static noinline void **load_block(struct iommufd_extents *ext, unsigned long nr)
{
	ext->block = xa_load(&ext->blocks, nr);
	ext->block_nr = nr;
	return ext->block;
}

static void **find_block(struct iommufd_extents *ext, unsigned long nr)
{
	if (ext->block && ext->block_nr == nr)
		return ext->block;
	return load_block(ext, nr);
}

static void **need_block(struct iommufd_extents *ext, unsigned long nr)
{
	void **block = find_block(ext, nr);

	if (block)
		return block;
	block = kcalloc(IOMMUFD_BLOCK_CHUNKS, sizeof(*block), GFP_KERNEL_ACCOUNT);
	if (!block)
		return NULL;
	if (xa_err(xa_store(&ext->blocks, nr, block, GFP_KERNEL_ACCOUNT))) {
		kfree(block);
		return NULL;
	}
	ext->block = block;
	return block;
}

/* Inlined up to here: with scattered pages this is done for every single one. */
static __always_inline const void *find_entry(struct iommufd_extents *ext,
					      unsigned long index)
{
	unsigned long chunk = index / IOMMUFD_CHUNK_PAGES;
	void **block;

	if (!chunk)
		return ext->first;
	block = find_block(ext, chunk / IOMMUFD_BLOCK_CHUNKS);
	return block ? block[chunk % IOMMUFD_BLOCK_CHUNKS] : NULL;
}

/* Where the entry of an index is, or will be. */
static void **need_entry(struct iommufd_extents *ext, unsigned long index)
{
	unsigned long chunk = index / IOMMUFD_CHUNK_PAGES;
	void **block;

	if (!chunk)
		return &ext->first;
	block = need_block(ext, chunk / IOMMUFD_BLOCK_CHUNKS);
	return block ? &block[chunk % IOMMUFD_BLOCK_CHUNKS] : NULL;
}

/* Make the entry of an index a table; a line becomes the table that says the same. */
static unsigned long *make_table(void **entry, unsigned long index)
{
	unsigned long base = index & ~CHUNK_MASK, *table, i;

	if (*entry && !xa_is_value(*entry))
		return *entry;

	table = (unsigned long *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	for (i = 0; *entry && i < IOMMUFD_CHUNK_PAGES; i++)
		table[i] = line_pfn(*entry, base + i);
	*entry = table;
	return table;
}

/* [index, index + npages) lies within one chunk. */
static int add_run_to_chunk(struct iommufd_extents *ext, unsigned long index,
			    unsigned long pfn, unsigned long npages)
{
	void **entry = need_entry(ext, index), *line = line_entry(index, pfn);
	unsigned long *table, i;

	if (!entry)
		return -ENOMEM;
	if (!*entry)
		*entry = line;
	if (*entry == line)
		return 0;

	table = make_table(entry, index);
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
	void **entry;

	for (i = 1; i < npages && page_to_pfn(list[i]) == pfn + i; i++)
		;
	if (i == npages)
		return add_run_to_chunk(ext, index, pfn, npages);

	entry = need_entry(ext, index);
	table = entry ? make_table(entry, index) : NULL;
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
		entry = find_entry(ext, index + done);
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
	const void *entry = find_entry(ext, index);
	unsigned long npages = last - index + 1;
	unsigned long n = within_chunk(index, npages), run;

	if (!entry)
		return 0;

	*pfn = entry_pfn(entry, index);
	run = run_in_chunk(entry, index, n, *pfn);
	if (run < n)
		return run;
	return n + run_in_more_chunks(ext, index + n, npages - n, *pfn + n);
}

static void drop_entry(void **entry)
{
	if (!xa_is_value(*entry))
		free_page((unsigned long)*entry);
	*entry = NULL;
}

/* Clear the entries [from, to) of a block, or what of that it has. Is any other set? */
static bool clear_entries(void **block, unsigned long from, unsigned long to)
{
	bool left = false;
	unsigned long i;

	for (i = 0; i < IOMMUFD_BLOCK_CHUNKS; i++) {
		if (i >= from && i < to)
			drop_entry(&block[i]);
		else if (block[i])
			left = true;
	}
	return left;
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
	unsigned long nr, base;
	void **block;

	if (chunk >= end)
		return;
	if (!chunk)
		drop_entry(&ext->first);

	ext->block = NULL;
	xa_for_each_range(&ext->blocks, nr, block, chunk / IOMMUFD_BLOCK_CHUNKS,
			  (end - 1) / IOMMUFD_BLOCK_CHUNKS) {
		base = nr * IOMMUFD_BLOCK_CHUNKS;
		if (clear_entries(block, max(chunk, base) - base, end - base))
			continue;
		xa_erase(&ext->blocks, nr);
		kfree(block);
	}
}
