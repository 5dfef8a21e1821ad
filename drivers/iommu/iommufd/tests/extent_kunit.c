// SPDX-License-Identifier: GPL-2.0
/*
 * The PFN store against an array of PFNs.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../extent.h"
#include "harness.h"

#define CHUNK IOMMUFD_CHUNK_PAGES
#define BLOCK (IOMMUFD_BLOCK_CHUNKS * CHUNK)
#define UNIVERSE (5 * CHUNK)
#define GIB_PAGES (1UL << (30 - PAGE_SHIFT))

static struct iommufd_extents ext;

static int extent_init(struct kunit *test)
{
	iommufd_extents_init(&ext);
	return 0;
}

static void extent_exit(struct kunit *test)
{
	iommufd_extents_destroy(&ext);
}

static unsigned long run_at(unsigned long index, unsigned long last, unsigned long *pfn)
{
	*pfn = -1UL;
	return iommufd_extents_run(&ext, index, last, pfn);
}

static void one_run(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 7, 1000, 20), 0);
	KUNIT_EXPECT_EQ(test, run_at(7, 26, &pfn), 20UL);
	KUNIT_EXPECT_EQ(test, pfn, 1000UL);
	KUNIT_EXPECT_EQ(test, run_at(10, 12, &pfn), 3UL);
	KUNIT_EXPECT_EQ(test, pfn, 1003UL);
}

static void run_goes_on_across_chunks(struct kunit *test)
{
	unsigned long pfn, last = 3 * CHUNK + 5;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 3, 5000, last - 3 + 1), 0);
	KUNIT_EXPECT_EQ(test, run_at(3, last, &pfn), last - 3 + 1);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK - 1, CHUNK, &pfn), 2UL);
	KUNIT_EXPECT_EQ(test, pfn, 5000 + CHUNK - 4);
}

static void run_ends_where_pfns_jump(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, CHUNK), 0);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, CHUNK, 9000, CHUNK), 0);
	KUNIT_EXPECT_EQ(test, run_at(0, 2 * CHUNK - 1, &pfn), CHUNK);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK, 2 * CHUNK - 1, &pfn), CHUNK);
	KUNIT_EXPECT_EQ(test, pfn, 9000UL);

	/* And within a chunk. */
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 2 * CHUNK, 50, 10), 0);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 2 * CHUNK + 10, 61, 10), 0);
	KUNIT_EXPECT_EQ(test, run_at(2 * CHUNK, 2 * CHUNK + 19, &pfn), 10UL);
	KUNIT_EXPECT_EQ(test, run_at(2 * CHUNK + 10, 2 * CHUNK + 19, &pfn), 10UL);
	KUNIT_EXPECT_EQ(test, pfn, 61UL);
}

/* The constant of a line is negative when the index is above the PFN. */
static void index_above_pfn_and_below(struct kunit *test)
{
	unsigned long high = 1UL << 51, pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, high, 1, 2), 0);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, high, 2), 0);
	KUNIT_EXPECT_EQ(test, run_at(high, high + 1, &pfn), 2UL);
	KUNIT_EXPECT_EQ(test, pfn, 1UL);
	KUNIT_EXPECT_EQ(test, run_at(0, 1, &pfn), 2UL);
	KUNIT_EXPECT_EQ(test, pfn, high);
}

/* What is pinned keeps its PFN when another part of the chunk gets another line. */
static void line_turns_into_table(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, 10), 0);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 20, 700, 10), 0);
	KUNIT_EXPECT_EQ(test, run_at(0, 9, &pfn), 10UL);
	KUNIT_EXPECT_EQ(test, pfn, 100UL);
	KUNIT_EXPECT_EQ(test, run_at(20, 29, &pfn), 10UL);
	KUNIT_EXPECT_EQ(test, pfn, 700UL);

	/* Other memory took the place of the first ones. */
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 300, 10), 0);
	KUNIT_EXPECT_EQ(test, run_at(0, 9, &pfn), 10UL);
	KUNIT_EXPECT_EQ(test, pfn, 300UL);
	KUNIT_EXPECT_EQ(test, run_at(25, 29, &pfn), 5UL);
	KUNIT_EXPECT_EQ(test, pfn, 705UL);
}

static void erase_takes_whole_chunks_only(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, 4 * CHUNK), 0);
	iommufd_extents_erase(&ext, 1, 3 * CHUNK - 2);
	KUNIT_EXPECT_EQ(test, run_at(0, CHUNK - 1, &pfn), CHUNK);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK, CHUNK, &pfn), 0UL);
	KUNIT_EXPECT_EQ(test, run_at(2 * CHUNK, 4 * CHUNK - 1, &pfn), 2 * CHUNK);
	KUNIT_EXPECT_EQ(test, pfn, 100 + 2 * CHUNK);

	iommufd_extents_erase(&ext, 3 * CHUNK, 4 * CHUNK - 1);
	KUNIT_EXPECT_EQ(test, run_at(2 * CHUNK, 4 * CHUNK - 1, &pfn), CHUNK);
	KUNIT_EXPECT_EQ(test, run_at(3 * CHUNK, 3 * CHUNK, &pfn), 0UL);
}

