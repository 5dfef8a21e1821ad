// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users of an IOAS: what they may pin and when they lose it, and who pins a
 * page that several want.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define NPAGES 16
#define LENGTH (NPAGES * PAGE)
#define IOVA MOCK_IOVA

#define CAN_PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES
#define KEEPS_PINS MOCK_FLAGS_ACCESS_CREATE_KEEPS_PINS
#define WRITE MOCK_FLAGS_ACCESS_WRITE

FIXTURE(access) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	char *mem;
	/* How often an unused page that is mapped once is pinned */
	unsigned int base;
	int access;
	long pins;
};

FIXTURE_VARIANT(access) {
	bool page_table;
};

FIXTURE_VARIANT_ADD(access, alone) {
	.page_table = false,
};

FIXTURE_VARIANT_ADD(access, beside_a_page_table) {
	.page_table = true,
};

FIXTURE_SETUP(access)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_aligned(LENGTH, false);
	self->pins = pinned_pages();
	self->base = variant->page_table;
	if (variant->page_table)
		self->dev = mock_device(self->fd, self->ioas);
	self->access = must(__mock_access(self->fd, self->ioas, CAN_PIN));
}

FIXTURE_TEARDOWN(access)
{
	close(self->access);
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

/* Are @n pages from page @first on pinned that often? */
static int __pinned(const FIXTURE_DATA(access) *self, int first, int n, unsigned int pins)
{
	return __mock_check_refs(self->fd, self->mem + first * PAGE, n * PAGE, pins);
}

/* Map @n pages of the memory, from page @first on, where they are in the memory. */
static void map_pages(const FIXTURE_DATA(access) *self, int first, int n)
{
	ioas_map_at(self->fd, self->ioas, self->mem + first * PAGE, n * PAGE,
		    IOVA + first * PAGE);
}

/* Pin the same; the result is the item. */
static int __pin_pages(const FIXTURE_DATA(access) *self, int first, int n)
{
	return __mock_pin(self->fd, self->access, WRITE, IOVA + first * PAGE, n * PAGE,
			  self->mem + first * PAGE);
}

static long __unmap_pages(const FIXTURE_DATA(access) *self, int first, int n)
{
	return __ioas_unmap(self->fd, self->ioas, IOVA + first * PAGE, n * PAGE);
}

static int __unpin(const FIXTURE_DATA(access) *self, int item)
{
	return __mock_unpin(self->fd, self->access, item);
}

TEST_F(access, create)
{
	__u32 id, ioas = ioas_alloc(self->fd);
	int access;

	EXPECT_EQ(-ENOENT, __mock_access(self->fd, 0, CAN_PIN));
	EXPECT_EQ(-EOPNOTSUPP, __mock_access(self->fd, ioas, 1 << 7));
	if (variant->page_table)
		EXPECT_EQ(-ENOENT, __mock_access(self->fd, self->dev.hwpt, CAN_PIN));

	/* The access gets the lowest id that is free, which was this one. */
	id = ioas_alloc(self->fd);
	ASSERT_EQ(0, __destroy(self->fd, id));
	access = must(__mock_access(self->fd, ioas, 0));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, id));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, ioas));
	close(access);
	EXPECT_EQ(-ENOENT, __destroy(self->fd, id));
	EXPECT_EQ(0, __destroy(self->fd, ioas));
}

TEST_F(access, context_outlives_its_file)
{
	int other = mock_open();

	map_pages(self, 0, NPAGES);
	ASSERT_LE(0, __pin_pages(self, 0, 4));
	close(self->fd);
	self->fd = other;
	/* The access keeps the context, and with it page tables and mappings. */
	EXPECT_EQ(0, __pinned(self, 0, 4, 1));
	EXPECT_EQ(0, __pinned(self, 4, NPAGES - 4, self->base));
	close(self->access);
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 0));
	self->access = -1;
}

TEST_F(access, who_pins_needs_whole_pages)
{
	__u32 ioas = ioas_alloc(self->fd);
	struct ranges ranges;
	int access;

	must(__ioas_ranges(self->fd, self->ioas, &ranges));
	EXPECT_EQ(PAGE, ranges.alignment);
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, 1, IOVA));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, IOVA + 1));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem + 1, PAGE, IOVA));

	ioas_map_at(self->fd, ioas, self->mem, 1, IOVA);
	EXPECT_EQ(-EADDRINUSE, __mock_access(self->fd, ioas, CAN_PIN));
	access = must(__mock_access(self->fd, ioas, 0));
	must(__ioas_ranges(self->fd, ioas, &ranges));
	EXPECT_EQ(1, ranges.alignment);
	/* Neither may it move there. */
	EXPECT_EQ(-EADDRINUSE, __mock_access_replace(self->fd, self->access, ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));
	close(access);
}

