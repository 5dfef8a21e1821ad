// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of a guest that the IOMMU reads itself, and registers of the IOMMU that the guest
 * maps: what they need, what they keep, and what keeps them.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "viommu.h"

#define HUGE MIB(2)
#define IOVA MOCK_IOVA
#define IN_DATA 0x5a5a1234

FIXTURE(hw_queue) {
	int fd;
	__u32 ioas;
	struct mock_guest guest;
	char *mem;	/* one huge page, so contiguous, at IOVA */
};

FIXTURE_SETUP(hw_queue)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->guest = mock_guest(self->fd, self->ioas);
	self->mem = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ioas_map_at(self->fd, self->ioas, self->mem, HUGE, IOVA);
}

FIXTURE_TEARDOWN(hw_queue)
{
	close(self->fd);
	munmap(self->mem, HUGE);
}

TEST_F(hw_queue, keeps_its_memory_and_its_vIOMMU)
{
	__u32 id;

	ASSERT_EQ(0, __hw_queue_alloc(self->fd, self->guest.viommu, 0, IOVA + PAGE, PAGE, &id));
	EXPECT_EQ(-EBUSY, __ioas_unmap(self->fd, self->ioas, IOVA, HUGE));
	EXPECT_EQ(-EBUSY, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->guest.viommu));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->guest.parent, self->mem, HUGE, IOVA));
	ASSERT_EQ(0, __destroy(self->fd, id));
	EXPECT_EQ(HUGE, __ioas_unmap(self->fd, self->ioas, IOVA, HUGE));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
}

/* Only the areas it lies in */
TEST_F(hw_queue, other_memory_goes)
{
	char *more = alloc_aligned(2 * PAGE, false);
	__u32 id;

	ioas_map_at(self->fd, self->ioas, more, PAGE, IOVA + HUGE);
	ASSERT_EQ(0, __hw_queue_alloc(self->fd, self->guest.viommu, 0, IOVA, HUGE, &id));
	EXPECT_EQ(PAGE, __ioas_unmap(self->fd, self->ioas, IOVA + HUGE, PAGE));
	EXPECT_EQ(-EBUSY, __ioas_unmap_all(self->fd, self->ioas));
	close(self->fd);
	self->fd = mock_open();
	EXPECT_EQ(0, __mock_check_refs(self->fd, more, PAGE, 0));
}

TEST_F(hw_queue, one_after_the_other)
{
	__u32 viommu = self->guest.viommu, first, second, id;

	EXPECT_EQ(-EIO, __hw_queue_alloc(self->fd, viommu, 1, IOVA, PAGE, &id));
	EXPECT_EQ(-EINVAL, __hw_queue_alloc(self->fd, viommu, IOMMU_TEST_HW_QUEUE_MAX, IOVA,
					    PAGE, &id));
	ASSERT_EQ(0, __hw_queue_alloc(self->fd, viommu, 0, IOVA, PAGE, &first));
	EXPECT_EQ(-EEXIST, __hw_queue_alloc(self->fd, viommu, 0, IOVA, PAGE, &id));
	ASSERT_EQ(0, __hw_queue_alloc(self->fd, viommu, 1, IOVA, PAGE, &second));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, first));
	EXPECT_EQ(0, __destroy(self->fd, second));
	EXPECT_EQ(-EBUSY, __ioas_unmap(self->fd, self->ioas, IOVA, HUGE));
	EXPECT_EQ(0, __destroy(self->fd, first));
	/* Refused ones have left no lock on the memory. */
	EXPECT_EQ(HUGE, __ioas_unmap(self->fd, self->ioas, IOVA, HUGE));
}

TEST_F(hw_queue, closing_takes_them_in_order)
{
	__u32 viommu = self->guest.viommu, id;

	ASSERT_EQ(0, __hw_queue_alloc(self->fd, viommu, 0, IOVA, PAGE, &id));
	ASSERT_EQ(0, __hw_queue_alloc(self->fd, viommu, 1, IOVA, PAGE, &id));
	close(self->fd);
	self->fd = mock_open();
}

TEST_F(hw_queue, range_refused)
{
	__u32 viommu = self->guest.viommu, id;

	EXPECT_EQ(-EINVAL, __hw_queue_alloc(self->fd, viommu, 0, IOVA, 0, &id));
	EXPECT_EQ(-EOVERFLOW, __hw_queue_alloc(self->fd, viommu, 0, ~0ULL, 2, &id));
	EXPECT_EQ(-EOVERFLOW, __hw_queue_alloc(self->fd, viommu, 0, PAGE, ~0ULL, &id));
	EXPECT_EQ(-ERANGE, __hw_queue_alloc(self->fd, viommu, 0, ~0ULL - 1, 2, &id));
	EXPECT_EQ(-ENOENT, __hw_queue_alloc(self->fd, viommu, 0, 0, PAGE, &id));
	EXPECT_EQ(-ENOENT, __hw_queue_alloc(self->fd, viommu, 0, IOVA - PAGE, 2 * PAGE, &id));
	EXPECT_EQ(-ENOENT, __hw_queue_alloc(self->fd, viommu, 0, IOVA, HUGE + 1, &id));
	EXPECT_EQ(-ENOENT, __hw_queue_alloc(self->fd, 0, 0, IOVA, PAGE, &id));
	EXPECT_EQ(-ENOENT, __hw_queue_alloc(self->fd, self->ioas, 0, IOVA, PAGE, &id));

	/* Two halves of a huge page, in the wrong order and then in the right one */
	ASSERT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem + PAGE, PAGE, 2 * IOVA));
	ASSERT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, 2 * IOVA + PAGE));
	EXPECT_EQ(-EFAULT, __hw_queue_alloc(self->fd, viommu, 0, 2 * IOVA, 2 * PAGE, &id));
	ASSERT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem + PAGE, PAGE,
				   2 * IOVA + 2 * PAGE));
	EXPECT_EQ(0, __hw_queue_alloc(self->fd, viommu, 0, 2 * IOVA + PAGE, 2 * PAGE, &id));
	EXPECT_EQ(0, __destroy(self->fd, id));
}

