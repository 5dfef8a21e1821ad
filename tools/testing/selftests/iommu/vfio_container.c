// SPDX-License-Identifier: GPL-2.0
/*
 * The commands of a VFIO container, given to VFIO's own container with type1 and to an
 * iommufd: programs that were written for one shall not notice the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"
#include "kselftest_harness.h"

#define IOVA 0x100000
#define LENGTH (8 * PAGE)
#define NOIOMMU "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

FIXTURE(container)
{
	struct container c;
	char *mem;
	bool iommufd;
};

FIXTURE_VARIANT(container)
{
	const char *path;
	int type;
	/* Result of unmapping the first page of a larger mapping */
	long cut;
};

FIXTURE_VARIANT_ADD(container, type1)
{
	.path = "/dev/vfio/vfio",
	.type = VFIO_TYPE1v2_IOMMU,
	.cut = -EINVAL,
};

FIXTURE_VARIANT_ADD(container, iommufd)
{
	.path = "/dev/iommu",
	.type = VFIO_TYPE1v2_IOMMU,
	.cut = -ENOENT,
};

FIXTURE_VARIANT_ADD(container, type1_first_version)
{
	.path = "/dev/vfio/vfio",
	.type = VFIO_TYPE1_IOMMU,
	.cut = LENGTH,
};

FIXTURE_VARIANT_ADD(container, iommufd_first_version)
{
	.path = "/dev/iommu",
	.type = VFIO_TYPE1_IOMMU,
	.cut = PAGE,
};

FIXTURE_SETUP(container)
{
	struct pci_list edu;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	if (!strcmp(variant->path, "/dev/vfio/vfio") && !container_has_type1())
		SKIP(return, "iommufd provides /dev/vfio/vfio, there is no type1");
	pci_bind(edu.bdf[0], "vfio-pci");
	must(__container_open(&self->c, variant->path, edu.bdf[0], variant->type));
	self->mem = alloc_pages(LENGTH);
	self->iommufd = !strcmp(variant->path, "/dev/iommu");
}

FIXTURE_TEARDOWN(container)
{
	container_close(&self->c);
}

struct info {
	struct vfio_iommu_type1_info head;
	char caps[4096];
};

static int __get_info(struct container *c, struct info *info, __u32 argsz)
{
	memset(info, 0xee, sizeof(*info));
	info->head.argsz = argsz;
	return ioctl(c->fd, VFIO_IOMMU_GET_INFO, info) ? -errno : 0;
}

static void *find_cap(struct info *info, __u16 id)
{
	__u32 offset = info->head.cap_offset;

	while (offset) {
		struct vfio_info_cap_header *cap = (void *)info + offset;

		if (cap->id == id)
			return cap;
		offset = cap->next;
	}
	return NULL;
}

