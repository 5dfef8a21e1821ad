// SPDX-License-Identifier: GPL-2.0
/*
 * A page that an IOMMU can not map, for want of memory, in the middle of what was asked
 * for: nothing stays mapped, pinned or charged, and what was there before is still there.
 *
 * Hardware does this when it finds no page for its own tables. The mock IOMMU does it
 * when it is told to.
 */
#include <errno.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define NPAGES 16
#define LENGTH (NPAGES * PAGE)
#define PART (4 * PAGE)
#define OTHER_IOVA (MOCK_IOVA + MIB(4))

FIXTURE(rollback)
{
	int fd;
	__u32 ioas;
	struct mock_device dev;
	char *mem, *other;
	long pins;
};

FIXTURE_VARIANT(rollback)
{
	int page;
};

FIXTURE_VARIANT_ADD(rollback, first_page)
{
	.page = 0,
};

FIXTURE_VARIANT_ADD(rollback, page_in_the_middle)
{
	.page = NPAGES / 2,
};

FIXTURE_VARIANT_ADD(rollback, last_page)
{
	.page = NPAGES - 1,
};

FIXTURE_SETUP(rollback)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	/* The size of the pages is the mock's, so that each of ours is mapped by itself. */
	must(__option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	self->mem = alloc_aligned(LENGTH, false);
	self->other = alloc_aligned(LENGTH, false);
	self->pins = pinned_pages();
}

FIXTURE_TEARDOWN(rollback)
{
	mock_fail_map(0, 0);
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
}

static __u64 bad_iova(const FIXTURE_VARIANT(rollback) *variant, __u64 start)
{
	return start + variant->page * PAGE;
}

/* Whichever of the page tables it is that fails, the mapping is in neither of them. */
TEST_F(rollback, a_map_that_one_page_table_refuses_is_in_none)
{
	__u32 second;
	int before;

	self->dev = mock_device(self->fd, self->ioas);
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &second));
	for (before = 0; before < 2; before++) {
		mock_fail_map(bad_iova(variant, MOCK_IOVA), before);
		EXPECT_EQ(-ENOMEM, __ioas_map_at(self->fd, self->ioas, self->mem, LENGTH,
						 MOCK_IOVA));
		EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
		EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
		EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, LENGTH));
	}

	ASSERT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_map(self->fd, second, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
}

/* Another area of the same memory keeps its pins when a copy fails. */
TEST_F(rollback, a_copy_that_fails_leaves_the_source_pinned)
{
	__u64 iova = OTHER_IOVA;

	self->dev = mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	mock_fail_map(bad_iova(variant, OTHER_IOVA), 0);
	EXPECT_EQ(-ENOMEM, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, LENGTH,
				       &iova, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, OTHER_IOVA, LENGTH));

	/* A part of it elsewhere keeps that part when the source goes, and nothing the rest. */
	iova = OTHER_IOVA;
	ASSERT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, PART, &iova,
				 MOCK_IOVA));
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, LENGTH));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, PART, 1));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + PART, LENGTH - PART, 0));
}

/* The first mapping is in the new page table already when the second does not get in. */
TEST_F(rollback, a_first_page_table_that_can_not_be_filled_pins_nothing)
{
	ioas_map_at(self->fd, self->ioas, self->other, LENGTH, MOCK_IOVA);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, OTHER_IOVA);
	mock_fail_map(bad_iova(variant, OTHER_IOVA), 0);
	EXPECT_EQ(-ENOMEM, __mock_device(self->fd, self->ioas, 0, &self->dev));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->other, LENGTH, 0));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));

	ASSERT_EQ(0, __mock_device(self->fd, self->ioas, 0, &self->dev));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem, LENGTH, OTHER_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
}

TEST_F(rollback, a_second_page_table_that_can_not_be_filled_leaves_the_first)
{
	__u32 second;

	self->dev = mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->other, LENGTH, MOCK_IOVA);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, OTHER_IOVA);
	mock_fail_map(bad_iova(variant, OTHER_IOVA), 0);
	EXPECT_EQ(-ENOMEM, __hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &second));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem, LENGTH, OTHER_IOVA));

	/* Unmapping does not look for what the second would have had. */
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, LENGTH));
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, OTHER_IOVA, LENGTH));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_F(rollback, a_replace_that_can_not_fill_the_new_page_table_keeps_the_old)
{
	__u32 ioas = ioas_alloc(self->fd), pt = ioas;

	self->dev = mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, ioas, 0));
	ioas_map_at(self->fd, ioas, self->other, LENGTH, OTHER_IOVA);
	mock_fail_map(bad_iova(variant, OTHER_IOVA), 0);
	EXPECT_EQ(-ENOMEM, __mock_replace(self->fd, self->dev.stdev, &pt));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->other, LENGTH, 0));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __destroy(self->fd, ioas));
}

TEST_HARNESS_MAIN