TEST_F(access, alignment_goes_with_the_access)
{
	struct ranges ranges;

	close(self->access);
	must(__ioas_ranges(self->fd, self->ioas, &ranges));
	EXPECT_EQ(variant->page_table ? MOCK_PAGE : 1, ranges.alignment);
	self->access = must(__mock_access(self->fd, self->ioas, CAN_PIN));
	must(__ioas_ranges(self->fd, self->ioas, &ranges));
	EXPECT_EQ(PAGE, ranges.alignment);
}

TEST_F(access, every_start_and_length)
{
	size_t start, end;

	map_pages(self, 0, NPAGES);
	for (start = 0; start < 2 * PAGE; start += PAGE / 4) {
		for (end = start + 1; end <= 4 * PAGE; end += PAGE / 4 - 1) {
			int first = start / PAGE, n = (end - 1) / PAGE - first + 1;
			int item = __mock_pin(self->fd, self->access, WRITE, IOVA + start,
					      end - start, self->mem + start);

			ASSERT_LE(0, item);
			ASSERT_EQ(0, __pinned(self, first, n, 1));
			ASSERT_EQ(0, __pinned(self, 0, first, self->base));
			ASSERT_EQ(0, __pinned(self, first + n, NPAGES - first - n,
					      self->base));
			ASSERT_EQ(0, __unpin(self, item));
			ASSERT_EQ(0, __pinned(self, 0, NPAGES, self->base));
		}
	}
}

TEST_F(access, bad_pins)
{
	int copying = must(__mock_access(self->fd, self->ioas, 0));
	int fd = self->fd, access = self->access;

	map_pages(self, 0, 4);
	EXPECT_EQ(-EINVAL, __mock_pin(fd, access, 0, IOVA, 0, NULL));
	EXPECT_EQ(-EOVERFLOW, __mock_pin(fd, access, 0, -1ULL, 2, NULL));
	EXPECT_EQ(-ENOMEM, __mock_pin(fd, access, 0, IOVA, MIB(16) + 1, NULL));
	EXPECT_EQ(-EOPNOTSUPP, __mock_pin(fd, access, 1 << 1, IOVA, PAGE, NULL));
	EXPECT_EQ(-EOPNOTSUPP, __mock_pin(fd, copying, 0, IOVA, PAGE, NULL));
	EXPECT_EQ(-EBADFD, __mock_pin(fd, fd, 0, IOVA, PAGE, NULL));
	EXPECT_EQ(-EBADFD, __mock_pin(fd, 1000, 0, IOVA, PAGE, NULL));
	EXPECT_EQ(-EBADE, __mock_pin(fd, access, 0, IOVA, PAGE, self->mem + PAGE));

	/* Beside, before and behind what is mapped */
	EXPECT_EQ(-ENOENT, __mock_pin(fd, access, 0, IOVA - PAGE, PAGE, NULL));
	EXPECT_EQ(-ENOENT, __mock_pin(fd, access, 0, IOVA - 1, 2, NULL));
	EXPECT_EQ(-ENOENT, __mock_pin(fd, access, 0, IOVA + 4 * PAGE - 1, 2, NULL));
	EXPECT_EQ(-ENOENT, __mock_pin(fd, access, 0, IOVA, MIB(16), NULL));
	EXPECT_EQ(-ENOENT, __unpin(self, 0));
	EXPECT_EQ(-EBADFD, __mock_unpin(fd, fd, 0));
	EXPECT_EQ(0, __pinned(self, 0, 4, self->base));
	close(copying);
}

TEST_F(access, last_page_of_all)
{
	__u64 iova = -PAGE;
	int item;

	/* No page table reaches up there. */
	if (variant->page_table) {
		EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, iova));
		return;
	}
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, iova);
	item = must(__mock_pin(self->fd, self->access, WRITE, iova, PAGE, self->mem));
	EXPECT_EQ(0, __unpin(self, item));
	item = must(__mock_pin(self->fd, self->access, WRITE, -1ULL, 1, self->mem));
	EXPECT_EQ(0, __pinned(self, 0, 1, 1));
	EXPECT_EQ(PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, __unpin(self, item));
	EXPECT_EQ(0, __pinned(self, 0, 1, 0));
}