/* The store remembers the block that was used last, but not beyond its end. */
static void erased_block_is_forgotten(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, CHUNK, 100, 1), 0);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, CHUNK + 1, 7, 1), 0);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK, CHUNK + 1, &pfn), 1UL);
	iommufd_extents_erase(&ext, CHUNK, 2 * CHUNK - 1);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK, CHUNK + 1, &pfn), 0UL);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, CHUNK, 300, 2), 0);
	KUNIT_EXPECT_EQ(test, run_at(CHUNK, CHUNK + 1, &pfn), 2UL);
	KUNIT_EXPECT_EQ(test, pfn, 300UL);
}

/* A block lives as long as one of its entries, wherever that is. */
static void erase_goes_across_blocks(struct kunit *test)
{
	unsigned long pfn;

	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, 3 * BLOCK), 0);
	iommufd_extents_erase(&ext, BLOCK - CHUNK, 2 * BLOCK + CHUNK - 1);
	KUNIT_EXPECT_EQ(test, run_at(0, BLOCK - 1, &pfn), BLOCK - CHUNK);
	KUNIT_EXPECT_EQ(test, run_at(BLOCK - CHUNK, BLOCK, &pfn), 0UL);
	KUNIT_EXPECT_EQ(test, run_at(BLOCK, BLOCK, &pfn), 0UL);
	KUNIT_EXPECT_TRUE(test, !xa_load(&ext.blocks, 1));
	KUNIT_EXPECT_EQ(test, run_at(2 * BLOCK, 2 * BLOCK, &pfn), 0UL);
	KUNIT_EXPECT_EQ(test, run_at(2 * BLOCK + CHUNK, 3 * BLOCK - 1, &pfn), BLOCK - CHUNK);
	KUNIT_EXPECT_EQ(test, pfn, 100 + 2 * BLOCK + CHUNK);

	iommufd_extents_erase(&ext, 0, BLOCK - CHUNK - 1);
	KUNIT_EXPECT_EQ(test, run_at(0, 0, &pfn), 0UL);
	iommufd_extents_erase(&ext, 2 * BLOCK + CHUNK, 3 * BLOCK - 1);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ext.blocks));
}

static void list_of_pages(struct kunit *test)
{
	static const unsigned long pfns[] = { 10, 11, 12, 90, 91, 40, 13 };
	struct page *list[ARRAY_SIZE(pfns)];
	unsigned long pfn, first = CHUNK - 3;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++)
		list[i] = pfn_to_page(pfns[i]);
	KUNIT_ASSERT_EQ(test, iommufd_extents_add_pages(&ext, first, list, i), 0);
	KUNIT_EXPECT_EQ(test, run_at(first, first + 6, &pfn), 3UL);
	KUNIT_EXPECT_EQ(test, run_at(first + 3, first + 6, &pfn), 2UL);
	KUNIT_EXPECT_EQ(test, pfn, 90UL);
	KUNIT_EXPECT_EQ(test, run_at(first + 5, first + 6, &pfn), 1UL);
	KUNIT_EXPECT_EQ(test, pfn, 40UL);
	KUNIT_EXPECT_EQ(test, run_at(first + 6, first + 6, &pfn), 1UL);
	KUNIT_EXPECT_EQ(test, pfn, 13UL);
}

static bool is_table(const void *entry)
{
	return entry && !xa_is_value(entry);
}

static unsigned long count_tables(void)
{
	unsigned long nr, tables = is_table(ext.first), i;
	void **block;

	xa_for_each(&ext.blocks, nr, block)
		for (i = 0; i < IOMMUFD_BLOCK_CHUNKS; i++)
			tables += is_table(block[i]);
	return tables;
}

/* What an empty store has become that made @made allocations since. */
static unsigned long bytes_of_store(long made)
{
	unsigned long nr, blocks = 0, tables = count_tables();
	void **block;

	xa_for_each(&ext.blocks, nr, block)
		blocks++;
	return tables * PAGE_SIZE + blocks * IOMMUFD_BLOCK_CHUNKS * sizeof(void *) +
	       (made - tables - blocks) * sizeof(struct xa_node);
}

static void one_chunk_takes_no_memory(struct kunit *test)
{
	long before = harness_allocations();

	if (before < 0)
		kunit_skip(test, "allocations are not counted here");
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 1 << 20, CHUNK), 0);
	KUNIT_EXPECT_EQ(test, harness_allocations(), before);
}