TEST_F(container, info_tells_capabilities)
{
	struct vfio_iommu_type1_info_cap_iova_range *ranges;
	struct vfio_iommu_type1_info_cap_migration *migration;
	struct vfio_iommu_type1_info_dma_avail *avail;
	struct info info;

	ASSERT_EQ(0, __get_info(&self->c, &info, sizeof(info)));
	EXPECT_EQ(VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS, info.head.flags);
	EXPECT_EQ(PAGE, info.head.iova_pgsizes & -info.head.iova_pgsizes);

	migration = find_cap(&info, VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION);
	ASSERT_NE(NULL, migration);
	EXPECT_EQ(1, migration->header.version);
	EXPECT_EQ(0, migration->flags);
	EXPECT_EQ(PAGE, migration->pgsize_bitmap);
	EXPECT_EQ(MIB(256), migration->max_dirty_bitmap_size);

	avail = find_cap(&info, VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
	ASSERT_NE(NULL, avail);
	EXPECT_EQ(1, avail->header.version);
	/* The number of mappings has no limit there. */
	EXPECT_LE(self->iommufd ? UINT32_MAX : 1, avail->avail);

	ranges = find_cap(&info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	ASSERT_NE(NULL, ranges);
	EXPECT_EQ(1, ranges->header.version);
	/* Around the window of MSIs */
	ASSERT_LE(2, ranges->nr_iovas);
	EXPECT_EQ(0, ranges->iova_ranges[0].start);
	EXPECT_EQ(0xfedfffff, ranges->iova_ranges[0].end);
	EXPECT_EQ(0xfef00000, ranges->iova_ranges[1].start);
}

TEST_F(container, info_writes_no_more_than_there_is_room)
{
	const __u32 minimum = offsetof(struct vfio_iommu_type1_info, cap_offset);
	struct info info;
	__u32 all;

	EXPECT_EQ(-EINVAL, __get_info(&self->c, &info, minimum - 1));
	ASSERT_EQ(0, __get_info(&self->c, &info, minimum));
	EXPECT_EQ(0xeeeeeeee, info.head.cap_offset);
	all = info.head.argsz;
	EXPECT_LT(sizeof(info.head), all);

	ASSERT_EQ(0, __get_info(&self->c, &info, all - 1));
	EXPECT_EQ(all, info.head.argsz);
	EXPECT_EQ(0, info.head.cap_offset);
	EXPECT_EQ((char)0xee, info.caps[all - 1 - sizeof(info.head)]);

	ASSERT_EQ(0, __get_info(&self->c, &info, all));
	EXPECT_EQ(sizeof(info.head), info.head.cap_offset);
	EXPECT_EQ((char)0xee, info.caps[all - sizeof(info.head)]);
}

/* Can page tables make all DMA coherent? Bit 7 of VT-d's extended capabilities */
static int snoop_control(void)
{
	char ecap[32];

	must(__read_text("/sys/class/iommu/dmar0/intel-iommu/ecap", ecap, sizeof(ecap)));
	return strtoull(ecap, NULL, 16) >> 7 & 1;
}

TEST_F(container, extensions)
{
	int fd = self->c.fd;

	EXPECT_EQ(VFIO_API_VERSION, ioctl(fd, VFIO_GET_API_VERSION));
	EXPECT_EQ(1, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU));
	EXPECT_EQ(1, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(1, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL));
	EXPECT_EQ(snoop_control(), ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(0, ioctl(fd, VFIO_CHECK_EXTENSION, 12345));
	/* What only the original has */
	EXPECT_EQ(!self->iommufd, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(!self->iommufd, ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR));
	/* VFIO has the parameter if it can do without an IOMMU, which type1 can not. */
	EXPECT_EQ(self->iommufd && !access(NOIOMMU, F_OK),
		  ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_NOIOMMU_IOMMU));
	EXPECT_EQ(-1, ioctl(fd, VFIO_IOMMU_ENABLE));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_F(container, map_refuses)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd) - 1,
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)self->mem,
		.iova = IOVA,
		.size = PAGE,
	};

	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_IOMMU_MAP_DMA, &cmd));
	EXPECT_EQ(EINVAL, errno);
	cmd.argsz = sizeof(cmd);
	cmd.flags |= 1U << 31;
	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_IOMMU_MAP_DMA, &cmd));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->c.fd, VFIO_IOMMU_MAP_DMA, NULL));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(-EINVAL, __container_map(&self->c, self->mem, 0, IOVA));
	EXPECT_EQ(-EINVAL, __container_map(&self->c, self->mem, PAGE / 2, IOVA));
	EXPECT_EQ(-EINVAL, __container_map(&self->c, self->mem, PAGE, IOVA + 1));
	EXPECT_EQ(-EINVAL, __container_map(&self->c, self->mem + 1, PAGE, IOVA));
	EXPECT_EQ(-EINVAL, __container_map(&self->c, self->mem, PAGE, 0xfee00000));
	EXPECT_EQ(0, __container_map(&self->c, self->mem, LENGTH, IOVA));
	EXPECT_EQ(-EEXIST, __container_map(&self->c, self->mem, PAGE, IOVA + PAGE));
	EXPECT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA + LENGTH));
}

TEST_F(container, unmap_of_nothing_is_a_success)
{
	EXPECT_EQ(0, __container_unmap(&self->c, 0, IOVA, LENGTH));
	EXPECT_EQ(0, __container_unmap(&self->c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, VFIO_DMA_UNMAP_FLAG_ALL, 0, PAGE));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, VFIO_DMA_UNMAP_FLAG_ALL, PAGE, 0));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 1U << 31, IOVA, LENGTH));
	EXPECT_EQ(-EINVAL, __container_unmap(&self->c, 0, IOVA, 0));
}