TEST_F(access, memory_that_is_not_there)
{
	ASSERT_EQ(0, munmap(self->mem + 2 * PAGE, PAGE));
	EXPECT_EQ(variant->page_table ? -EFAULT : 0,
		  __ioas_map_at(self->fd, self->ioas, self->mem, 4 * PAGE, IOVA));
	if (variant->page_table)
		return;
	EXPECT_EQ(-EFAULT, __mock_pin(self->fd, self->access, WRITE, IOVA, 4 * PAGE, NULL));
	EXPECT_EQ(-EFAULT, __mock_pin(self->fd, self->access, WRITE, IOVA + 2 * PAGE, PAGE,
				      NULL));
	EXPECT_EQ(0, __pinned(self, 0, 2, 0));
	EXPECT_LE(0, __pin_pages(self, 0, 2));
	EXPECT_LE(0, __pin_pages(self, 3, 1));
}

/* The first has, and does not keep a pin of a request that fails. */
TEST_F(access, second_mapping_has_no_memory)
{
	ioas_map_at(self->fd, self->ioas, self->mem, 2 * PAGE, IOVA);
	ASSERT_EQ(0, munmap(self->mem + 2 * PAGE, PAGE));
	EXPECT_EQ(variant->page_table ? -EFAULT : 0,
		  __ioas_map_at(self->fd, self->ioas, self->mem + 2 * PAGE, 2 * PAGE,
				IOVA + 2 * PAGE));
	EXPECT_EQ(variant->page_table ? -ENOENT : -EFAULT,
		  __mock_pin(self->fd, self->access, WRITE, IOVA, 4 * PAGE, NULL));
	EXPECT_EQ(0, __pinned(self, 0, 2, self->base));
	EXPECT_LE(0, __ioas_unmap_all(self->fd, self->ioas));
}

TEST_F(access, direction)
{
	__u64 readable = IOVA, writeable = IOVA + 4 * PAGE;
	int fd = self->fd, access = self->access;
	char data[2] = "";

	ASSERT_EQ(0, __ioas_map(fd, self->ioas, MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA,
				self->mem, 4 * PAGE, &readable));
	ASSERT_EQ(0, __ioas_map(fd, self->ioas, MAP_W | IOMMU_IOAS_MAP_FIXED_IOVA,
				self->mem + 4 * PAGE, 4 * PAGE, &writeable));
	EXPECT_LE(0, __mock_pin(fd, access, 0, readable, PAGE, self->mem));
	EXPECT_EQ(-EPERM, __mock_pin(fd, access, WRITE, readable, PAGE, NULL));
	EXPECT_LE(0, __mock_pin(fd, access, WRITE, writeable, PAGE, self->mem + 4 * PAGE));
	EXPECT_EQ(-EPERM, __mock_pin(fd, access, 0, writeable, PAGE, NULL));

	EXPECT_EQ(0, __mock_rw(fd, access, 0, readable, data, 2));
	EXPECT_EQ(-EPERM, __mock_rw(fd, access, MOCK_ACCESS_RW_WRITE, readable, data, 2));
	EXPECT_EQ(0, __mock_rw(fd, access, MOCK_ACCESS_RW_WRITE, writeable, data, 2));
	EXPECT_EQ(-EPERM, __mock_rw(fd, access, 0, writeable, data, 2));
	/* Both at once */
	EXPECT_EQ(-EPERM, __mock_pin(fd, access, 0, writeable - PAGE, 2 * PAGE, NULL));
	EXPECT_EQ(-EPERM, __mock_pin(fd, access, WRITE, writeable - PAGE, 2 * PAGE, NULL));
	EXPECT_EQ(0, __pinned(self, 3, 1, self->base));
}

