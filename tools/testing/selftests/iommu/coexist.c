// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO's containers beside /dev/iommu: both at the same time on different groups, and a
 * group in one of the two worlds only. Who is refused learns from the kernel's log which
 * world has the group.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "container.h"
#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "pair.h"

#define IOVA 0x100000
#define CONTAINER "/dev/vfio/vfio"

FIXTURE(coexist)
{
	struct pair pair;
	char group[32];
	struct container c;
	struct vdev dev;
	struct klog log;
	int iommufd;
};

FIXTURE_SETUP(coexist)
{
	self->c = (struct container){ -1, -1, -1 };
	self->dev.fd = -1;
	if (!pair_find(&self->pair, ID_E1000E))
		SKIP(return, "no two e1000e functions in one group");
	pair_to_vfio(&self->pair);
	snprintf(self->group, sizeof(self->group), "/dev/vfio/%d", self->pair.group);
	self->iommufd = iommufd_open();
	klog_open(&self->log);
}

FIXTURE_TEARDOWN(coexist)
{
	container_close(&self->c);
	vdev_close(&self->dev);
	klog_close(&self->log);
	close(self->iommufd);
}

static int __open_path(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

TEST_F(coexist, group_of_a_container_is_refused_to_iommufd)
{
	ASSERT_EQ(0, __container_open(&self->c, CONTAINER, self->pair.f0, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, __vdev_open(&self->dev, self->pair.f1));
	EXPECT_EQ(-EBUSY, __vdev_bind(&self->dev, self->iommufd));
	ASSERT_TRUE(klog_wait(&self->log, 2000, self->pair.f1, self->group));

	/* Before there is a container, whoever has the group open may still want one. */
	close(self->c.device);
	self->c.device = -1;
	ASSERT_EQ(0, ioctl(self->c.group, VFIO_GROUP_UNSET_CONTAINER));
	EXPECT_EQ(-EBUSY, __vdev_bind(&self->dev, self->iommufd));

	close(self->c.group);
	self->c.group = -1;
	EXPECT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
}

TEST_F(coexist, group_of_iommufd_is_refused_to_containers)
{
	char number[32];

	snprintf(number, sizeof(number), "vfio %d: ", self->pair.group);
	vdev_start(&self->dev, self->pair.f0, self->iommufd);
	EXPECT_EQ(-EBUSY, __open_path(self->group));
	ASSERT_TRUE(klog_wait(&self->log, 2000, number, "/dev/iommu"));

	vdev_close(&self->dev);
	ASSERT_EQ(0, __container_open(&self->c, CONTAINER, self->pair.f1, VFIO_TYPE1v2_IOMMU));
}

TEST_F(coexist, group_does_not_change_between_them)
{
	ASSERT_EQ(0, __container_open(&self->c, CONTAINER, self->pair.f0, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-1, ioctl(self->c.group, VFIO_GROUP_SET_CONTAINER, &self->iommufd));
	EXPECT_EQ(EINVAL, errno);
	container_close(&self->c);

	ASSERT_EQ(0, __container_open(&self->c, "/dev/iommu", self->pair.f0, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-1, ioctl(self->c.group, VFIO_GROUP_SET_CONTAINER, &self->iommufd));
	EXPECT_EQ(EINVAL, errno);
}

/* The DMA of each goes where its own user said, at the same address. */
TEST_F(coexist, different_groups_at_the_same_time)
{
	char *of_container = alloc_pages(2 * PAGE);
	__u32 ioas = ioas_alloc(self->iommufd);
	struct vdev in_container = { .fd = -1 };
	long pins = pinned_pages();
	struct pci_list edu;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	ASSERT_EQ(0, __container_open(&self->c, CONTAINER, edu.bdf[0], VFIO_TYPE1v2_IOMMU));
	in_container.fd = self->c.device;
	ASSERT_EQ(0, __vdev_map_bar0(&in_container));
	ASSERT_EQ(0, __vdev_enable_dma(&in_container, true));
	ASSERT_EQ(0, __container_map(&self->c, of_container, 2 * PAGE, IOVA));
	vdev_start(&self->dev, self->pair.f0, self->iommufd);
	vdev_attach(&self->dev, ioas);

	EXPECT_TRUE(nic_reaches(&self->dev, self->iommufd, ioas, IOVA));
	memset(of_container, 'c', PAGE);
	edu_copy(&in_container, IOVA, IOVA + PAGE, PAGE);
	EXPECT_EQ(0, memcmp(of_container, of_container + PAGE, PAGE));

	/* One leaves, the other stays. */
	vdev_close(&self->dev);
	memset(of_container, 'd', PAGE);
	edu_copy(&in_container, IOVA, IOVA + PAGE, PAGE);
	EXPECT_EQ(0, memcmp(of_container, of_container + PAGE, PAGE));
	EXPECT_EQ(2 * PAGE, __container_unmap(&self->c, 0, IOVA, 2 * PAGE));
	EXPECT_EQ(pins, pinned_pages_settle(pins));
}

TEST_HARNESS_MAIN
