// SPDX-License-Identifier: GPL-2.0
/*
 * 32-bit programs: the same commands through the system calls of i386, which a 64-bit
 * program can make as well. All it needs is arguments below 4 GiB.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "process.h"

/* Numbers of i386 */
#define NR32_GETPID 20
#define NR32_IOCTL 54

static long call32(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static int try_call(int sock, void *arg)
{
	(void)sock;
	(void)arg;
	return call32(NR32_GETPID, 0, 0, 0) == getpid() ? 0 : 1;
}

static bool has_32bit(void)
{
	struct child child;

	child_start(&child, try_call, NULL);
	return !child_wait(&child);
}

FIXTURE(compat) {
	int fd;
	/* A page below 4 GiB for arguments, and one to be mapped */
	void *arg;
	char *mem;
};

FIXTURE_SETUP(compat)
{
	if (!has_32bit())
		SKIP(return, "this kernel has no 32-bit system calls");
	self->fd = iommufd_open();
	self->arg = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->arg);
	self->mem = (char *)self->arg + PAGE;
}

FIXTURE_TEARDOWN(compat)
{
	close(self->fd);
}

/* The command with a copy of the argument where it can be reached. */
static int run(FIXTURE_DATA(compat) *self, unsigned long cmd, void *arg, size_t size)
{
	int ret;

	memcpy(self->arg, arg, size);
	ret = call32(NR32_IOCTL, self->fd, cmd, (long)self->arg);
	memcpy(arg, self->arg, size);
	return ret;
}

#define RUN(nr, arg) run(self, nr, &(arg), sizeof(arg))

TEST_F(compat, map_and_unmap)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = MAP_FIXED_RW,
		.length = PAGE,
		.user_va = (uintptr_t)self->mem,
		.iova = 0x123456789000,
	};
	struct iommu_ioas_unmap unmap = { .size = sizeof(unmap), .length = UINT64_MAX };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };

	ASSERT_EQ(0, RUN(IOMMU_IOAS_ALLOC, alloc));
	map.ioas_id = alloc.out_ioas_id;
	unmap.ioas_id = alloc.out_ioas_id;
	destroy.id = alloc.out_ioas_id;
	EXPECT_EQ(0, RUN(IOMMU_IOAS_MAP, map));
	EXPECT_EQ(-EEXIST, RUN(IOMMU_IOAS_MAP, map));
	EXPECT_EQ(0, RUN(IOMMU_IOAS_UNMAP, unmap));
	EXPECT_EQ(PAGE, unmap.length);
	EXPECT_EQ(0, RUN(IOMMU_DESTROY, destroy));
	EXPECT_EQ(-ENOENT, RUN(IOMMU_DESTROY, destroy));
}

TEST_F(compat, arrays)
{
	struct iommu_iova_range *range = (void *)self->mem;
	struct iommu_ioas_iova_ranges ranges = {
		.size = sizeof(ranges),
		.ioas_id = ioas_alloc(self->fd),
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)range,
	};
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow),
		.ioas_id = ranges.ioas_id,
		.num_iovas = 1,
		.allowed_iovas = (uintptr_t)range,
	};

	ASSERT_EQ(0, RUN(IOMMU_IOAS_IOVA_RANGES, ranges));
	EXPECT_EQ(1, ranges.num_iovas);
	EXPECT_EQ(UINT64_MAX, range->last);
	*range = (struct iommu_iova_range){ .start = GIB(5), .last = GIB(6) - 1 };
	EXPECT_EQ(0, RUN(IOMMU_IOAS_ALLOW_IOVAS, allow));
}

TEST_F(compat, unknown_and_unreachable)
{
	struct iommu_ioas_alloc alloc = { .size = 4 };

	EXPECT_EQ(-EINVAL, RUN(IOMMU_IOAS_ALLOC, alloc));
	EXPECT_EQ(-ENOTTY, RUN(_IO(IOMMUFD_TYPE, 0xf0), alloc));
	EXPECT_EQ(-EFAULT, call32(NR32_IOCTL, self->fd, IOMMU_IOAS_ALLOC, 0));
	/* Only 32 bits of a pointer count. */
	EXPECT_EQ(-EFAULT, call32(NR32_IOCTL, self->fd, IOMMU_IOAS_ALLOC, -4096));
}

TEST_F(compat, container)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)self->mem,
		.iova = MIB(16),
		.size = PAGE,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = MIB(16),
		.size = PAGE,
	};
	struct iommu_vfio_ioas ioas = { .size = sizeof(ioas), .op = IOMMU_VFIO_IOAS_SET };

	EXPECT_EQ(VFIO_API_VERSION, call32(NR32_IOCTL, self->fd, VFIO_GET_API_VERSION, 0));
	ioas.ioas_id = ioas_alloc(self->fd);
	ASSERT_EQ(0, RUN(IOMMU_VFIO_IOAS, ioas));
	EXPECT_EQ(0, RUN(VFIO_IOMMU_MAP_DMA, map));
	EXPECT_EQ(0, RUN(VFIO_IOMMU_UNMAP_DMA, unmap));
	EXPECT_EQ(PAGE, unmap.size);
}

TEST_HARNESS_MAIN
