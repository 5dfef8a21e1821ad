// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty pages of a VFIO container: what type1 answers, and an iommufd in its place. The
 * device has an IOMMU that does not tell what was written to.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "container.h"
#include "kselftest_harness.h"

#define IOVA 0x100000
#define LENGTH (8 * PAGE)
#define START VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP

FIXTURE(dirty)
{
	struct container c;
	char *mem;
	/* Room for the bits of 64 pages, and what must stay as it is */
	__u64 bitmap[4];
};

FIXTURE_VARIANT(dirty)
{
	const char *path;
};

FIXTURE_VARIANT_ADD(dirty, type1)
{
	.path = "/dev/vfio/vfio",
};

FIXTURE_VARIANT_ADD(dirty, iommufd)
{
	.path = "/dev/iommu",
};

FIXTURE_SETUP(dirty)
{
	struct pci_list edu;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	if (!strcmp(variant->path, "/dev/vfio/vfio") && !container_has_type1())
		SKIP(return, "iommufd provides /dev/vfio/vfio, there is no type1");
	pci_bind(edu.bdf[0], "vfio-pci");
	must(__container_open(&self->c, variant->path, edu.bdf[0], VFIO_TYPE1v2_IOMMU));
	self->mem = alloc_pages(LENGTH);
}

FIXTURE_TEARDOWN(dirty)
{
	container_close(&self->c);
}

/* The usual request; the arguments are assignments that change it. */
#define RANGE(...) ({                                                  \
	struct dirty_request with = {                                  \
		.iova = IOVA,                                          \
		.length = LENGTH,                                      \
		.bitmap = self->bitmap,                                \
	};                                                             \
	__VA_ARGS__;                                                   \
	with;                                                          \
})

TEST_F(dirty, dirty_log_starts_and_stops)
{
	ASSERT_EQ(0, __container_map(&self->c, self->mem, LENGTH, IOVA));
	EXPECT_EQ(-EINVAL, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(0, __dirty_log(&self->c, STOP));
	EXPECT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(0, __dirty_log(&self->c, STOP));
	EXPECT_EQ(-EINVAL, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(-EINVAL, __dirty_unmap(&self->c, 0, RANGE()));
}

TEST_F(dirty, dirty_log_checks_flags)
{
	const __u32 get = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
	struct vfio_iommu_type1_dirty_bitmap cmd = {
		.argsz = sizeof(cmd) - 1,
		.flags = START,
	};

	EXPECT_EQ(-EINVAL, __dirty_log(&self->c, START | STOP));
	EXPECT_EQ(-EINVAL, __dirty_log(&self->c, START | get));
	EXPECT_EQ(-EINVAL, __dirty_log(&self->c, 8));
	EXPECT_EQ(-EINVAL, __dirty_log(&self->c, START | 8));
	/* No room for the request */
	EXPECT_EQ(-EINVAL, __dirty_log(&self->c, get));
	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_IOMMU_DIRTY_PAGES, &cmd));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_IOMMU_DIRTY_PAGES, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(dirty, what_is_mapped_is_dirty_at_every_question)
{
	ASSERT_EQ(0, __container_map(&self->c, self->mem, 2 * PAGE, IOVA));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(0x3, self->bitmap[0]);

	/* What comes later too, and a hole is no error. */
	ASSERT_EQ(0, __container_map(&self->c, self->mem, 3 * PAGE, IOVA + 4 * PAGE));
	self->bitmap[0] = 0;
	EXPECT_EQ(0, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(0x73, self->bitmap[0]);

	self->bitmap[0] = 0;
	EXPECT_EQ(0, __dirty_get(&self->c, RANGE(with.iova = IOVA + 3 * PAGE)));
	/* Behind a mapping, type1 sets bits that were there at the last question. */
	EXPECT_EQ(0xe, self->bitmap[0] & 0xf);
	EXPECT_EQ(0, self->bitmap[1]);
}

/* A mapping whose bits begin in the middle of a byte, and go on in the next words. */
TEST_F(dirty, bitmap_of_many_mappings)
{
	const __u64 pages = 5000, last_word = (pages + 3) / 64;
	char *mem = alloc_pages(pages * PAGE);
	__u64 *bitmap = alloc_pages(PAGE), i;

	ASSERT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA));
	ASSERT_EQ(0, __container_map(&self->c, mem, pages * PAGE, IOVA + 3 * PAGE));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	ASSERT_EQ(0, __dirty_get(&self->c, (struct dirty_request){
		.iova = IOVA, .length = (pages + 3) * PAGE, .bitmap = bitmap }));
	EXPECT_EQ(~0x6ULL, bitmap[0]);
	for (i = 1; i < last_word; i++)
		ASSERT_EQ(~0ULL, bitmap[i]);
	EXPECT_EQ((1ULL << (pages + 3) % 64) - 1, bitmap[last_word]);
	EXPECT_EQ(0, bitmap[last_word + 1]);
}

