// SPDX-License-Identifier: GPL-2.0
/*
 * Mediated devices have no IOMMU of their own: a driver reads and writes memory for them,
 * and iommufd only knows who may ask for what. Linux's samples mtty, a serial port, and
 * mdpy, a display, stand for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vfio.h"

#define IOVA 0x100000
#define UUID "0c94ad9c-7a55-4b5e-9a51-6a2f2bb0a001"
#define DEVICE "/sys/bus/mdev/devices/" UUID

FIXTURE(mdev)
{
	struct vdev dev;
	int iommufd;
	bool created;
};

FIXTURE_VARIANT(mdev)
{
	const char *create;
	/* Vendor and device as configuration space shows them */
	__u32 id;
};

FIXTURE_VARIANT_ADD(mdev, mtty)
{
	.create = "/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/create",
	.id = 0x32534348,
};

FIXTURE_VARIANT_ADD(mdev, mdpy)
{
	.create = "/sys/class/mdev_bus/mdpy/mdev_supported_types/mdpy-vga/create",
	.id = 0x000f1b36,
};

static int __open_device(struct vdev *dev)
{
	char path[64];
	glob_t found;

	if (glob(DEVICE "/vfio-dev/vfio*", 0, NULL, &found))
		return -ENOENT;
	snprintf(path, sizeof(path), "/dev/vfio/devices%.32s", strrchr(found.gl_pathv[0], '/'));
	globfree(&found);
	*dev = (struct vdev){ .fd = open(path, O_RDWR | O_CLOEXEC) };
	return dev->fd < 0 ? -errno : 0;
}

FIXTURE_SETUP(mdev)
{
	self->dev.fd = -1;
	self->iommufd = iommufd_open();
	if (access(variant->create, W_OK))
		SKIP(return, "this sample device is not loaded");
	ASSERT_EQ(0, __write_text(variant->create, UUID));
	self->created = true;
	ASSERT_EQ(0, __open_device(&self->dev));
}

FIXTURE_TEARDOWN(mdev)
{
	vdev_close(&self->dev);
	close(self->iommufd);
	if (self->created)
		ASSERT_EQ(0, __write_text(DEVICE "/remove", "1"));
}

TEST_F(mdev, is_reached_from_bind_on)
{
	__u32 id = 0;

	ASSERT_NE(0, __vdev_config_read(&self->dev, PCI_VENDOR_ID, &id, sizeof(id)));
	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	ASSERT_NE(0, self->dev.id);
	ASSERT_EQ(0, __vdev_config_read(&self->dev, PCI_VENDOR_ID, &id, sizeof(id)));
	ASSERT_EQ(variant->id, id);
}

TEST_F(mdev, is_no_device_with_page_tables)
{
	__u32 ioas = ioas_alloc(self->iommufd), hwpt;
	struct iommu_hw_info info;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	ASSERT_EQ(-ENOENT, __hwpt_alloc(self->iommufd, self->dev.id, ioas, 0, &hwpt));
	ASSERT_EQ(-ENOENT, __hw_info(self->iommufd, self->dev.id, NULL, 0, &info));
}

TEST_F(mdev, attaches_replaces_and_detaches)
{
	__u32 first = ioas_alloc(self->iommufd), second = ioas_alloc(self->iommufd);
	__u32 pt = first, missing = second + 100;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	ASSERT_EQ(-ENOENT, __vdev_attach(&self->dev, &missing));
	ASSERT_EQ(0, __vdev_attach(&self->dev, &pt));
	ASSERT_EQ(first, pt);
	ASSERT_EQ(-EBUSY, __destroy(self->iommufd, first));
	ASSERT_EQ(-ENOENT, __vdev_attach(&self->dev, &missing));
	ASSERT_EQ(-EBUSY, __destroy(self->iommufd, first));

	pt = second;
	ASSERT_EQ(0, __vdev_attach(&self->dev, &pt));
	ASSERT_EQ(0, __destroy(self->iommufd, first));
	ASSERT_EQ(-EBUSY, __destroy(self->iommufd, second));
	ASSERT_EQ(0, __vdev_detach(&self->dev));
	ASSERT_EQ(0, __destroy(self->iommufd, second));
}