TEST_F(access, pins_overlap)
{
	int a, b, c;

	map_pages(self, 0, NPAGES);
	a = must(__pin_pages(self, 0, 8));
	b = must(__pin_pages(self, 4, 8));
	c = must(__pin_pages(self, 4, 8));
	EXPECT_EQ(0, __pinned(self, 0, 12, 1));
	EXPECT_EQ(0, __unpin(self, b));
	EXPECT_EQ(-ENOENT, __unpin(self, b));
	EXPECT_EQ(0, __pinned(self, 0, 12, 1));
	EXPECT_EQ(0, __unpin(self, a));
	EXPECT_EQ(0, __pinned(self, 0, 4, self->base));
	EXPECT_EQ(0, __pinned(self, 4, 8, 1));
	EXPECT_EQ(0, __unpin(self, c));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, self->base));
}

TEST_F(access, pins_begin_at_one_place)
{
	int shorter, longer;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	shorter = must(__pin_pages(self, 0, 4));
	longer = must(__pin_pages(self, 0, 8));
	EXPECT_EQ(0, __unpin(self, longer));
	EXPECT_EQ(0, __pinned(self, 0, 4, 1));
	EXPECT_EQ(0, __pinned(self, 4, 4, self->base));
	longer = must(__pin_pages(self, 0, 8));
	EXPECT_EQ(0, __unpin(self, shorter));
	EXPECT_EQ(0, __pinned(self, 0, 8, 1));
	EXPECT_EQ(0, __unpin(self, longer));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, self->base));
}

TEST_F(access, pin_of_several_mappings)
{
	int item, i;

	for (i = 0; i < NPAGES; i += 4)
		map_pages(self, i, 4);
	item = must(__pin_pages(self, 1, NPAGES - 2));
	EXPECT_EQ(0, __pinned(self, 1, NPAGES - 2, 1));
	EXPECT_EQ(0, __pinned(self, 0, 1, self->base));
	EXPECT_EQ(0, __unpin(self, item));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, self->base));

	/* With a hole, not even what comes before it gets pinned. */
	EXPECT_EQ(4 * PAGE, __unmap_pages(self, 8, 4));
	EXPECT_EQ(-ENOENT, __pin_pages(self, 1, NPAGES - 2));
	EXPECT_EQ(0, __pinned(self, 0, 8, self->base));
}

TEST_F(access, unmap_takes_pins_away)
{
	int a, b, c;

	map_pages(self, 0, 4);
	map_pages(self, 4, 4);
	map_pages(self, 8, 4);
	a = must(__pin_pages(self, 1, 1));
	b = must(__pin_pages(self, 2, 4));
	c = must(__pin_pages(self, 8, 4));

	/* Who sticks out of a mapping loses all of the pin, of which a part is left. */
	EXPECT_EQ(4 * PAGE, __unmap_pages(self, 4, 4));
	EXPECT_EQ(-ENOENT, __unpin(self, b));
	EXPECT_EQ(0, __pinned(self, 4, 4, 0));
	EXPECT_EQ(0, __pinned(self, 2, 2, self->base));
	EXPECT_EQ(0, __pinned(self, 1, 1, 1));
	EXPECT_EQ(0, __unpin(self, a));

	EXPECT_EQ(8 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, __unpin(self, c));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 0));
}

TEST_F(access, refused_unmap_takes_nothing_away)
{
	int item;

	map_pages(self, 0, 8);
	item = must(__pin_pages(self, 0, 4));
	EXPECT_EQ(-ENOENT, __unmap_pages(self, 0, 4));
	EXPECT_EQ(0, __pinned(self, 0, 4, 1));
	EXPECT_EQ(0, __unpin(self, item));
}

TEST_F(access, unmap_with_a_user_who_keeps_pins)
{
	int access = must(__mock_access(self->fd, self->ioas, CAN_PIN | KEEPS_PINS)), item;
	char byte = 1;

	map_pages(self, 0, 4);
	map_pages(self, 4, 4);
	item = must(__mock_pin(self->fd, access, WRITE, IOVA + 3 * PAGE, PAGE, NULL));
	EXPECT_EQ(-EDEADLOCK, __unmap_pages(self, 0, 4));
	EXPECT_EQ(-EDEADLOCK, __ioas_unmap_all(self->fd, self->ioas));
	/* Nothing has changed, also for others. */
	EXPECT_EQ(0, __pinned(self, 3, 1, 1));
	EXPECT_EQ(0, __pinned(self, 4, 4, self->base));
	if (variant->page_table)
		EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem,
					      8 * PAGE, IOVA));
	EXPECT_EQ(0, __unpin(self, must(__pin_pages(self, 0, 8))));
	EXPECT_EQ(0, __mock_rw(self->fd, self->access, MOCK_ACCESS_RW_WRITE, IOVA, &byte, 1));
	EXPECT_EQ(-EEXIST, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, IOVA));

	EXPECT_EQ(4 * PAGE, __unmap_pages(self, 4, 4));
	EXPECT_EQ(0, __mock_unpin(self->fd, access, item));
	EXPECT_EQ(4 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 0));
	close(access);
}

