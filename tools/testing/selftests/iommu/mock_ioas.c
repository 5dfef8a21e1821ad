// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of an IOAS without a page table, with one and with two, and what the page
 * tables of the mock IOMMU then hold.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define NPAGES 16
#define LENGTH (NPAGES * PAGE)

FIXTURE(ioas) {
	int fd;
	__u32 ioas;
	unsigned int n;
	struct mock_device dev;
	__u32 hwpt[2];
	char *mem;
	long pins;
};

FIXTURE_VARIANT(ioas) {
	unsigned int page_tables;
	bool small_pages;
};

FIXTURE_VARIANT_ADD(ioas, no_domain) {
	.page_tables = 0,
};

FIXTURE_VARIANT_ADD(ioas, one_domain) {
	.page_tables = 1,
};

FIXTURE_VARIANT_ADD(ioas, one_domain_small_pages) {
	.page_tables = 1, .small_pages = true,
};

FIXTURE_VARIANT_ADD(ioas, two_domains) {
	.page_tables = 2,
};

FIXTURE_SETUP(ioas)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_aligned(LENGTH, false);
	self->pins = pinned_pages();
	self->n = variant->page_tables;
	if (variant->small_pages)
		must(__option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	if (self->n > 0) {
		self->dev = mock_device(self->fd, self->ioas);
		self->hwpt[0] = self->dev.hwpt;
	}
	if (self->n > 1)
		must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &self->hwpt[1]));
}

FIXTURE_TEARDOWN(ioas)
{
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

/* Do all page tables lead from @iova to @va? */
static int __mapped(const FIXTURE_DATA(ioas) *self, const void *va, __u64 length, __u64 iova)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < self->n; i++)
		ret = __mock_check_map(self->fd, self->hwpt[i], va, length, iova);
	return ret;
}

/* How often a page is pinned that is mapped */
static unsigned int pin_count(const FIXTURE_DATA(ioas) *self)
{
	return self->n > 0;
}

static size_t alignment(const FIXTURE_DATA(ioas) *self, bool small_pages)
{
	return small_pages ? PAGE : self->n ? MOCK_PAGE : 1;
}

TEST_F(ioas, every_start_and_length)
{
	size_t step = alignment(self, variant->small_pages) < MOCK_PAGE ?
		      MOCK_PAGE : alignment(self, variant->small_pages);
	size_t start, length;

	for (start = 0; start < 4 * PAGE; start += step) {
		for (length = step; start + length <= 4 * PAGE; length += step) {
			char *va = self->mem + start;

			ioas_map_at(self->fd, self->ioas, va, length, MOCK_IOVA + start);
			ASSERT_EQ(0, __mapped(self, va, length, MOCK_IOVA + start));
			ASSERT_EQ(0, __mock_check_refs(self->fd, self->mem + start / PAGE * PAGE,
						       PAGE, pin_count(self)));
			ASSERT_EQ(length, __ioas_unmap(self->fd, self->ioas,
						       MOCK_IOVA + start, length));
			ASSERT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
		}
	}
}

TEST_F(ioas, offset_in_page_may_differ)
{
	/* The IOVA begins with a page, the memory in the middle of one. */
	int ret = __ioas_map_at(self->fd, self->ioas, self->mem + MOCK_PAGE, PAGE, MOCK_IOVA);

	if (variant->small_pages) {
		EXPECT_EQ(-EINVAL, ret);
		return;
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, __mapped(self, self->mem + MOCK_PAGE, PAGE, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 2 * PAGE, pin_count(self)));
}

TEST_F(ioas, alignment)
{
	size_t align = alignment(self, variant->small_pages), off = align / 2;
	struct ranges ranges;

	must(__ioas_ranges(self->fd, self->ioas, &ranges));
	EXPECT_EQ(align, ranges.alignment);
	if (!off)
		off = 1;
	EXPECT_EQ(off == align ? 0 : -EINVAL,
		  __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA + off));
	EXPECT_EQ(off == align ? 0 : -EINVAL,
		  __ioas_map_at(self->fd, self->ioas, self->mem, PAGE + off,
				MOCK_IOVA + 4 * PAGE));
	EXPECT_EQ(off == align ? 0 : -EINVAL,
		  __ioas_map_at(self->fd, self->ioas, self->mem + off, PAGE,
				MOCK_IOVA + 8 * PAGE));
}

TEST_F(ioas, overlap)
{
	static const struct {
		int start, npages;
	} overlap[] = { { 4, 4 }, { 3, 2 }, { 7, 2 }, { 5, 1 }, { 3, 6 }, { 0, 5 } };
	__u64 iova = MOCK_IOVA;
	unsigned int i;

	ioas_map_at(self->fd, self->ioas, self->mem, 4 * PAGE, iova + 4 * PAGE);
	for (i = 0; i < ARRAY_LEN(overlap); i++)
		EXPECT_EQ(-EEXIST, __ioas_map_at(self->fd, self->ioas, self->mem,
						 overlap[i].npages * PAGE,
						 iova + overlap[i].start * PAGE));
	EXPECT_EQ(0, __mapped(self, self->mem, 4 * PAGE, iova + 4 * PAGE));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, 4 * PAGE, iova));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, iova + 8 * PAGE));
	/* Each map pins for itself. */
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, PAGE, 3 * pin_count(self)));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + PAGE, 3 * PAGE,
				       2 * pin_count(self)));
}

