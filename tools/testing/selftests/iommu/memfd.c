// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is named by a file: which pages are pinned, also when the file changes
 * behind the mapping's back, and what seals forbid.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vfio.h"

#define IOVA 0x200000ULL
#define PAGES (THP / PAGE)

FIXTURE(memfd)
{
	struct vdev dev;
	int iommufd, fd;
	/* The file is mapped into the first; the second has the device. */
	__u32 from, ioas;
	long pinned;
};

FIXTURE_VARIANT(memfd)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(memfd, shmem)
{
	.flags = MFD_ALLOW_SEALING,
};

FIXTURE_VARIANT_ADD(memfd, hugetlb)
{
	.flags = MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_HUGE_2MB,
};

FIXTURE_SETUP(memfd)
{
	struct pci_list edu;

	self->dev.fd = -1;
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	self->fd = memfd_create("test", variant->flags);
	if (self->fd < 0 || ftruncate(self->fd, THP) ||
	    fallocate(self->fd, 0, 0, THP))
		SKIP(return, "no such memory");
	pci_bind(edu.bdf[0], "vfio-pci");
	self->pinned = pinned_pages();
	self->iommufd = iommufd_open();
	self->from = ioas_alloc(self->iommufd);
	self->ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
	vdev_attach(&self->dev, self->ioas);
}

FIXTURE_TEARDOWN(memfd)
{
	vdev_close(&self->dev);
	close(self->iommufd);
	close(self->fd);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

static int __map_file(int iommufd, __u32 ioas, int fd, __u32 flags)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas, .fd = fd, .length = THP, .iova = IOVA,
	};

	return ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

static int __copy_pages(const FIXTURE_DATA(memfd) *self, unsigned int first, unsigned int n)
{
	__u64 iova = IOVA + first * PAGE;

	return __ioas_copy(self->iommufd, MAP_FIXED_RW, self->ioas, self->from, n * PAGE,
			   &iova, iova);
}

static long newly_pinned(const FIXTURE_DATA(memfd) *self, long want)
{
	return pinned_pages_settle(self->pinned + want) - self->pinned;
}

TEST_F(memfd, device_and_file_are_the_same_memory)
{
	char *va = mmap(NULL, THP, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);

	ASSERT_EQ(0, __map_file(self->iommufd, self->ioas, self->fd, MAP_RW));
	memset(va, 0x5a, PAGE);
	edu_copy(&self->dev, IOVA, IOVA + 7 * PAGE, PAGE);
	EXPECT_EQ(0, memcmp(va, va + 7 * PAGE, PAGE));
	/* The mapping does not need the process's own one. */
	munmap(va, THP);
	edu_copy(&self->dev, IOVA + 7 * PAGE, IOVA + 9 * PAGE, PAGE);
	va = mmap(NULL, THP, PROT_READ, MAP_SHARED, self->fd, 0);
	EXPECT_EQ(0x5a, va[9 * PAGE]);
}

TEST_F(memfd, every_page_that_is_held_is_pinned_once)
{
	ASSERT_EQ(0, __map_file(self->iommufd, self->from, self->fd, MAP_RW));
	EXPECT_EQ(0, newly_pinned(self, 0));
	ASSERT_EQ(0, __copy_pages(self, 3, 1));
	EXPECT_EQ(1, newly_pinned(self, 1));
	ASSERT_EQ(0, __copy_pages(self, 100, 200));
	EXPECT_EQ(201, newly_pinned(self, 201));
	EXPECT_EQ(PAGE, __ioas_unmap(self->iommufd, self->ioas, IOVA + 3 * PAGE, PAGE));
	EXPECT_EQ(200, newly_pinned(self, 200));
	EXPECT_EQ(200 * PAGE, __ioas_unmap_all(self->iommufd, self->ioas));
	EXPECT_EQ(0, newly_pinned(self, 0));
}

/* One index, two folios: the old one is still mapped, and the new one must have its own pins. */
TEST_F(memfd, hole_punched_under_a_mapping)
{
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	char *va;

	ASSERT_EQ(0, __map_file(self->iommufd, self->from, self->fd, MAP_RW));
	ASSERT_EQ(0, __copy_pages(self, 0, 1));
	ASSERT_EQ(0, fallocate(self->fd, punch, 0, THP));
	ASSERT_EQ(0, __copy_pages(self, 1, PAGES - 1));
	EXPECT_EQ((long)PAGES, newly_pinned(self, PAGES));

	/* Now the memory of both is out of the file, and must not be anybody else's. */
	ASSERT_EQ(0, fallocate(self->fd, punch, 0, THP));
	va = mmap(NULL, 8 * THP, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	memset(va, 0x33, 8 * THP);
	edu_copy(&self->dev, IOVA, IOVA + 5 * PAGE, PAGE);
	EXPECT_EQ(0, memcmp(va, va + 1, 8 * THP - 1));
	EXPECT_EQ((long)THP, __ioas_unmap_all(self->iommufd, self->ioas));
	EXPECT_EQ(0, newly_pinned(self, 0));
}

TEST_F(memfd, seals)
{
	ASSERT_EQ(0, __map_file(self->iommufd, self->from, self->fd, MAP_RW));
	ASSERT_EQ(0, fcntl(self->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	EXPECT_EQ(-EPERM, __map_file(self->iommufd, self->ioas, self->fd, MAP_RW));
	/* The mapping is older than the seal, the pins are not. */
	EXPECT_EQ(-EPERM, __copy_pages(self, 0, 1));
	EXPECT_EQ(0, __map_file(self->iommufd, self->ioas, self->fd, MAP_R));
}

TEST_HARNESS_MAIN
