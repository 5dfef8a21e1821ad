// SPDX-License-Identifier: GPL-2.0
/*
 * Errors for which wrong arguments are not enough: rights that are missing, room that is
 * used up, and memory that is not there.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "process.h"

#define LENGTH (4 * PAGE)
#define IOVA MOCK_IOVA
#define NOBODY_UID 65534

FIXTURE(errors) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	char *mem;
};

FIXTURE_SETUP(errors)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->dev = mock_device(self->fd, self->ioas);
	self->mem = alloc_aligned(LENGTH, false);
}

FIXTURE_TEARDOWN(errors)
{
	close(self->fd);
}

TEST_F(errors, list_that_is_too_short)
{
	const struct iommu_iova_range untouched = { 1, 2 };
	struct iommu_iova_range list[3] = { untouched, untouched, untouched };
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd), .ioas_id = self->ioas, .num_iovas = 2,
		.allowed_iovas = (uintptr_t)list,
	};

	must(__mock_reserve(self->fd, self->ioas, IOVA + PAGE, PAGE));
	must(__mock_reserve(self->fd, self->ioas, IOVA + 3 * PAGE, PAGE));
	EXPECT_EQ(-EMSGSIZE, __iommufd_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	/* What there is room for, and how much there is. */
	EXPECT_EQ(3, cmd.num_iovas);
	EXPECT_EQ(MOCK_PAGE, cmd.out_iova_alignment);
	EXPECT_EQ(IOVA, list[0].start);
	EXPECT_EQ(IOVA + PAGE - 1, list[0].last);
	EXPECT_EQ(IOVA + 2 * PAGE, list[1].start);
	EXPECT_EQ(IOVA + 3 * PAGE - 1, list[1].last);
	EXPECT_EQ(0, memcmp(&untouched, &list[2], sizeof(untouched)));
	EXPECT_EQ(0, __iommufd_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	EXPECT_EQ(IOVA + 4 * PAGE, list[2].start);
}

TEST_F(errors, no_room)
{
	struct iommu_iova_range allowed = { IOVA, IOVA + LENGTH - 1 };
	__u64 iova = 0;

	ASSERT_EQ(0, __ioas_allow(self->fd, self->ioas, 1, &allowed));
	EXPECT_EQ(IOVA, ioas_map(self->fd, self->ioas, self->mem, LENGTH));
	EXPECT_EQ(-ENOSPC, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem, PAGE, &iova));
	EXPECT_EQ(-ENOSPC, __ioas_copy(self->fd, MAP_RW, self->ioas, self->ioas, PAGE, &iova,
				       IOVA));
	/* An address of one's own is not confined to the list. */
	iova = IOVA + LENGTH;
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, PAGE, &iova,
				 IOVA));
	/* More than the page table reaches */
	ASSERT_EQ(0, __ioas_allow(self->fd, self->ioas, 0, NULL));
	EXPECT_EQ(-ENOSPC, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem, GIB(2), &iova));
}

/* Memory that was mapped while nobody looked at it */
TEST_F(errors, copy_of_what_is_not_there)
{
	__u32 lazy = ioas_alloc(self->fd);
	__u64 iova = IOVA;

	ASSERT_EQ(0, munmap(self->mem + PAGE, PAGE));
	ioas_map_at(self->fd, lazy, self->mem, LENGTH, IOVA);
	EXPECT_EQ(-EFAULT, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, lazy, LENGTH, &iova,
				       IOVA));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	/* The good part of it can be had. */
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, lazy, PAGE, &iova, IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, PAGE, 1));
}

TEST_F(errors, who_pays_is_settled_before_there_are_objects)
{
	int fd = iommufd_open();

	EXPECT_EQ(0, __option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0));
	EXPECT_EQ(-EINVAL, __option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2));
	EXPECT_EQ(0, __option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	EXPECT_EQ(1, __option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0));
	EXPECT_EQ(-EOPNOTSUPP, __option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 1, 0));
	/* Objects of any kind, and until the last has gone */
	EXPECT_EQ(-EBUSY, __option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	EXPECT_EQ(-EBUSY, __option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2));
	ASSERT_EQ(0, __destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(-EBUSY, __option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	ASSERT_EQ(0, __destroy(self->fd, self->ioas));
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	close(fd);
}

TEST_F(errors, who_pays_is_not_for_anybody)
{
	int fd = iommufd_open(), status;
	pid_t child = fork();

	if (!child) {
		become_user(NOBODY_UID, MIB(1));
		/* The right comes before all else. */
		if (__option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1) != -EPERM ||
		    __option_set(fd, IOMMU_OPTION_RLIMIT_MODE, 0, 2) != -EPERM ||
		    __option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, 1) != -EPERM)
			_exit(1);
		_exit(__option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0) != 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, __option_get(fd, IOMMU_OPTION_RLIMIT_MODE, 0));
	close(fd);
}

TEST_F(errors, ioas_of_the_compatibility_ioctls)
{
	__u32 id = ioas_alloc(self->fd), got = 0;

	EXPECT_EQ(-ENODEV, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(0, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_CLEAR, &got));
	EXPECT_EQ(0, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &id));
	EXPECT_EQ(0, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(id, got);
	got = self->dev.hwpt;
	EXPECT_EQ(-ENOENT, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &got));
	/* It is not kept; with it goes the choice. */
	EXPECT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(-ENODEV, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &got));
	EXPECT_EQ(0, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	EXPECT_EQ(0, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_CLEAR, &got));
	EXPECT_EQ(-ENODEV, __vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &got));
}

TEST_HARNESS_MAIN