TEST_F(ioas, unmap_takes_whole_mappings)
{
	__u64 iova = MOCK_IOVA;
	int i;

	/* Pages 0-3, a hole, 8-11, 12-15 */
	for (i = 0; i < 16; i += 4)
		if (i != 4)
			ioas_map_at(self->fd, self->ioas, self->mem + i * PAGE, 4 * PAGE,
				    iova + i * PAGE);

	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, iova, PAGE));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, iova + 3 * PAGE, PAGE));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, iova + 4 * PAGE, 4 * PAGE));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, iova + 9 * PAGE, 7 * PAGE));
	EXPECT_EQ(0, __mapped(self, self->mem, 4 * PAGE, iova));
	EXPECT_EQ(0, __mapped(self, self->mem + 8 * PAGE, 8 * PAGE, iova + 8 * PAGE));

	EXPECT_EQ(8 * PAGE, __ioas_unmap(self->fd, self->ioas, iova, 12 * PAGE));
	EXPECT_EQ(0, __mapped(self, self->mem + 12 * PAGE, 4 * PAGE, iova + 12 * PAGE));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 12 * PAGE, 0));
	EXPECT_EQ(4 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_F(ioas, end_of_the_address_space)
{
	__u64 last_page = self->n ? MOCK_APERTURE_LAST + 1ULL - PAGE : -PAGE;
	int beyond = self->n ? -EINVAL : -EOVERFLOW;

	EXPECT_EQ(beyond, __ioas_map_at(self->fd, self->ioas, self->mem, 2 * PAGE, last_page));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, last_page));
	EXPECT_EQ(0, __mapped(self, self->mem, PAGE, last_page));
	EXPECT_EQ(-EEXIST, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, last_page));
	EXPECT_EQ(beyond == -EINVAL ? -ENOENT : -EOVERFLOW,
		  __ioas_unmap(self->fd, self->ioas, last_page + PAGE / 2, PAGE));
	EXPECT_EQ(PAGE, __ioas_unmap(self->fd, self->ioas, last_page, PAGE));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, last_page));
	EXPECT_EQ(PAGE, __ioas_unmap_all(self->fd, self->ioas));
}

TEST_F(ioas, copy_shares_pages)
{
	__u32 other = ioas_alloc(self->fd);
	__u64 iova = 0;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_RW, other, self->ioas, 4 * PAGE, &iova,
				 MOCK_IOVA + PAGE));
	iova = MOCK_IOVA + MIB(1);
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, 4 * PAGE,
				 &iova, MOCK_IOVA + PAGE));
	EXPECT_EQ(0, __mapped(self, self->mem + PAGE, 4 * PAGE, iova));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, pin_count(self)));

	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, LENGTH));
	EXPECT_EQ(0, __mapped(self, self->mem + PAGE, 4 * PAGE, iova));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + PAGE, 4 * PAGE, pin_count(self)));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + 5 * PAGE, LENGTH - 5 * PAGE, 0));
	EXPECT_EQ(0, __destroy(self->fd, other));
	EXPECT_EQ(4 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_F(ioas, copy_of_several_mappings)
{
	__u32 other = ioas_alloc(self->fd);
	__u64 iova = MOCK_IOVA + MIB(1);
	int i;

	for (i = 0; i < 4; i++)
		ioas_map_at(self->fd, other, self->mem + i * PAGE, PAGE, MIB(1) + i * PAGE);
	EXPECT_EQ(-ENOENT, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, other, 5 * PAGE,
				       &iova, MIB(1)));
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, other, 4 * PAGE, &iova,
				 MIB(1)));
	EXPECT_EQ(0, __mapped(self, self->mem, 4 * PAGE, iova));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 4 * PAGE, pin_count(self)));
	EXPECT_EQ(4 * PAGE, __ioas_unmap(self->fd, self->ioas, iova, 4 * PAGE));
}

TEST_F(ioas, copy_keeps_the_permission)
{
	__u64 iova = MOCK_IOVA;

	ASSERT_EQ(0, __ioas_map(self->fd, self->ioas, MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA,
				self->mem, LENGTH, &iova));
	iova = MOCK_IOVA + MIB(1);
	EXPECT_EQ(-EPERM, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, PAGE,
				      &iova, MOCK_IOVA));
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA, self->ioas,
				 self->ioas, PAGE, &iova, MOCK_IOVA));
	EXPECT_EQ(0, __mapped(self, self->mem, PAGE, iova));
}

TEST_F(ioas, kernel_chooses_aligned_iovas)
{
	size_t length;
	__u64 iova;

	for (length = PAGE; length <= LENGTH; length += PAGE) {
		size_t natural = length & -length;

		iova = ioas_map(self->fd, self->ioas, self->mem, length);
		EXPECT_EQ(0, iova % natural);
		EXPECT_EQ(0, __mapped(self, self->mem, length, iova));
		if (self->n)
			EXPECT_GE(iova, MOCK_IOVA);
	}
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, PAGE, NPAGES * pin_count(self)));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + LENGTH - PAGE, PAGE,
				       pin_count(self)));
}

