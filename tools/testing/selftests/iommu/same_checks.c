// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO and vDPA ask the same questions: what belongs to whom, what fits together and what
 * is in use is checked by iommufd and the IOMMU core alone. So each body here runs with a
 * device of VFIO and with one of vDPA, and expects the same answers.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "pci.h"
#include "vdpa.h"
#include "vfio.h"

#define NAME "disk2"
#define IOVA 0x100000
#define MSI_WINDOW 0xfee00000

struct user {
	bdf_t bdf;
	/* Of VFIO: the device, and what it is bound to */
	struct vdev vdev;
	int iommufd;
	/* Of vDPA */
	int fd;
};

/* What the two kinds of users call what they have in common */
struct kind {
	enum pci_id id;
	const char *driver;
	int (*open)(struct user *user);
	/* Bind, if necessary, and attach. The result of a success is the id of the device. */
	int (*attach)(struct user *user, int iommufd, __u32 pt);
	int (*detach)(struct user *user);
	void (*close)(struct user *user);
};

static int __vfio_open(struct user *user)
{
	return __pci_bind(user->bdf, "vfio-pci") ?: __vdev_open(&user->vdev, user->bdf);
}

static int __vfio_attach(struct user *user, int iommufd, __u32 pt)
{
	int ret = 0;

	if (iommufd != user->iommufd)
		ret = __vdev_bind(&user->vdev, iommufd);
	if (!ret)
		user->iommufd = iommufd;
	return ret ?: __vdev_attach(&user->vdev, &pt) ?: (int)user->vdev.id;
}

static int __vfio_detach(struct user *user)
{
	return __vdev_detach(&user->vdev);
}

static void vfio_close(struct user *user)
{
	vdev_close(&user->vdev);
	user->iommufd = -1;
}

static int __disk_open(struct user *user)
{
	int ret = __pci_bind(user->bdf, "vp-vdpa");

	if (ret)
		return ret;
	/* A test that ended early may have left it behind. */
	__vdpa_del(NAME);
	ret = __vdpa_add("pci", user->bdf, NAME);
	if (!ret)
		user->fd = vdpa_open(NAME);
	return ret;
}

static int __disk_attach(struct user *user, int iommufd, __u32 pt)
{
	return __vdpa_attach(user->fd, iommufd, 0, &pt);
}

static int __disk_detach(struct user *user)
{
	return __vdpa_detach(user->fd, 0);
}

static void disk_close(struct user *user)
{
	if (user->fd >= 0)
		close(user->fd);
	user->fd = -1;
	__vdpa_del(NAME);
}

FIXTURE(same_checks)
{
	const struct kind *kind;
	struct user user;
	/* Two contexts with an IOAS each */
	int iommufd, other;
	__u32 ioas, other_ioas;
};

FIXTURE_VARIANT(same_checks)
{
	struct kind kind;
};

FIXTURE_VARIANT_ADD(same_checks, vfio)
{
	.kind = {
		.id = ID_EDU,
		.driver = "/sys/bus/pci/drivers/vfio-pci",
		.open = __vfio_open,
		.attach = __vfio_attach,
		.detach = __vfio_detach,
		.close = vfio_close,
	},
};

FIXTURE_VARIANT_ADD(same_checks, vdpa)
{
	.kind = {
		.id = ID_VIRTIO_BLK,
		.driver = "/sys/bus/pci/drivers/vp-vdpa",
		.open = __disk_open,
		.attach = __disk_attach,
		.detach = __disk_detach,
		.close = disk_close,
	},
};

FIXTURE_SETUP(same_checks)
{
	struct pci_list devices;

	self->user.vdev.fd = -1;
	self->user.iommufd = -1;
	self->user.fd = -1;
	self->kind = &variant->kind;
	pci_find(self->kind->id, &devices);
	if (!devices.n || access(self->kind->driver, F_OK))
		SKIP(return, "no such device, or no driver for it");
	memcpy(self->user.bdf, devices.bdf[0], sizeof(self->user.bdf));
	must(self->kind->open(&self->user));
	self->iommufd = iommufd_open();
	self->other = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	/* An id that the first context does not have, whatever it will make */
	do
		self->other_ioas = ioas_alloc(self->other);
	while (self->other_ioas < self->ioas + 100);
}

FIXTURE_TEARDOWN(same_checks)
{
	self->kind->close(&self->user);
	close(self->iommufd);
	close(self->other);
}

#define attach(iommufd, pt) self->kind->attach(&self->user, iommufd, pt)

TEST_F(same_checks, C5_names_only_page_tables_of_its_context)
{
	EXPECT_EQ(-ENOENT, attach(self->iommufd, self->other_ioas));
	ASSERT_LT(0, attach(self->iommufd, self->ioas));
	EXPECT_EQ(-ENOENT, attach(self->iommufd, self->other_ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->ioas));
}

TEST_F(same_checks, C5_what_it_uses_stays)
{
	int id = attach(self->iommufd, self->ioas);

	ASSERT_LT(0, id);
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, id));
	EXPECT_EQ(0, self->kind->detach(&self->user));
	EXPECT_EQ(0, __destroy(self->iommufd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, id));
}

/* Where its interrupts go, no memory can be, before or after. */
TEST_F(same_checks, C5_reserved_addresses_are_kept_free)
{
	void *page = alloc_pages(PAGE);
	struct klog log;

	ioas_map_at(self->iommufd, self->ioas, page, PAGE, MSI_WINDOW);
	klog_open(&log);
	EXPECT_EQ(-EADDRINUSE, attach(self->iommufd, self->ioas));
	EXPECT_TRUE(klog_wait(&log, 2000, "must be free for device", self->user.bdf));
	klog_close(&log);
	EXPECT_EQ(PAGE, __ioas_unmap(self->iommufd, self->ioas, MSI_WINDOW, PAGE));
	ASSERT_LT(0, attach(self->iommufd, self->ioas));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->iommufd, self->ioas, page, PAGE, MSI_WINDOW));
	EXPECT_EQ(0, self->kind->detach(&self->user));
	EXPECT_EQ(0, __ioas_map_at(self->iommufd, self->ioas, page, PAGE, MSI_WINDOW));
}

TEST_F(same_checks, C5_has_one_context)
{
	ASSERT_LT(0, attach(self->iommufd, self->ioas));
	EXPECT_EQ(-EINVAL, attach(self->other, self->other_ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->ioas));

	/* It is free with the device's file. */
	self->kind->close(&self->user);
	ASSERT_EQ(0, self->kind->open(&self->user));
	EXPECT_LT(0, attach(self->other, self->other_ioas));
}

TEST_F(same_checks, C5_memory_is_pinned_and_charged_alike)
{
	long pins = pinned_pages(), charged = proc_status_kb(getpid(), "VmPin");
	void *memory = alloc_pages(16 * PAGE);

	ioas_map_at(self->iommufd, self->ioas, memory, 16 * PAGE, IOVA);
	ASSERT_LT(0, attach(self->iommufd, self->ioas));
	EXPECT_EQ(pins + 16, pinned_pages());
	EXPECT_EQ(charged + 64, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(16 * PAGE, __ioas_unmap(self->iommufd, self->ioas, IOVA, 16 * PAGE));
	EXPECT_EQ(pins, pinned_pages_settle(pins));
	EXPECT_EQ(charged, proc_status_kb(getpid(), "VmPin"));
}

TEST_HARNESS_MAIN
