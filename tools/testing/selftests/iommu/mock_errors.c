// SPDX-License-Identifier: GPL-2.0
/*
 * Errors for which wrong arguments are not enough: rights that are missing, room that is
 * used up, and memory that is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

TEST_F(errors, list_of_nothing)
{
	__u32 ioas = ioas_alloc(self->fd);
	struct iommu_ioas_iova_ranges cmd = { .size = sizeof(cmd), .ioas_id = ioas };
	const __u64 half = 1ULL << 63;

	EXPECT_EQ(-EMSGSIZE, __iommufd_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	EXPECT_EQ(1, cmd.num_iovas);
	must(__mock_reserve(self->fd, ioas, 0, half));
	must(__mock_reserve(self->fd, ioas, half, half));
	cmd.num_iovas = 0;
	EXPECT_EQ(0, __iommufd_ioctl(self->fd, IOMMU_IOAS_IOVA_RANGES, &cmd));
	EXPECT_EQ(0, cmd.num_iovas);
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, ioas, self->mem, PAGE, IOVA));
}

TEST_F(errors, place_that_the_kernel_can_not_choose)
{
	__u32 empty = ioas_alloc(self->fd);
	__u64 iova = 0;

	/* Without a page table nothing is pinned: half of all addresses is where it ends. */
	EXPECT_EQ(-EOVERFLOW, __ioas_map(self->fd, empty, MAP_RW, self->mem, INT64_MAX, &iova));
	EXPECT_EQ(0, __ioas_map(self->fd, empty, MAP_RW, self->mem, INT64_MAX - 1, &iova));
	EXPECT_EQ(INT64_MAX - 1, __ioas_unmap_all(self->fd, empty));

	/* The IOVA has the place in the page that the memory has. */
	EXPECT_EQ(-EINVAL, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem + 8, PAGE, &iova));
	EXPECT_EQ(-EINVAL, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem + MOCK_PAGE / 2,
				      PAGE, &iova));
	EXPECT_EQ(0, __ioas_map(self->fd, self->ioas, MAP_RW, self->mem + MOCK_PAGE, PAGE,
				&iova));
	EXPECT_EQ(MOCK_PAGE, iova % PAGE);
}

TEST_F(errors, file_that_is_open_for_reading)
{
	int memfd = must(memfd_create("errors", 0)), file;
	char path[32];

	must(ftruncate(memfd, PAGE));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	file = must(open(path, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(-EPERM, __ioas_map_file_at(self->fd, self->ioas, MAP_RW, file, 0, PAGE, IOVA));
	EXPECT_EQ(-EPERM, __ioas_map_file_at(self->fd, self->ioas, MAP_W, file, 0, PAGE, IOVA));
	EXPECT_EQ(0, __ioas_map_file_at(self->fd, self->ioas, MAP_R, file, 0, PAGE, IOVA));
	/* A copy can not do more than the map. */
	EXPECT_EQ(-EPERM, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, PAGE,
				      &(__u64){ IOVA + PAGE }, IOVA));
	close(file);
	close(memfd);
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

/* What another process maps without a page table */
struct mapper {
	int fd;
	__u32 ioas;
	void *mem;
	size_t memlock;	/* as an ordinary user with that limit, or as we are if it is 0 */
};

static int map_lazily(int sock, void *arg)
{
	struct mapper *mapper = arg;

	if (mapper->memlock)
		become_user(NOBODY_UID, mapper->memlock);
	if (__ioas_map_at(mapper->fd, mapper->ioas, mapper->mem, LENGTH, IOVA))
		return 1;
	send_go(sock);
	return wait_go(sock) ? 0 : 2;
}

TEST_F(errors, copy_of_memory_whose_process_has_gone)
{
	struct mapper mapper = { self->fd, ioas_alloc(self->fd), self->mem, 0 };
	struct child child;
	__u64 iova = IOVA;

	child_start(&child, map_lazily, &mapper);
	ASSERT_TRUE(wait_go(child.sock));
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, PAGE, &iova,
				 IOVA));
	send_go(child.sock);
	ASSERT_EQ(0, child_wait(&child));

	/* What is pinned stays, and can be had again; nothing else can. */
	iova += PAGE;
	EXPECT_EQ(-EFAULT, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, PAGE,
				       &iova, IOVA + PAGE));
	EXPECT_EQ(-EFAULT, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, LENGTH,
				       &iova, IOVA));
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, PAGE, &iova,
				 IOVA));
	EXPECT_EQ(2 * PAGE, __ioas_unmap_all(self->fd, self->ioas));
}

/* Whose limit counts is who mapped it, and not who copies it. */
TEST_F(errors, copy_beyond_the_limit_of_the_mapper)
{
	struct mapper mapper = { self->fd, ioas_alloc(self->fd), self->mem, LENGTH - PAGE };
	struct child child;
	__u64 iova = IOVA;

	child_start(&child, map_lazily, &mapper);
	ASSERT_TRUE(wait_go(child.sock));
	EXPECT_EQ(-ENOMEM, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, LENGTH,
				       &iova, IOVA));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	EXPECT_EQ(0, __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, mapper.ioas, LENGTH - PAGE,
				 &iova, IOVA));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

/* Maps with the right to lock memory, gives it up, and has that memory pinned. */
static int map_before_the_right_is_lost(int sock, void *arg)
{
	const FIXTURE_DATA(errors) *self = arg;
	__u32 lazy = ioas_alloc(self->fd);
	__u64 iova = IOVA;

	(void)sock;
	ioas_map_at(self->fd, lazy, self->mem, LENGTH, IOVA);
	become_user(NOBODY_UID, PAGE);
	/* That of today is too small, ... */
	if (__ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MIB(64)) != -ENOMEM)
		return 1;
	/* ... and that of the map has no limit. */
	return __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, lazy, LENGTH, &iova, IOVA) ? 2 : 0;
}

TEST_F(errors, right_to_lock_memory_is_that_of_the_map)
{
	struct child child;

	child_start(&child, map_before_the_right_is_lost, self);
	EXPECT_EQ(0, child_wait(&child));
}

TEST_F(errors, huge_pages_can_be_turned_off_once_more)
{
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
	EXPECT_EQ(0, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 1));
	EXPECT_EQ(-EINVAL, __option_set(self->fd, IOMMU_OPTION_HUGE_PAGES, self->ioas, 0));
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
