// SPDX-License-Identifier: GPL-2.0
/*
 * A group of two devices that differ: in what they must not be mapped at, in whether their
 * writes can be recorded, in which PASIDs they use. Hardware in the lab has no such groups.
 */
#include <errno.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "viommu.h"

#define PASID 100

FIXTURE(group) {
	int fd;
	__u32 ioas, other;
	char *mem;
	struct mock_device first, second;
};

FIXTURE_SETUP(group)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->other = ioas_alloc(self->fd);
	self->mem = alloc_aligned(PAGE, false);
	self->first = mock_device(self->fd, self->ioas);
}

FIXTURE_TEARDOWN(group)
{
	close(self->fd);
}

static int add_second(int fd, __u32 pt, __u32 flags, const struct mock_device *first,
		      struct mock_device *second)
{
	return __mock_device_in_group(fd, pt, flags, first->stdev, second);
}

static bool is_reserved(int fd, __u32 ioas)
{
	struct ranges ranges;

	must(__ioas_ranges(fd, ioas, &ranges));
	return !ranges_contain(&ranges, MOCK_RESERVED_START,
			       MOCK_RESERVED_START + MOCK_RESERVED_LENGTH - 1);
}

TEST_F(group, devices_share_one_page_table)
{
	__u32 pt = self->other;

	ASSERT_EQ(0, add_second(self->fd, self->ioas, 0, &self->first, &self->second));
	EXPECT_EQ(self->first.hwpt, self->second.hwpt);
	ASSERT_EQ(0, __mock_replace(self->fd, self->second.stdev, &pt));
	EXPECT_EQ(0, __destroy(self->fd, self->ioas));
	EXPECT_EQ(0, __destroy(self->fd, self->second.stdev));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->other));
	EXPECT_EQ(0, __destroy(self->fd, self->first.stdev));
	EXPECT_EQ(0, __destroy(self->fd, self->other));
}

TEST_F(group, B1_second_device_can_not_go_elsewhere)
{
	EXPECT_EQ(-EINVAL, add_second(self->fd, self->other, 0, &self->first, &self->second));
	EXPECT_EQ(-ENOENT, __mock_device_in_group(self->fd, self->ioas, 0, self->ioas,
						  &self->second));
	EXPECT_EQ(0, __destroy(self->fd, self->other));
}

TEST_F(group, regions_of_the_second_are_reserved_while_it_is_attached)
{
	EXPECT_FALSE(is_reserved(self->fd, self->ioas));
	ASSERT_EQ(0, add_second(self->fd, self->ioas, MOCK_FLAGS_DEVICE_RESERVED,
				&self->first, &self->second));
	EXPECT_TRUE(is_reserved(self->fd, self->ioas));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE,
					 MOCK_RESERVED_START));
	EXPECT_EQ(0, __destroy(self->fd, self->second.stdev));
	EXPECT_FALSE(is_reserved(self->fd, self->ioas));
}

TEST_F(group, second_does_not_come_where_its_regions_are_mapped)
{
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_RESERVED_START);
	EXPECT_EQ(-EADDRINUSE, add_second(self->fd, self->ioas, MOCK_FLAGS_DEVICE_RESERVED,
					  &self->first, &self->second));
	EXPECT_FALSE(is_reserved(self->fd, self->ioas));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->first.hwpt, self->mem, PAGE,
				      MOCK_RESERVED_START));
}

/* By way of the first, whose regions collide with nothing, and which comes first. */
TEST_F(group, R6_replace_that_the_second_prevents_changes_nothing)
{
	__u32 pt = self->other;

	ASSERT_EQ(0, add_second(self->fd, self->ioas, MOCK_FLAGS_DEVICE_RESERVED,
				&self->first, &self->second));
	ioas_map_at(self->fd, self->other, self->mem, PAGE, MOCK_RESERVED_START);
	EXPECT_EQ(-EADDRINUSE, __mock_replace(self->fd, self->first.stdev, &pt));
	EXPECT_TRUE(is_reserved(self->fd, self->ioas));
	EXPECT_FALSE(is_reserved(self->fd, self->other));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));

	EXPECT_EQ(PAGE, __ioas_unmap_all(self->fd, self->other));
	ASSERT_EQ(0, __mock_replace(self->fd, self->first.stdev, &pt));
	EXPECT_FALSE(is_reserved(self->fd, self->ioas));
	EXPECT_TRUE(is_reserved(self->fd, self->other));
}

/* The first alone has a region: those of the second are given back, the first's stay. */
TEST_F(group, R6_regions_of_the_first_survive)
{
	struct mock_device first, second;
	__u32 pt = self->other, third = ioas_alloc(self->fd);

	must(__mock_device(self->fd, third, MOCK_FLAGS_DEVICE_RESERVED, &first));
	ASSERT_EQ(0, add_second(self->fd, third, 0, &first, &second));
	ioas_map_at(self->fd, self->other, self->mem, PAGE, MOCK_RESERVED_START);
	EXPECT_EQ(-EADDRINUSE, __mock_replace(self->fd, second.stdev, &pt));
	EXPECT_TRUE(is_reserved(self->fd, third));
	EXPECT_EQ(0, __destroy(self->fd, second.stdev));
	EXPECT_TRUE(is_reserved(self->fd, third));
	EXPECT_EQ(0, __destroy(self->fd, first.stdev));
	EXPECT_FALSE(is_reserved(self->fd, third));
}

