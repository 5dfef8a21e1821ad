// SPDX-License-Identifier: GPL-2.0
/*
 * Bitmaps of more than one window, filled in by something that walks a page table as
 * drivers do: where it is asked to begin it takes for the beginning of an IOPTE.
 */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/iova_bitmap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "harness.h"

#define BASE (7UL << 30)
#define BIT_BYTES 4096UL
/* A window is 64 GiB of such bits, so there are three. */
#define LENGTH (130UL << 30)
#define BITMAP_BYTES (LENGTH / BIT_BYTES / 8)

/* A page table in which all IOPTEs are of one size */
struct table {
	unsigned long entry;
	u64 random;
	u8 *dirty;		/* by IOPTE */
	unsigned int windows;
	unsigned int fail_at;	/* with -EIO; 0: never */
};

static int walk_table(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
		      void *opaque)
{
	struct table *table = opaque;
	unsigned long at;

	table->windows++;
	for (at = iova; at < iova + length; at += table->entry) {
		u8 *dirty = &table->dirty[(at - BASE) / table->entry];

		if (*dirty)
			iova_bitmap_set(bitmap, at, table->entry);
		*dirty = 0;
	}
	return table->windows == table->fail_at ? -EIO : 0;
}

/* The bytes of the bitmap for an IOPTE: all set or none, as @dirty says. */
static bool agrees(const u8 *bytes, size_t n, bool dirty)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i] != (dirty ? 0xff : 0))
			return false;
	return true;
}

static void read_all(struct kunit *test, unsigned long entry, unsigned long offset)
{
	size_t n = entry / BIT_BYTES / 8, nentries = LENGTH / entry, i;
	unsigned long data = harness_user_memory(test, BITMAP_BYTES + PAGE_SIZE) + offset;
	struct table table = { .entry = entry, .random = harness_seed() };
	struct iova_bitmap *bitmap;
	u8 *was, *bytes;

	table.dirty = kcalloc(2, nentries, GFP_KERNEL);
	bytes = kmalloc(n, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, table.dirty && bytes);
	was = table.dirty + nentries;
	for (i = 0; i < nentries; i++)
		was[i] = !harness_random(&table.random, 3);
	memcpy(table.dirty, was, nentries);

	bitmap = iova_bitmap_alloc(BASE, LENGTH, BIT_BYTES, (u64 __user *)data);
	KUNIT_ASSERT_NOT_NULL(test, bitmap);
	KUNIT_EXPECT_EQ(test, iova_bitmap_for_each(bitmap, &table, walk_table), 0);
	iova_bitmap_free(bitmap);

	KUNIT_EXPECT_LE(test, 3U, table.windows);
	for (i = 0; i < nentries; i++) {
		harness_read_user(bytes, data + i * n, n);
		if (!agrees(bytes, n, was[i]))
			break;
	}
	KUNIT_EXPECT_EQ(test, i, nentries);
	kfree(bytes);
	kfree(table.dirty);
}

static void no_window_cuts_huge_pages(struct kunit *test)
{
	read_all(test, SZ_2M, 0);
	read_all(test, SZ_2M, 16);
	read_all(test, SZ_2M, PAGE_SIZE - 1);
}

static void no_window_cuts_gigantic_pages(struct kunit *test)
{
	read_all(test, SZ_1G, 0);
	read_all(test, SZ_1G, 16);
}

/* The first window reports something that ends in the second, and fails. */
static void what_was_reported_is_set_after_an_error(struct kunit *test)
{
	unsigned long data = harness_user_memory(test, BITMAP_BYTES);
	struct table table = { .entry = LENGTH, .fail_at = 1 };
	struct iova_bitmap *bitmap;
	u8 dirty = 1, last = 0;

	table.dirty = &dirty;
	bitmap = iova_bitmap_alloc(BASE, LENGTH, BIT_BYTES, (u64 __user *)data);
	KUNIT_ASSERT_NOT_NULL(test, bitmap);
	KUNIT_EXPECT_EQ(test, iova_bitmap_for_each(bitmap, &table, walk_table), -EIO);
	iova_bitmap_free(bitmap);
	harness_read_user(&last, data + BITMAP_BYTES - 1, 1);
	KUNIT_EXPECT_EQ(test, last, 0xff);
}

static struct kunit_case iova_bitmap_cases[] = {
	KUNIT_CASE_SLOW(no_window_cuts_huge_pages),
	KUNIT_CASE(no_window_cuts_gigantic_pages),
	KUNIT_CASE(what_was_reported_is_set_after_an_error),
	{ }
};

static struct kunit_suite iova_bitmap_suite = {
	.name = "iommufd-iova-bitmap",
	.test_cases = iova_bitmap_cases,
};

kunit_test_suite(iova_bitmap_suite);
