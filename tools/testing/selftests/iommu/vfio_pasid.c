// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs through VFIO's character device, on a device without any: the flag, what comes
 * with it, and that the device is where it was.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "pci.h"
#include "vfio.h"

#include <linux/vfio.h>

#define ATTACH_PASID 1
#define PASID 100

/* As later kernels have them */
struct attach_pasid {
	__u32 argsz, flags, pt_id, pasid;
};

struct detach_pasid {
	__u32 argsz, flags, pasid;
};

FIXTURE(vfio_pasid) {
	int iommufd;
	__u32 ioas;
	struct vdev dev;
	__u32 pt; /* for PASIDs */
};

static int __attach(struct vdev *dev, __u32 pt, __u32 pasid)
{
	struct attach_pasid cmd = { sizeof(cmd), ATTACH_PASID, pt, pasid };

	return ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd) ? -errno : 0;
}

static int __detach(struct vdev *dev, __u32 pasid)
{
	struct detach_pasid cmd = { sizeof(cmd), ATTACH_PASID, pasid };

	return ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd) ? -errno : 0;
}

FIXTURE_SETUP(vfio_pasid)
{
	struct pci_list edu;

	self->dev.fd = -1;
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
	if (__detach(&self->dev, PASID) == -EINVAL)
		SKIP(return, "this VFIO does not know PASIDs");
	must(__hwpt_alloc(self->iommufd, self->dev.id, self->ioas, IOMMU_HWPT_ALLOC_PASID,
			  &self->pt));
}

FIXTURE_TEARDOWN(vfio_pasid)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

TEST_F(vfio_pasid, P6_device_without_pasids)
{
	EXPECT_EQ(-EOPNOTSUPP, __attach(&self->dev, self->pt, PASID));
	vdev_attach(&self->dev, self->pt);
	EXPECT_EQ(-EOPNOTSUPP, __attach(&self->dev, self->pt, PASID));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->pt));
	vdev_detach(&self->dev);
	EXPECT_EQ(0, __destroy(self->iommufd, self->pt));
}

TEST_F(vfio_pasid, refused)
{
	struct attach_pasid attach = { 12, ATTACH_PASID, self->pt, PASID };
	struct detach_pasid detach = { 8, ATTACH_PASID, PASID };

	EXPECT_EQ(-EINVAL, __attach(&self->dev, self->pt, 0));
	EXPECT_EQ(-EINVAL, __attach(&self->dev, self->ioas, PASID));
	EXPECT_EQ(-ENOENT, __attach(&self->dev, 0x7fffffff, PASID));
	EXPECT_EQ(-EINVAL, __detach(&self->dev, 0));
	/* Too short for a PASID */
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	EXPECT_EQ(EINVAL, errno);
	/* Flags that nobody knows */
	attach.argsz = sizeof(attach);
	attach.flags = 2;
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(EINVAL, errno);
}

/* Structures that end, or begin, where no memory is */
TEST_F(vfio_pasid, structure_that_is_not_there)
{
	char *page = alloc_pages(2 * PAGE), *end = page + PAGE;
	struct attach_pasid attach = { sizeof(attach), ATTACH_PASID, self->pt, PASID };
	struct detach_pasid detach = { sizeof(detach), ATTACH_PASID, PASID };
	__u32 plain[3] = { sizeof(plain), 0, self->pt };
	const int fd = self->dev.fd;

	ASSERT_EQ(0, munmap(end, PAGE));
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, end));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, end));
	EXPECT_EQ(EFAULT, errno);
	/* All but the PASID */
	memcpy(end - 12, &attach, 12);
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, end - 12));
	EXPECT_EQ(EFAULT, errno);
	memcpy(end - 8, &detach, 8);
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, end - 8));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, __destroy(self->iommufd, self->pt));

	/* Without a PASID that much is enough. */
	must(__hwpt_alloc(self->iommufd, self->dev.id, self->ioas, IOMMU_HWPT_ALLOC_PASID,
			  &plain[2]));
	memcpy(end - 12, plain, 12);
	EXPECT_EQ(0, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, end - 12));
	vdev_detach(&self->dev);
}

/* Programs that do not know of PASIDs see no change. */
TEST_F(vfio_pasid, device_itself)
{
	vdev_attach(&self->dev, self->ioas);
	EXPECT_EQ(0, __detach(&self->dev, PASID));
	vdev_attach(&self->dev, self->pt);
	vdev_detach(&self->dev);
	EXPECT_EQ(0, __destroy(self->iommufd, self->pt));
}

TEST_HARNESS_MAIN