TEST_F(container, unmap_takes_several_mappings)
{
	ASSERT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA));
	ASSERT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA + 3 * PAGE));
	ASSERT_EQ(0, __container_map(&self->c, self->mem, PAGE, IOVA + LENGTH));
	EXPECT_EQ(2 * PAGE, __container_unmap(&self->c, 0, IOVA, LENGTH));
	EXPECT_EQ(PAGE, __container_unmap(&self->c, VFIO_DMA_UNMAP_FLAG_ALL, 0, 0));
}

TEST_F(container, unmap_of_a_part)
{
	ASSERT_EQ(0, __container_map(&self->c, self->mem, LENGTH, IOVA));
	EXPECT_EQ(variant->cut, __container_unmap(&self->c, 0, IOVA, PAGE));
	EXPECT_EQ(LENGTH - (variant->cut > 0 ? variant->cut : 0),
		  __container_unmap(&self->c, 0, IOVA, LENGTH));
}

TEST_F(container, dirty_log_needs_second_version)
{
	const bool first = variant->type == VFIO_TYPE1_IOMMU;
	__u64 bitmap = 0;
	struct dirty_request request = {
		.iova = IOVA,
		.length = LENGTH,
		.bitmap = &bitmap,
	};

	EXPECT_EQ(first ? -EACCES : 0,
		  __dirty_log(&self->c, VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
	EXPECT_EQ(first ? -EACCES : 0, __dirty_get(&self->c, request));
	EXPECT_EQ(first ? -EINVAL : 0, __dirty_unmap(&self->c, 0, request));
	EXPECT_EQ(first ? -EACCES : 0,
		  __dirty_log(&self->c, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
}

FIXTURE(group)
{
	int iommufd;
	int fd;
	bdf_t bdf;
};

FIXTURE_SETUP(group)
{
	struct pci_list edu;
	char path[64];

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	memcpy(self->bdf, edu.bdf[0], BDF_LEN);
	pci_bind(self->bdf, "vfio-pci");
	snprintf(path, sizeof(path), "/dev/vfio/%d", __pci_group(self->bdf));
	self->fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	self->iommufd = iommufd_open();
}

FIXTURE_TEARDOWN(group)
{
	close(self->fd);
	close(self->iommufd);
}

static int __set_container(FIXTURE_DATA(group) *self, int fd)
{
	return ioctl(self->fd, VFIO_GROUP_SET_CONTAINER, &fd) ? -errno : 0;
}

static int __device_fd(FIXTURE_DATA(group) *self)
{
	int fd = ioctl(self->fd, VFIO_GROUP_GET_DEVICE_FD, self->bdf);

	return fd < 0 ? -errno : fd;
}

TEST_F(group, takes_one_container_and_nothing_else)
{
	int other = open("/dev/null", O_RDWR);

	EXPECT_EQ(-EBADF, __set_container(self, -1));
	EXPECT_EQ(-EBADF, __set_container(self, 1000));
	EXPECT_EQ(-EBADFD, __set_container(self, other));
	EXPECT_EQ(-EBADFD, __set_container(self, self->fd));
	EXPECT_EQ(-EINVAL, __device_fd(self));
	EXPECT_EQ(0, __set_container(self, self->iommufd));
	EXPECT_EQ(-EINVAL, __set_container(self, self->iommufd));
	close(other);
}

TEST_F(group, device_needs_the_ioas_that_came_with_the_group)
{
	__u32 ioas = 0;
	int device;

	ASSERT_EQ(0, __set_container(self, self->iommufd));
	ASSERT_EQ(0, __vfio_ioas(self->iommufd, IOMMU_VFIO_IOAS_GET, &ioas));
	ASSERT_EQ(0, __vfio_ioas(self->iommufd, IOMMU_VFIO_IOAS_CLEAR, &ioas));
	EXPECT_EQ(-ENODEV, __device_fd(self));
	vfio_ioas(self->iommufd, ioas);
	device = __device_fd(self);
	EXPECT_LE(0, device);
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, ioas));
	close(device);
	EXPECT_EQ(0, __destroy(self->iommufd, ioas));
	EXPECT_EQ(-ENODEV, __device_fd(self));
}

TEST_HARNESS_MAIN
