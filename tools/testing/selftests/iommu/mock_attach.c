// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching to page tables, and what they then hold, seen in the page tables of the
 * mock IOMMU itself.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

#define LENGTH KIB(64)

FIXTURE(attach) {
	int fd;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(attach)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_aligned(LENGTH, false);
}

FIXTURE_TEARDOWN(attach)
{
	close(self->fd);
	/* Whatever the test left: closing takes everything back, and at once. */
	self->fd = iommufd_open();
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
	close(self->fd);
}

TEST_F(attach, page_table_maps_what_was_there_before)
{
	struct mock_device dev;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));

	dev = mock_device(self->fd, self->ioas);
	EXPECT_EQ(0, __mock_check_map(self->fd, dev.hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
}

TEST_F(attach, page_table_maps_what_comes_later)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	EXPECT_EQ(0, __mock_check_map(self->fd, dev.hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, LENGTH));
	EXPECT_EQ(-EINVAL,
		  __mock_check_map(self->fd, dev.hwpt, self->mem, MOCK_PAGE, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_F(attach, check_sees_other_memory)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	EXPECT_EQ(-EINVAL, __mock_check_map(self->fd, dev.hwpt, self->mem + MOCK_PAGE,
					    MOCK_PAGE, MOCK_IOVA));
	EXPECT_EQ(-EINVAL, __mock_check_map(self->fd, dev.hwpt, self->mem + LENGTH - PAGE,
					    PAGE, MOCK_IOVA));
	EXPECT_EQ(-EIO, __mock_check_refs(self->fd, self->mem, PAGE, 0));
}

TEST_F(attach, devices_of_one_ioas_share_a_page_table)
{
	struct mock_device a = mock_device(self->fd, self->ioas);
	struct mock_device b = mock_device(self->fd, self->ioas);

	EXPECT_EQ(a.hwpt, b.hwpt);
	EXPECT_NE(a.idev, b.idev);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, a.hwpt));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, a.idev));
	EXPECT_EQ(0, __destroy(self->fd, a.stdev));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));
	EXPECT_EQ(0, __destroy(self->fd, b.stdev));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, b.hwpt));
	EXPECT_EQ(0, __destroy(self->fd, self->ioas));
}

TEST_F(attach, two_page_tables_pin_once)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	__u32 hwpt;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__hwpt_alloc(self->fd, dev.idev, self->ioas, 0, &hwpt));
	EXPECT_EQ(0, __mock_check_map(self->fd, hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));

	EXPECT_EQ(0, __destroy(self->fd, dev.stdev));
	EXPECT_EQ(-ENOENT, __mock_check_map(self->fd, dev.hwpt, self->mem, LENGTH,
					    MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_map(self->fd, hwpt, self->mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
	EXPECT_EQ(0, __destroy(self->fd, hwpt));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_F(attach, replace_between_ioas)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	__u32 other = ioas_alloc(self->fd), pt = other;

	ioas_map_at(self->fd, other, self->mem, LENGTH, MOCK_IOVA + LENGTH);
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
	ASSERT_EQ(0, __mock_replace(self->fd, dev.stdev, &pt));
	EXPECT_NE(dev.hwpt, pt);
	EXPECT_EQ(0, __mock_check_map(self->fd, pt, self->mem, LENGTH, MOCK_IOVA + LENGTH));

	/* The page table that was made for the first IOAS went with its last device. */
	EXPECT_EQ(-ENOENT, __destroy(self->fd, dev.hwpt));
	EXPECT_EQ(0, __destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, other));
}

TEST_F(attach, replace_to_nothing_known)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	__u32 pt = 0;

	EXPECT_EQ(-ENOENT, __mock_replace(self->fd, dev.stdev, &pt));
	pt = dev.idev;
	EXPECT_EQ(-EINVAL, __mock_replace(self->fd, dev.stdev, &pt));
	pt = self->ioas;
	EXPECT_EQ(-ENOENT, __mock_replace(self->fd, dev.idev, &pt));
	/* To where it is already */
	EXPECT_EQ(0, __mock_replace(self->fd, dev.stdev, &pt));
	EXPECT_EQ(dev.hwpt, pt);
}

TEST_F(attach, attach_to_nothing_known)
{
	struct mock_device dev = mock_device(self->fd, self->ioas), none;

	EXPECT_EQ(-ENOENT, __mock_device(self->fd, 0, 0, &none));
	EXPECT_EQ(-EINVAL, __mock_device(self->fd, dev.idev, 0, &none));
	EXPECT_EQ(-EINVAL, __mock_device(self->fd, dev.stdev, 0, &none));
	EXPECT_EQ(-EINVAL, __mock_device(self->fd, self->ioas, 1U << 31, &none));
}

TEST_F(attach, mapping_outside_of_the_aperture_prevents)
{
	struct mock_device dev;

	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA - PAGE);
	EXPECT_EQ(-EADDRINUSE, __mock_device(self->fd, self->ioas, 0, &dev));
	EXPECT_EQ(PAGE, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA - PAGE, PAGE));
	EXPECT_EQ(0, __mock_device(self->fd, self->ioas, 0, &dev));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE,
					 MOCK_IOVA - PAGE));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE,
					 MOCK_APERTURE_LAST + 1ULL));
}

TEST_F(attach, attach_over_a_reserved_range)
{
	struct mock_device dev;

	ASSERT_EQ(0, __mock_reserve(self->fd, self->ioas, MOCK_IOVA, PAGE));
	dev = mock_device(self->fd, self->ioas);
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA + PAGE));
	EXPECT_EQ(0, __mock_check_map(self->fd, dev.hwpt, self->mem, PAGE, MOCK_IOVA + PAGE));
}

TEST_HARNESS_MAIN