static void contiguous_gib_costs_less_than_5_kib(struct kunit *test)
{
	long before = harness_allocations();

	if (before < 0)
		kunit_skip(test, "allocations are not counted here");
	KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 1 << 20, GIB_PAGES), 0);
	KUNIT_EXPECT_EQ(test, count_tables(), 0UL);
	KUNIT_EXPECT_LT(test, bytes_of_store(harness_allocations() - before), 5UL << 10);
}

static void scattered_gib_costs_less_than_2053_kib(struct kunit *test)
{
	long before = harness_allocations();
	unsigned long index;

	if (before < 0)
		kunit_skip(test, "allocations are not counted here");
	for (index = 0; index < GIB_PAGES; index++)
		KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, index, 2 * index, 1), 0);
	KUNIT_EXPECT_EQ(test, count_tables(), GIB_PAGES / CHUNK);
	KUNIT_EXPECT_LT(test, bytes_of_store(harness_allocations() - before), 2053UL << 10);
}

static void erase_takes_no_memory(struct kunit *test)
{
	unsigned long index;
	long before;

	if (harness_allocations() < 0)
		kunit_skip(test, "allocations are not counted here");
	for (index = 0; index < UNIVERSE; index++)
		KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, index, 2 * index, 1), 0);
	before = harness_allocations();
	iommufd_extents_erase(&ext, CHUNK / 2, 3 * CHUNK + 1);
	iommufd_extents_erase(&ext, 0, UNIVERSE - 1);
	KUNIT_EXPECT_EQ(test, harness_allocations(), before);
	KUNIT_EXPECT_TRUE(test, xa_empty(&ext.blocks));
}

/* What is there stays true when an add fails, whichever allocation it was. */
static void failed_add_harms_nothing(struct kunit *test)
{
	unsigned long pfn;
	int n, ret = -1;

	if (!harness_fail_allocation(0))
		kunit_skip(test, "allocations can not be made to fail here");
	for (n = 1; ret; n++) {
		iommufd_extents_erase(&ext, 0, ULONG_MAX);
		KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, 10), 0);
		KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 2 * CHUNK - 5, 7, 5), 0);

		harness_fail_allocation(n);
		ret = iommufd_extents_add(&ext, 10, 4000, 2 * CHUNK - 15);
		harness_fail_allocation(0);
		if (ret)
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, run_at(0, 9, &pfn), 10UL);
		KUNIT_EXPECT_EQ(test, pfn, 100UL);
		KUNIT_EXPECT_EQ(test, run_at(2 * CHUNK - 5, 2 * CHUNK - 1, &pfn), 5UL);
		KUNIT_EXPECT_EQ(test, pfn, 7UL);
		KUNIT_ASSERT_TRUE(test, n < 100);
	}
	KUNIT_EXPECT_TRUE(test, n > 3);
	KUNIT_EXPECT_EQ(test, run_at(10, 2 * CHUNK - 6, &pfn), 2 * CHUNK - 15);
}

static void failed_block_harms_nothing(struct kunit *test)
{
	unsigned long pfn;
	int n, ret = -1;

	if (!harness_fail_allocation(0))
		kunit_skip(test, "allocations can not be made to fail here");
	for (n = 1; ret; n++) {
		iommufd_extents_erase(&ext, 0, ULONG_MAX);
		KUNIT_ASSERT_EQ(test, iommufd_extents_add(&ext, 0, 100, 10), 0);

		harness_fail_allocation(n);
		ret = iommufd_extents_add(&ext, BLOCK - 5, 4000, 10);
		harness_fail_allocation(0);
		if (ret)
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
		KUNIT_EXPECT_EQ(test, run_at(0, 9, &pfn), 10UL);
		KUNIT_EXPECT_EQ(test, pfn, 100UL);
		KUNIT_ASSERT_TRUE(test, n < 100);
	}
	/* Two blocks, and a node of the XArray for the second */
	KUNIT_EXPECT_TRUE(test, n > 4);
	KUNIT_EXPECT_EQ(test, run_at(BLOCK - 5, BLOCK + 4, &pfn), 10UL);
}

/* The naive model: an array for the indices from @base on, and which of it is pinned. */
struct model {
	unsigned long base;
	unsigned long pfn[UNIVERSE];
	bool pinned[UNIVERSE];
};

static int add_list(struct model *model, unsigned long at, struct page **list, unsigned long n)
{
	return iommufd_extents_add_pages(&ext, model->base + at, list, n);
}

static int add_run(struct model *model, unsigned long at, unsigned long pfn, unsigned long n)
{
	return iommufd_extents_add(&ext, model->base + at, pfn, n);
}