TEST_F(hw_queue, memory_must_be_readable)
{
	__u64 iova = 2 * IOVA;
	__u32 id;

	ASSERT_EQ(0, __ioas_map(self->fd, self->ioas, MAP_W | IOMMU_IOAS_MAP_FIXED_IOVA,
				self->mem, PAGE, &iova));
	EXPECT_EQ(-EPERM, __hw_queue_alloc(self->fd, self->guest.viommu, 0, iova, PAGE, &id));
}

TEST_F(hw_queue, type_refused)
{
	struct iommu_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = self->guest.viommu,
		.nesting_parent_iova = IOVA,
		.length = PAGE,
	};

	EXPECT_EQ(-EOPNOTSUPP, __iommufd_ioctl(self->fd, IOMMU_HW_QUEUE_ALLOC, &cmd));
	cmd.type = IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV;
	EXPECT_EQ(-EOPNOTSUPP, __iommufd_ioctl(self->fd, IOMMU_HW_QUEUE_ALLOC, &cmd));
}

FIXTURE(map) {
	int fd;
	struct mock_guest guest;
	struct iommu_viommu_selftest data;
	__u32 viommu;
};

FIXTURE_SETUP(map)
{
	self->fd = mock_open();
	self->guest = mock_guest(self->fd, ioas_alloc(self->fd));
	self->data = (struct iommu_viommu_selftest){ .in_data = IN_DATA };
	must(__viommu_alloc(self->fd, self->guest.dev.idev, self->guest.parent, &self->data,
			    sizeof(self->data), &self->viommu));
}

FIXTURE_TEARDOWN(map)
{
	close(self->fd);
}

static int __map(int fd, __u64 length, int prot, int flags, __u64 offset, void **out)
{
	*out = mmap(NULL, length, prot, flags, fd, offset);
	return *out == MAP_FAILED ? -errno : 0;
}

TEST_F(map, mapping_keeps_the_vIOMMU)
{
	__u64 length = self->data.out_mmap_length;
	__u32 *regs;

	ASSERT_EQ(0, __map(self->fd, length, PROT_READ | PROT_WRITE, MAP_SHARED,
			   self->data.out_mmap_offset, (void **)&regs));
	EXPECT_EQ(IN_DATA, *regs);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->viommu));
	/* A part is enough. */
	ASSERT_EQ(0, munmap(regs, PAGE));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->viommu));
	ASSERT_EQ(0, munmap((char *)regs + PAGE, length - PAGE));
	EXPECT_EQ(0, __destroy(self->fd, self->viommu));
	EXPECT_EQ(-ENXIO, __map(self->fd, length, PROT_READ, MAP_SHARED,
				self->data.out_mmap_offset, (void **)&regs));
}

TEST_F(map, refused)
{
	__u64 offset = self->data.out_mmap_offset, length = self->data.out_mmap_length;
	void *p;

	EXPECT_EQ(-ENXIO, __map(self->fd, length, PROT_READ, MAP_SHARED, 0, &p));
	EXPECT_EQ(-ENXIO, __map(self->fd, length, PROT_READ, MAP_SHARED, offset + PAGE, &p));
	EXPECT_EQ(-ENXIO, __map(self->fd, length + PAGE, PROT_READ, MAP_SHARED, offset, &p));
	EXPECT_EQ(-ENXIO, __map(self->fd, length - PAGE, PROT_READ, MAP_SHARED, offset, &p));
	EXPECT_EQ(-EINVAL, __map(self->fd, length, PROT_READ, MAP_PRIVATE, offset, &p));
	EXPECT_EQ(-EPERM, __map(self->fd, length, PROT_READ | PROT_EXEC, MAP_SHARED, offset,
				&p));
	/* Nor later */
	ASSERT_EQ(0, __map(self->fd, length, PROT_READ, MAP_SHARED, offset, &p));
	EXPECT_EQ(-1, mprotect(p, length, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(MAP_FAILED, mremap(p, length, 2 * length, MREMAP_MAYMOVE));
	munmap(p, length);
	EXPECT_EQ(0, __destroy(self->fd, self->viommu));
}

/* The context lives on in the mapping, also in that of a child. */
TEST_F(map, outlives_the_file_descriptor)
{
	__u32 *regs;
	int status;
	pid_t pid;

	ASSERT_EQ(0, __map(self->fd, self->data.out_mmap_length, PROT_READ, MAP_SHARED,
			   self->data.out_mmap_offset, (void **)&regs));
	pid = fork();
	if (!pid) {
		munmap(regs, PAGE);
		_exit(regs[PAGE / sizeof(*regs)] ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->viommu));
	close(self->fd);
	EXPECT_EQ(IN_DATA, *regs);
	munmap(regs, self->data.out_mmap_length);
	self->fd = mock_open();
}

TEST_HARNESS_MAIN