/* It reads memory when it wants to: until then nothing has to stay where it is. */
TEST_F(mdev, pins_nothing_by_itself)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	char *memory = alloc_pages(MIB(4));
	long pins = pinned_pages();

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	vdev_attach(&self->dev, ioas);
	ioas_map_at(self->iommufd, ioas, memory, MIB(4), IOVA);
	ASSERT_EQ(pins, pinned_pages());
	ASSERT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	ASSERT_EQ(MIB(4), __ioas_unmap(self->iommufd, ioas, IOVA, MIB(4)));
}

/* Its requester ID, and with it every PASID, is the parent's, whose driver programs them. */
TEST_F(mdev, P3_the_user_programs_no_pasid)
{
	/* Later kernels' structures, with the flag for a PASID */
	struct { __u32 argsz, flags, pt_id, pasid; } attach = { sizeof(attach), 1, 0, 1 };
	struct { __u32 argsz, flags, pasid; } detach = { sizeof(detach), 1, 1 };
	__u32 ioas = ioas_alloc(self->iommufd), hwpt;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	vdev_attach(&self->dev, ioas);
	attach.pt_id = ioas;
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, ioctl(self->dev.fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-ENOENT, __hwpt_alloc(self->iommufd, self->dev.id, ioas,
					IOMMU_HWPT_ALLOC_PASID, &hwpt));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, ioas));
}

/* What its driver reads and writes is in the context of the user, whatever ids there are. */
TEST_F(mdev, P3_is_attached_only_within_its_context)
{
	int other = iommufd_open();
	__u32 mine = ioas_alloc(self->iommufd), pt;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	/* An id that only the other context has */
	do
		pt = ioas_alloc(other);
	while (pt <= mine || pt <= self->dev.id);
	EXPECT_EQ(-ENOENT, __vdev_attach(&self->dev, &pt));
	vdev_attach(&self->dev, mine);
	EXPECT_EQ(-ENOENT, __vdev_attach(&self->dev, &pt));
	EXPECT_EQ(0, __destroy(other, pt));
	close(other);
}

TEST_F(mdev, C2_has_one_owner)
{
	int other = iommufd_open();
	struct vdev again;
	__u32 id;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	ASSERT_EQ(-EINVAL, __vdev_bind(&self->dev, other));
	ASSERT_EQ(0, __open_device(&again));
	ASSERT_EQ(-EINVAL, __vdev_bind(&again, other));
	ASSERT_EQ(0, __vdev_config_read(&self->dev, PCI_VENDOR_ID, &id, sizeof(id)));
	vdev_close(&self->dev);
	ASSERT_EQ(0, __vdev_bind(&again, other));
	vdev_close(&again);
	close(other);
}

TEST_F(mdev, C3_iommufd_closed_before_the_device)
{
	__u32 ioas = ioas_alloc(self->iommufd), id;

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	vdev_attach(&self->dev, ioas);
	close(self->iommufd);
	self->iommufd = -1;
	ASSERT_EQ(0, __vdev_config_read(&self->dev, PCI_VENDOR_ID, &id, sizeof(id)));
	ASSERT_EQ(0, __vdev_detach(&self->dev));
	vdev_attach(&self->dev, ioas);
}

TEST_F(mdev, device_closed_before_the_iommufd)
{
	__u32 ioas = ioas_alloc(self->iommufd);

	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	vdev_attach(&self->dev, ioas);
	vdev_close(&self->dev);
	ASSERT_EQ(0, __destroy(self->iommufd, ioas));
	ASSERT_EQ(0, __open_device(&self->dev));
	ASSERT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
}

TEST_HARNESS_MAIN