static void model_add(struct kunit *test, struct model *model, u64 *state)
{
	unsigned long first = harness_random(state, UNIVERSE), i;
	unsigned long n = 1 + harness_random(state, min(UNIVERSE - first, 2 * CHUNK));
	unsigned long pfn = 1 + harness_random(state, 1 << 20);
	struct page **list = NULL;

	/* Half of them as a list that jumps now and then. */
	if (harness_random(state, 2))
		list = kmalloc(n * sizeof(*list), GFP_KERNEL);
	for (i = 0; i < n; i++) {
		if (list && !harness_random(state, 1 + (first & 255)))
			pfn += 1 + harness_random(state, 9);
		model->pfn[first + i] = pfn + i;
		model->pinned[first + i] = true;
		if (list)
			list[i] = pfn_to_page(pfn + i);
	}
	if (list)
		KUNIT_EXPECT_EQ(test, add_list(model, first, list, n), 0);
	else
		KUNIT_EXPECT_EQ(test, add_run(model, first, pfn, n), 0);
	kfree(list);
}

/* Unpin a range, and let the store forget the chunks that have nothing pinned. */
static void model_erase(struct model *model, u64 *state)
{
	unsigned long first = harness_random(state, UNIVERSE), chunk, i;
	unsigned long n = 1 + harness_random(state, min(UNIVERSE - first, 2 * CHUNK));

	memset(model->pinned + first, 0, n);
	for (chunk = 0; chunk < UNIVERSE; chunk += CHUNK) {
		for (i = 0; i < CHUNK && !model->pinned[chunk + i]; i++)
			;
		if (i == CHUNK)
			iommufd_extents_erase(&ext, model->base + chunk,
					      model->base + chunk + CHUNK - 1);
	}
}

static unsigned long model_run(const struct model *model, unsigned long at)
{
	unsigned long n = 1;

	while (at + n < UNIVERSE && model->pinned[at + n] &&
	       model->pfn[at + n] == model->pfn[at] + n)
		n++;
	return n;
}

static bool model_agrees(const struct model *model)
{
	unsigned long at = 0, last, pfn, n;

	while (at < UNIVERSE) {
		if (!model->pinned[at]) {
			at++;
			continue;
		}
		for (last = at; last + 1 < UNIVERSE && model->pinned[last + 1]; last++)
			;
		n = run_at(model->base + at, model->base + last, &pfn);
		if (n != model_run(model, at) || pfn != model->pfn[at])
			return false;
		at += n;
	}
	return true;
}

static void random_steps(struct kunit *test, unsigned long base)
{
	struct model *model = kzalloc(sizeof(*model), GFP_KERNEL);
	u64 state = harness_seed();
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	model->base = base;
	for (i = 0; i < harness_steps(); i++) {
		if (harness_random(&state, 3))
			model_add(test, model, &state);
		else
			model_erase(model, &state);
		if (!model_agrees(model)) {
			kunit_info(test, "step %u of seed %lu", i, harness_seed());
			KUNIT_EXPECT_TRUE(test, false);
			break;
		}
	}
	kfree(model);
}

static void random_steps_agree_with_an_array(struct kunit *test)
{
	random_steps(test, 0);
}

static void random_steps_agree_across_blocks(struct kunit *test)
{
	random_steps(test, BLOCK - 2 * CHUNK);
}

static struct kunit_case extent_cases[] = {
	KUNIT_CASE(one_run),
	KUNIT_CASE(run_goes_on_across_chunks),
	KUNIT_CASE(run_ends_where_pfns_jump),
	KUNIT_CASE(index_above_pfn_and_below),
	KUNIT_CASE(line_turns_into_table),
	KUNIT_CASE(erase_takes_whole_chunks_only),
	KUNIT_CASE(erased_block_is_forgotten),
	KUNIT_CASE(erase_goes_across_blocks),
	KUNIT_CASE(list_of_pages),
	KUNIT_CASE(one_chunk_takes_no_memory),
	KUNIT_CASE(contiguous_gib_costs_less_than_5_kib),
	KUNIT_CASE(scattered_gib_costs_less_than_2053_kib),
	KUNIT_CASE(erase_takes_no_memory),
	KUNIT_CASE(failed_add_harms_nothing),
	KUNIT_CASE(failed_block_harms_nothing),
	KUNIT_CASE_SLOW(random_steps_agree_with_an_array),
	KUNIT_CASE_SLOW(random_steps_agree_across_blocks),
	{ }
};

static struct kunit_suite extent_suite = {
	.name = "iommufd-extent",
	.init = extent_init,
	.exit = extent_exit,
	.test_cases = extent_cases,
};

kunit_test_suite(extent_suite);
