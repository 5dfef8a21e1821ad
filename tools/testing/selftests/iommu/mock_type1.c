// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a container on an iommufd, beyond what vfio_container has VFIO's own
 * container do as well: without an IOAS, with arguments that are wrong, and mappings that
 * can not be cut.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "viommu.h"

#define IOVA MOCK_IOVA
#define LENGTH (8 * PAGE)
#define READ VFIO_DMA_MAP_FLAG_READ
#define NEEDS_PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES

FIXTURE(type1) {
	struct container c;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(type1)
{
	self->c.fd = mock_open();
	self->ioas = ioas_alloc(self->c.fd);
	self->mem = alloc_aligned(LENGTH, false);
	vfio_ioas(self->c.fd, self->ioas);
}

FIXTURE_TEARDOWN(type1)
{
	close(self->c.fd);
}

/* Of a plain number, or a pointer */
static int __number(const FIXTURE_DATA(type1) *self, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(self->c.fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int __call(const FIXTURE_DATA(type1) *self, unsigned long cmd, void *arg)
{
	return __number(self, cmd, (unsigned long)arg);
}

#define MAP_DMA(...)                                                          \
	__call(self, VFIO_IOMMU_MAP_DMA, &(struct vfio_iommu_type1_dma_map){  \
		.argsz = sizeof(struct vfio_iommu_type1_dma_map), __VA_ARGS__ })
#define UNMAP_DMA(...)                                                            \
	__call(self, VFIO_IOMMU_UNMAP_DMA, &(struct vfio_iommu_type1_dma_unmap){  \
		.argsz = sizeof(struct vfio_iommu_type1_dma_unmap), __VA_ARGS__ })

TEST_F(type1, little_without_an_ioas)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, __destroy(self->c.fd, self->ioas));
	EXPECT_EQ(VFIO_API_VERSION, __number(self, VFIO_GET_API_VERSION, 0));
	EXPECT_EQ(1, __number(self, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, __number(self, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL));
	EXPECT_EQ(-ENODEV, __number(self, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(-ENODEV, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(-ENODEV, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-ENODEV, __call(self, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(-ENODEV, MAP_DMA(.flags = READ, .vaddr = (uintptr_t)self->mem, .size = PAGE));
	EXPECT_EQ(-ENODEV, UNMAP_DMA(.size = PAGE));
	EXPECT_EQ(-ENODEV, __dirty_log(&self->c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
}

TEST_F(type1, set_iommu_refuses)
{
	/* The type is looked at first. */
	EXPECT_EQ(-EINVAL, __number(self, VFIO_SET_IOMMU, 0));
	EXPECT_EQ(-EINVAL, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(-EINVAL, __number(self, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(-EINVAL, __number(self, VFIO_SET_IOMMU, 1ULL << 32 | VFIO_TYPE1_IOMMU));

	/* The first version has whole pages only, ... */
	ioas_map_at(self->c.fd, self->ioas, self->mem + MOCK_PAGE, PAGE, IOVA + MOCK_PAGE);
	EXPECT_EQ(-EADDRINUSE, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(0, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
	must(__ioas_unmap_all(self->c.fd, self->ioas));

	/* ... also in page tables. */
	mock_device(self->c.fd, self->ioas);
	ioas_map_at(self->c.fd, self->ioas, self->mem, PAGE, IOVA);
	EXPECT_EQ(-EINVAL, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	must(__ioas_unmap_all(self->c.fd, self->ioas));
	EXPECT_EQ(0, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	ioas_map_at(self->c.fd, self->ioas, self->mem, PAGE, IOVA);
	EXPECT_EQ(0, __number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

TEST_F(type1, info_refuses)
{
	struct vfio_iommu_type1_info *info = alloc_pages(PAGE);

	EXPECT_EQ(-EFAULT, __call(self, VFIO_IOMMU_GET_INFO, NULL));
	/* With capabilities, and without */
	info->argsz = PAGE;
	must(mprotect(info, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __call(self, VFIO_IOMMU_GET_INFO, info));
	must(mprotect(info, PAGE, PROT_READ | PROT_WRITE));
	info->argsz = offsetof(struct vfio_iommu_type1_info, cap_offset);
	must(mprotect(info, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __call(self, VFIO_IOMMU_GET_INFO, info));
	must(mprotect(info, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, __call(self, VFIO_IOMMU_GET_INFO, info));
}

TEST_F(type1, map_refuses)
{
	const __u64 va = (uintptr_t)self->mem;

	EXPECT_EQ(-EINVAL, MAP_DMA(.flags = READ | VFIO_DMA_MAP_FLAG_VADDR, .vaddr = va,
				   .iova = IOVA, .size = PAGE));
	EXPECT_EQ(-EOVERFLOW, MAP_DMA(.flags = READ, .vaddr = va, .iova = ULONG_MAX,
				      .size = PAGE));
	EXPECT_EQ(-EOVERFLOW, MAP_DMA(.flags = READ, .vaddr = va, .size = ULONG_MAX));
	EXPECT_EQ(-EOVERFLOW, MAP_DMA(.flags = READ, .vaddr = va, .iova = -PAGE,
				      .size = 2 * PAGE));
	EXPECT_EQ(-EOVERFLOW, MAP_DMA(.flags = READ, .vaddr = -PAGE, .iova = IOVA,
				      .size = 2 * PAGE));
	EXPECT_EQ(0, __ioas_unmap_all(self->c.fd, self->ioas));
}

/* Only type1 refuses this. */
TEST_F(type1, map_for_nobody_to_read_or_write)
{
	struct mock_device dev = mock_device(self->c.fd, self->ioas);

	EXPECT_EQ(0, MAP_DMA(.vaddr = (uintptr_t)self->mem, .iova = IOVA, .size = PAGE));
	EXPECT_EQ(0, __mock_check_map(self->c.fd, dev.hwpt, self->mem, PAGE, IOVA));
	EXPECT_EQ(PAGE, __container_unmap(&self->c, 0, IOVA, PAGE));
}

TEST_F(type1, unmap_refuses)
{
	struct vfio_iommu_type1_dma_unmap *cmd = alloc_pages(PAGE);

	ioas_map_at(self->c.fd, self->ioas, self->mem, LENGTH, IOVA);
	EXPECT_EQ(-EFAULT, __call(self, VFIO_IOMMU_UNMAP_DMA, NULL));
	EXPECT_EQ(-EINVAL, UNMAP_DMA(.flags = VFIO_DMA_UNMAP_FLAG_VADDR, .iova = IOVA,
				     .size = LENGTH));
	EXPECT_EQ(-EINVAL, UNMAP_DMA(.flags = VFIO_DMA_UNMAP_FLAG_VADDR |
					      VFIO_DMA_UNMAP_FLAG_ALL));
	EXPECT_EQ(-EOVERFLOW, UNMAP_DMA(.iova = ULONG_MAX, .size = PAGE));
	EXPECT_EQ(-EOVERFLOW, UNMAP_DMA(.iova = IOVA, .size = ULONG_MAX));
	EXPECT_EQ(-EOVERFLOW, UNMAP_DMA(.iova = -PAGE, .size = 2 * PAGE));

	/* Without an answer it has happened all the same. */
	*cmd = (struct vfio_iommu_type1_dma_unmap){
		.argsz = sizeof(*cmd), .iova = IOVA, .size = LENGTH,
	};
	must(mprotect(cmd, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __call(self, VFIO_IOMMU_UNMAP_DMA, cmd));
	EXPECT_EQ(0, __ioas_unmap_all(self->c.fd, self->ioas));
}

/* A mapping of the first version, which can be cut at every page */
static void map_to_cut(FIXTURE_DATA(type1) *self)
{
	must(__number(self, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	must(__container_map(&self->c, self->mem, LENGTH, IOVA));
}

/* Nothing was cut: a mapping goes as a whole. */
static bool is_whole(FIXTURE_DATA(type1) *self)
{
	return __ioas_unmap(self->c.fd, self->ioas, IOVA, PAGE) == -ENOENT &&
	       __ioas_unmap(self->c.fd, self->ioas, IOVA, LENGTH - PAGE) == -ENOENT;
}

TEST_F(type1, cut_within_a_page)
{
	mock_device(self->c.fd, self->ioas);
	map_to_cut(self);
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 0, IOVA, MOCK_PAGE));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 0, IOVA + 1, LENGTH - 1));
	EXPECT_TRUE(is_whole(self));
	/* The first cut is good and stays, the second is not: nothing is unmapped. */
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 0, IOVA + PAGE, PAGE + 1));
	EXPECT_EQ(PAGE, __ioas_unmap(self->c.fd, self->ioas, IOVA, PAGE));
	EXPECT_EQ(LENGTH - PAGE, __ioas_unmap_all(self->c.fd, self->ioas));
	EXPECT_EQ(0, __mock_check_refs(self->c.fd, self->mem, LENGTH, 0));
}

TEST_F(type1, cut_of_what_a_driver_has_pinned)
{
	int access = must(__mock_access(self->c.fd, self->ioas, NEEDS_PIN)), item;

	map_to_cut(self);
	item = must(__mock_pin(self->c.fd, access, 0, IOVA + 3 * PAGE, PAGE, NULL));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 0, IOVA, PAGE));
	EXPECT_TRUE(is_whole(self));
	must(__mock_unpin(self->c.fd, access, item));
	EXPECT_EQ(PAGE, __container_unmap(&self->c, 0, IOVA, PAGE));
	/* All of it can be had: the driver is told. */
	must(__mock_pin(self->c.fd, access, 0, IOVA + 3 * PAGE, PAGE, NULL));
	EXPECT_EQ(LENGTH - PAGE, __container_unmap(&self->c, 0, IOVA, LENGTH));
	close(access);
}

TEST_F(type1, cut_of_what_hardware_reads)
{
	struct mock_guest guest = mock_guest(self->c.fd, self->ioas);
	__u32 id;

	map_to_cut(self);
	ASSERT_EQ(0, __hw_queue_alloc(self->c.fd, guest.viommu, 0, IOVA + PAGE, PAGE, &id));
	EXPECT_EQ(-EBUSY, __container_unmap(&self->c, 0, IOVA, PAGE));
	EXPECT_TRUE(is_whole(self));
	ASSERT_EQ(0, __destroy(self->c.fd, id));
	EXPECT_EQ(PAGE, __container_unmap(&self->c, 0, IOVA, PAGE));
}

TEST_HARNESS_MAIN