TEST_F(dirty, bitmap_refuses)
{
	struct container *c = &self->c;

	ASSERT_EQ(0, __container_map(c, self->mem, LENGTH, IOVA));
	ASSERT_EQ(0, __dirty_log(c, START));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.page_size = 2 * PAGE)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.page_size = PAGE / 2)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.page_size = MIB(2), with.length = MIB(2))));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.iova = IOVA + 1)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.length = LENGTH + 1)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.length = 0, with.bytes = 8)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.iova = -PAGE, with.length = 2 * PAGE)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.bytes = 7)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.length = 65 * PAGE, with.bytes = 8)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.bytes = MIB(256) + 8)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.argsz = 47)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.bitmap = (void *)-PAGE)));
	EXPECT_EQ(-EFAULT, __dirty_get(c, RANGE(with.bitmap = NULL)));

	/* A mapping that sticks out */
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.iova = IOVA + PAGE)));
	EXPECT_EQ(-EINVAL, __dirty_get(c, RANGE(with.length = PAGE)));
	EXPECT_EQ(0, self->bitmap[0]);
	EXPECT_EQ(0, __dirty_get(c, RANGE(with.iova = IOVA - PAGE, with.length = LENGTH + PAGE)));
	EXPECT_EQ(0x1fe, self->bitmap[0]);
}

TEST_F(dirty, unmap_tells_what_was_dirty)
{
	ASSERT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA));
	ASSERT_EQ(0, __container_map(&self->c, self->mem, 2 * PAGE, IOVA + 3 * PAGE));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(3 * PAGE, __dirty_unmap(&self->c, 0, RANGE()));
	EXPECT_EQ(0x19, self->bitmap[0]);

	self->bitmap[0] = 0;
	EXPECT_EQ(0, __dirty_unmap(&self->c, 0, RANGE()));
	EXPECT_EQ(0, __dirty_get(&self->c, RANGE()));
	EXPECT_EQ(0, self->bitmap[0]);
}

TEST_F(dirty, unmap_with_bitmap_refuses)
{
	struct container *c = &self->c;

	ASSERT_EQ(0, __container_map(c, self->mem, LENGTH, IOVA));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, 0, RANGE()));
	ASSERT_EQ(0, __dirty_log(c, START));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, VFIO_DMA_UNMAP_FLAG_ALL, RANGE()));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, VFIO_DMA_UNMAP_FLAG_VADDR, RANGE()));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, 0, RANGE(with.argsz = 47)));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, 0, RANGE(with.page_size = 2 * PAGE)));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, 0, RANGE(with.bytes = 7)));
	EXPECT_EQ(-EINVAL, __dirty_unmap(c, 0, RANGE(with.iova = IOVA + 1)));
	EXPECT_EQ(-EFAULT, __dirty_unmap(c, 0, RANGE(with.bitmap = NULL)));

	/* Nothing of this has unmapped anything. */
	EXPECT_EQ(-EEXIST, __container_map(c, self->mem, PAGE, IOVA));
	EXPECT_EQ(LENGTH, __dirty_unmap(c, 0, RANGE()));
	EXPECT_EQ(0xff, self->bitmap[0]);
}

/* An iommufd could become a container of the first version otherwise. */
TEST_F(dirty, log_keeps_the_version)
{
	const bool iommufd = !strcmp(variant->path, "/dev/iommu");

	ASSERT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(0, __dirty_log(&self->c, STOP));
	EXPECT_EQ(iommufd ? 0 : -1, ioctl(self->c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

TEST_HARNESS_MAIN