TEST_F(access, move_to_another_ioas)
{
	__u32 other = ioas_alloc(self->fd);
	int item;

	map_pages(self, 0, 4);
	ioas_map_at(self->fd, other, self->mem + 8 * PAGE, 4 * PAGE, IOVA);
	item = must(__pin_pages(self, 0, 4));

	EXPECT_EQ(-ENOENT, __mock_access_replace(self->fd, self->access, 0));
	EXPECT_EQ(-EBADFD, __mock_access_replace(self->fd, self->fd, other));
	EXPECT_EQ(0, __pinned(self, 0, 4, 1));
	ASSERT_EQ(0, __mock_access_replace(self->fd, self->access, other));
	EXPECT_EQ(-ENOENT, __unpin(self, item));
	EXPECT_EQ(0, __pinned(self, 0, 4, self->base));
	EXPECT_EQ(variant->page_table ? -EBUSY : 0, __destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, other));

	/* The same IOVA leads elsewhere. */
	EXPECT_LE(0, __mock_pin(self->fd, self->access, 0, IOVA, 4 * PAGE,
				self->mem + 8 * PAGE));
	EXPECT_EQ(0, __pinned(self, 8, 4, 1));
	/* To where it is already */
	EXPECT_EQ(0, __mock_access_replace(self->fd, self->access, other));
	EXPECT_EQ(4 * PAGE, __ioas_unmap_all(self->fd, other));
	EXPECT_EQ(0, __pinned(self, 8, 4, 0));
}

TEST_F(access, pages_are_pinned_once_for_all)
{
	int second = must(__mock_access(self->fd, self->ioas, CAN_PIN));
	struct mock_device dev;
	__u32 hwpt;

	/* The page tables come while pages are pinned, and go while they still are. */
	map_pages(self, 0, NPAGES);
	ASSERT_LE(0, __pin_pages(self, 2, 8));
	must(__mock_pin(self->fd, second, WRITE, IOVA + 6 * PAGE, 8 * PAGE, NULL));
	dev = mock_device(self->fd, self->ioas);
	must(__hwpt_alloc(self->fd, dev.idev, self->ioas, 0, &hwpt));
	EXPECT_EQ(0, __mock_check_map(self->fd, hwpt, self->mem, LENGTH, IOVA));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 1));

	EXPECT_EQ(0, __destroy(self->fd, hwpt));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 1));
	EXPECT_EQ(0, __destroy(self->fd, dev.stdev));
	if (variant->page_table)
		EXPECT_EQ(0, __destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(0, __pinned(self, 0, 2, 0));
	EXPECT_EQ(0, __pinned(self, 2, 12, 1));
	EXPECT_EQ(0, __pinned(self, 14, 2, 0));
	close(second);
	EXPECT_EQ(0, __pinned(self, 2, 8, 1));
	EXPECT_EQ(0, __pinned(self, 10, 6, 0));
}

TEST_F(access, copies_share_pins)
{
	__u64 copy = IOVA + MIB(1);

	map_pages(self, 0, NPAGES);
	ASSERT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, 8 * PAGE,
				 &copy, IOVA));
	ASSERT_LE(0, __mock_pin(self->fd, self->access, WRITE, copy, 8 * PAGE, self->mem));
	ASSERT_LE(0, __pin_pages(self, 4, 8));
	EXPECT_EQ(0, __pinned(self, 0, 12, 1));
	/* The original goes with its pin, the copy is none of its business. */
	EXPECT_EQ(LENGTH, __unmap_pages(self, 0, NPAGES));
	EXPECT_EQ(0, __pinned(self, 0, 8, 1));
	EXPECT_EQ(0, __pinned(self, 8, 8, 0));
	EXPECT_EQ(8 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __pinned(self, 0, NPAGES, 0));
}

TEST_HARNESS_MAIN