TEST_F(ioas, kernel_avoids_what_is_reserved)
{
	struct iommu_iova_range allowed = { .start = MOCK_IOVA,
					    .last = MOCK_IOVA + 8 * PAGE - 1 };
	__u64 iova;

	ASSERT_EQ(0, __mock_reserve(self->fd, self->ioas, MOCK_IOVA + 8 * PAGE, PAGE));
	EXPECT_EQ(0, __ioas_allow(self->fd, self->ioas, 1, &allowed));
	EXPECT_EQ(-EADDRINUSE, __mock_reserve(self->fd, self->ioas, MOCK_IOVA, PAGE));
	EXPECT_EQ(MOCK_IOVA, ioas_map(self->fd, self->ioas, self->mem, 8 * PAGE));
	EXPECT_EQ(-ENOSPC, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem, PAGE, &iova));
	allowed.last += PAGE;
	EXPECT_EQ(-EADDRINUSE, __ioas_allow(self->fd, self->ioas, 1, &allowed));
	/* The old list stays. */
	EXPECT_EQ(-ENOSPC, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem, PAGE, &iova));
	EXPECT_EQ(0, __ioas_allow(self->fd, self->ioas, 0, NULL));
	EXPECT_EQ(0, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem, PAGE, &iova));
}

TEST_F(ioas, reserve)
{
	EXPECT_EQ(-EINVAL, __mock_reserve(self->fd, self->ioas, MOCK_IOVA, 0));
	EXPECT_EQ(-EOVERFLOW, __mock_reserve(self->fd, self->ioas, -1ULL, 2));
	EXPECT_EQ(-ENOENT, __mock_reserve(self->fd, 0, MOCK_IOVA, PAGE));
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA);
	EXPECT_EQ(-EADDRINUSE, __mock_reserve(self->fd, self->ioas, MOCK_IOVA + PAGE - 1, 1));
	EXPECT_EQ(0, __mock_reserve(self->fd, self->ioas, MOCK_IOVA + PAGE, 1));
	/* Ranges may overlap. */
	EXPECT_EQ(0, __mock_reserve(self->fd, self->ioas, MOCK_IOVA + PAGE, PAGE));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE,
					 MOCK_IOVA + PAGE));
}

TEST_F(ioas, usable_ranges)
{
	struct ranges ranges;

	ASSERT_EQ(0, __ioas_ranges(self->fd, self->ioas, &ranges));
	ASSERT_EQ(1, ranges.n);
	EXPECT_EQ(self->n ? MOCK_IOVA : 0, ranges.range[0].start);
	EXPECT_EQ(self->n ? MOCK_APERTURE_LAST : -1ULL, ranges.range[0].last);

	ASSERT_EQ(0, __mock_reserve(self->fd, self->ioas, MOCK_IOVA + PAGE, PAGE));
	ASSERT_EQ(0, __ioas_ranges(self->fd, self->ioas, &ranges));
	ASSERT_EQ(2, ranges.n);
	EXPECT_EQ(MOCK_IOVA + PAGE - 1, ranges.range[0].last);
	EXPECT_EQ(MOCK_IOVA + 2 * PAGE, ranges.range[1].start);
}

TEST_F(ioas, memory_that_ends_too_early)
{
	int expect = self->n ? -EFAULT : 0;

	ASSERT_EQ(0, munmap(self->mem + 8 * PAGE, PAGE));
	EXPECT_EQ(expect, __ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 8 * PAGE, 0));
	EXPECT_EQ(expect, __ioas_map_at(self->fd, self->ioas, self->mem + 8 * PAGE, LENGTH,
					MOCK_IOVA + MIB(1)));
	EXPECT_EQ(self->n ? 0 : 2 * LENGTH, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, 8 * PAGE, MOCK_IOVA));
	EXPECT_EQ(0, __mapped(self, self->mem, 8 * PAGE, MOCK_IOVA));
}

TEST_F(ioas, attached_devices_keep_it)
{
	EXPECT_EQ(self->n ? -EBUSY : 0, __destroy(self->fd, self->ioas));
	if (self->n > 1) {
		EXPECT_EQ(0, __destroy(self->fd, self->hwpt[1]));
		EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));
	}
	if (self->n) {
		EXPECT_EQ(0, __destroy(self->fd, self->dev.stdev));
		EXPECT_EQ(0, __destroy(self->fd, self->ioas));
	}
}

TEST_F(ioas, small_pages_are_an_option)
{
	ASSERT_EQ(!variant->small_pages,
		  __option_get(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas));
	EXPECT_EQ(-EINVAL, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 2));
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));

	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA);
	EXPECT_EQ(self->n ? -EINVAL : 0,
		  __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	if (self->n)
		return;
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));
	ioas_map_at(self->fd, self->ioas, self->mem, 1, MIB(1) + 1);
	EXPECT_EQ(-EADDRINUSE,
		  __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
}

TEST_HARNESS_MAIN