/* Both have one, and that of the second is in the way. */
TEST_F(group, R6_regions_of_the_first_do_not_arrive)
{
	struct mock_device first, second;
	__u32 pt = self->other, third = ioas_alloc(self->fd);

	must(__mock_device(self->fd, third, MOCK_FLAGS_DEVICE_RESERVED, &first));
	ASSERT_EQ(0, add_second(self->fd, third, MOCK_FLAGS_DEVICE_RESERVED_NEXT, &first,
				&second));
	ioas_map_at(self->fd, self->other, self->mem, PAGE,
		    MOCK_RESERVED_START + MOCK_RESERVED_LENGTH);
	EXPECT_EQ(-EADDRINUSE, __mock_replace(self->fd, first.stdev, &pt));
	EXPECT_FALSE(is_reserved(self->fd, self->other));
	EXPECT_TRUE(is_reserved(self->fd, third));
}

FIXTURE(pasids) {
	int fd;
	__u32 ioas;
	struct mock_device first, second;
	__u32 a, b;	/* page tables for PASIDs */
};

FIXTURE_SETUP(pasids)
{
	__u32 pt;

	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &self->first));
	must(__hwpt_alloc(self->fd, self->first.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID,
			  &self->a));
	must(__hwpt_alloc(self->fd, self->first.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID,
			  &self->b));
	pt = self->a;
	must(__mock_replace(self->fd, self->first.stdev, &pt));
	must(add_second(self->fd, self->a,
			MOCK_FLAGS_DEVICE_PASID | MOCK_FLAGS_DEVICE_NO_DIRTY, &self->first,
			&self->second));
}

FIXTURE_TEARDOWN(pasids)
{
	close(self->fd);
}

/* Both devices are programmed, whoever of them asks. */
static bool both_use(int fd, const struct mock_device *first,
		     const struct mock_device *second, __u32 hwpt)
{
	return !__mock_pasid_check(fd, first->stdev, PASID, hwpt) &&
	       !__mock_pasid_check(fd, second->stdev, PASID, hwpt);
}

TEST_F(pasids, P4_devices_of_a_group_share_a_pasid)
{
	const struct mock_device *first = &self->first, *second = &self->second;

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, first->stdev, PASID, self->b));
	EXPECT_TRUE(both_use(self->fd, first, second, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, second->stdev, PASID, self->a));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, second->stdev, PASID, self->b));
	EXPECT_EQ(-EBUSY, __mock_pasid_attach(self->fd, second->stdev, PASID, self->b));

	EXPECT_EQ(0, __mock_pasid_detach(self->fd, first->stdev, PASID));
	EXPECT_TRUE(both_use(self->fd, first, second, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, first->stdev, PASID, self->a));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->b));
	EXPECT_EQ(0, __mock_pasid_detach(self->fd, second->stdev, PASID));
	EXPECT_TRUE(both_use(self->fd, first, second, 0));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
}

TEST_F(pasids, P4_replace_moves_all)
{
	const struct mock_device *first = &self->first, *second = &self->second;

	must(__mock_pasid_attach(self->fd, first->stdev, PASID, self->b));
	must(__mock_pasid_attach(self->fd, second->stdev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, first->stdev, PASID, self->a));
	EXPECT_TRUE(both_use(self->fd, first, second, self->a));
	EXPECT_EQ(0, __mock_pasid_replace(self->fd, second->stdev, PASID, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
	/* Each is a user of the new one. */
	EXPECT_EQ(0, __destroy(self->fd, first->stdev));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, second->stdev, PASID, self->a));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->a));
	EXPECT_EQ(0, __destroy(self->fd, second->stdev));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
}

TEST_F(pasids, P4_second_device_refuses)
{
	const __u32 flags = IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	const struct mock_device *first = &self->first, *second = &self->second;
	__u32 tracking;

	if (!mock_can_track(self->fd, first->idev))
		SKIP(return, "no dirty tracking in this kernel");
	must(__hwpt_alloc(self->fd, first->idev, self->ioas, flags, &tracking));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, first->stdev, PASID, tracking));
	EXPECT_TRUE(both_use(self->fd, first, second, 0));
	must(__mock_pasid_attach(self->fd, first->stdev, PASID, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, first->stdev, PASID, tracking));
	EXPECT_TRUE(both_use(self->fd, first, second, self->b));
	EXPECT_EQ(0, __destroy(self->fd, tracking));
}

/* Nobody could say which of them a page fault came from. */
TEST_F(pasids, P4_faults_are_of_one_device)
{
	const struct mock_device *first = &self->first, *second = &self->second;
	__u32 parent, fault, with;
	int queue;

	queue = must(__fault_alloc(self->fd, &fault));
	must(__hwpt_alloc(self->fd, first->idev, self->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &parent));
	must(__nested_alloc(self->fd, first->idev, parent,
			    IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_FAULT_ID_VALID, fault, &with));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, first->stdev, PASID, with));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, second->stdev, PASID, with));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, first->stdev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, second->stdev, PASID, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, second->stdev, PASID, with));
	EXPECT_TRUE(both_use(self->fd, first, second, self->b));
	close(queue);
}

TEST_HARNESS_MAIN
