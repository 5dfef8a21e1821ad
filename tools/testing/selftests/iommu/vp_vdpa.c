// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA disk behind the IOMMU, a virtio PCI card on vp_vdpa, in address spaces of
 * /dev/iommu: it is owned, blocked, attached and released as a device of VFIO is.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "vdpa.h"
#include "vqueue.h"

#define NAME "disk1"
#define RING 0x10000ULL
#define DATA 0x200000ULL
#define DATA_LENGTH (16 * PAGE)

FIXTURE(vp_vdpa)
{
	bdf_t bdf;
	int fd, iommufd;
	__u32 ioas;
	struct vqueue vq;
	char *ring, *data;
	long pinned;
};

FIXTURE_SETUP(vp_vdpa)
{
	struct pci_list disks;

	self->fd = -1;
	pci_find(ID_VIRTIO_BLK, &disks);
	if (!disks.n || access("/sys/bus/pci/drivers/vp-vdpa", F_OK))
		SKIP(return, "no virtio disk, or no vp_vdpa");
	memcpy(self->bdf, disks.bdf[0], sizeof(self->bdf));
	pci_bind(self->bdf, "vp-vdpa");
	/* A test that ended early may have left it behind. */
	__vdpa_del(NAME);
	must(__vdpa_add("pci", self->bdf, NAME));
	self->pinned = pinned_pages();
	self->ring = alloc_pages(PAGE);
	self->data = alloc_pages(DATA_LENGTH);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->ioas, self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	self->fd = vdpa_open(NAME);
}

FIXTURE_TEARDOWN(vp_vdpa)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->iommufd >= 0)
		close(self->iommufd);
	/* Fails where the test has removed it already. */
	__vdpa_del(NAME);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

static void start_disk(struct vqueue *vq, int fd, void *ring)
{
	virtio_begin(fd, 0);
	vqueue_setup(vq, fd, 0, ring, RING);
	virtio_start(fd);
}

#define start() start_disk(&self->vq, self->fd, self->ring)
#define attach_and_start()						\
	do {								\
		vdpa_attach(self->fd, self->iommufd, 0, self->ioas);	\
		start();						\
	} while (0)

static bool filled(const char *va, size_t length, char byte)
{
	while (length--)
		if (*(volatile const char *)va++ != byte)
			return false;
	return true;
}

/* Writes one page to the disk and reads it back to another place. */
static int __disk_works(struct vqueue *vq, char *data, char byte)
{
	int ret;

	memset(data, byte, PAGE);
	memset(data + PAGE, 0, PAGE);
	ret = __blk_write(vq, 8, DATA, PAGE);
	if (!ret)
		ret = __blk_read(vq, 8, DATA + PAGE, PAGE);
	return ret ?: filled(data + PAGE, PAGE, byte) ? 0 : -EBADMSG;
}

#define disk_works(byte) __disk_works(&self->vq, self->data, byte)

/*
 * A read that the IOMMU has to stop: the memory stays as it is. Whether the disk notices
 * is another matter, as writes to memory are not answered.
 */
static bool read_is_blocked(struct vqueue *vq, char *va, __u64 iova)
{
	long faults = fault_count();
	bool blocked;

	faults_expected(true);
	memset(va, 'x', PAGE);
	__blk_read(vq, 8, iova, PAGE);
	blocked = fault_seen(faults) && filled(va, PAGE, 'x');
	faults_expected(false);
	return blocked;
}

TEST_F(vp_vdpa, blocks_through_an_ioas)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, disk_works('b'));
	EXPECT_EQ(self->pinned + (PAGE + DATA_LENGTH) / PAGE, pinned_pages());
}

TEST_F(vp_vdpa, unmapped_memory_is_not_touched)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	must(__ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	EXPECT_TRUE(read_is_blocked(&self->vq, self->data, DATA));
	/* A reset leaves it in the IOAS. */
	virtio_reset(self->fd);
	vqueue_free(&self->vq);
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	start();
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vp_vdpa, physical_memory_is_out_of_reach)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_TRUE(read_is_blocked(&self->vq, self->data, phys_of(self->data)));
}

TEST_F(vp_vdpa, detached_it_reaches_nothing)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(-ENOENT, __vdpa_detach(self->fd, 0));
	EXPECT_TRUE(read_is_blocked(&self->vq, self->data, DATA));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, 0, self->data, PAGE, DATA));
}

TEST_F(vp_vdpa, moves_to_another_ioas_and_to_a_page_table)
{
	__u32 other = ioas_alloc(self->iommufd), pt = self->ioas, first, hwpt;
	long dev = must(__vdpa_attach(self->fd, self->iommufd, 0, &pt));

	/* What is said is the page table that it got. */
	first = pt;
	EXPECT_NE(self->ioas, first);
	ioas_map_at(self->iommufd, other, self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, other, self->data, DATA_LENGTH, DATA);
	start();
	EXPECT_EQ(0, disk_works('a'));
	vdpa_attach(self->fd, self->iommufd, 0, other);
	EXPECT_EQ(0, disk_works('b'));
	EXPECT_EQ(0, __destroy(self->iommufd, self->ioas));
	ASSERT_EQ(0, __hwpt_alloc(self->iommufd, dev, other, 0, &hwpt));
	vdpa_attach(self->fd, self->iommufd, 0, hwpt);
	EXPECT_EQ(0, disk_works('c'));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, hwpt));
}

TEST_F(vp_vdpa, messages_are_refused_while_bound)
{
	attach_and_start();
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, 0, self->data, PAGE, DATA + MIB(1)));
	EXPECT_EQ(-EBUSY, __vdpa_message(self->fd, 0, VHOST_IOTLB_INVALIDATE, NULL, PAGE, DATA));
	EXPECT_EQ(0, disk_works('a'));
}

/* Its own IOMMU domain is as it was, before, in between and after. */
TEST_F(vp_vdpa, messages_work_as_ever_without_iommufd)
{
	__u32 pt = 12345;
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-ENOENT, __vdpa_attach(self->fd, self->iommufd, 0, &pt));
		EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, self->ring, PAGE, RING));
		EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, self->data, DATA_LENGTH, DATA));
		EXPECT_EQ(-EBUSY, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
		start();
		EXPECT_EQ(0, disk_works('l'));
		close(self->fd);
		vqueue_free(&self->vq);

		self->fd = vdpa_open(NAME);
		attach_and_start();
		EXPECT_EQ(0, disk_works('i'));
		close(self->fd);
		vqueue_free(&self->vq);
		self->fd = vdpa_open(NAME);
	}
}

static int __bind_file(const char *driver, const char *bdf)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return __write_text(path, bdf);
}

TEST_F(vp_vdpa, one_owner)
{
	int other = iommufd_open();
	__u32 pt = ioas_alloc(other);
	struct vdev vfio;

	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));
	EXPECT_EQ(-EBUSY, __vdpa_open(NAME));
	EXPECT_GT(0, __bind_file("vfio-pci", self->bdf));
	EXPECT_GT(0, __bind_file("virtio-pci", self->bdf));
	start();
	EXPECT_EQ(0, disk_works('a'));

	/* Each of them can have it afterwards. */
	close(self->fd);
	self->fd = vdpa_open(NAME);
	EXPECT_LT(0, __vdpa_attach(self->fd, other, 0, &pt));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, __vdpa_del(NAME));
	pci_bind(self->bdf, "vfio-pci");
	must(__vdev_open(&vfio, self->bdf));
	EXPECT_EQ(0, __vdev_bind(&vfio, other));
	vdev_close(&vfio);
	pci_bind(self->bdf, "virtio-pci");
	close(other);
}

TEST_F(vp_vdpa, the_context_lives_until_the_device_is_closed)
{
	attach_and_start();
	close(self->iommufd);
	self->iommufd = -1;
	EXPECT_EQ(0, disk_works('a'));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

/* One IOAS for a device of VFIO and one of vDPA: pinned once, reached by both. */
TEST_F(vp_vdpa, shares_an_ioas_with_vfio)
{
	long pages = (PAGE + DATA_LENGTH) / PAGE, charged = proc_status_kb(getpid(), "VmPin");
	struct pci_list edu;
	struct vdev vfio;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&vfio, edu.bdf[0], self->iommufd);
	vdev_attach(&vfio, self->ioas);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	attach_and_start();
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_GE(charged + pages * 4, proc_status_kb(getpid(), "VmPin"));

	/* From the disk to memory, and from there by the other device. */
	EXPECT_EQ(0, disk_works('s'));
	edu_copy(&vfio, DATA + PAGE, DATA + 3 * PAGE, PAGE);
	EXPECT_TRUE(filled(self->data + 3 * PAGE, PAGE, 's'));
	vdev_close(&vfio);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_EQ(0, disk_works('t'));
}

static int die_with_disk(int sock, void *arg __attribute__((unused)))
{
	char *ring = alloc_pages(PAGE), *data = alloc_pages(DATA_LENGTH);
	int iommufd = iommufd_open(), fd = vdpa_open(NAME);
	__u32 ioas = ioas_alloc(iommufd);
	struct vqueue vq;

	ioas_map_at(iommufd, ioas, ring, PAGE, RING);
	ioas_map_at(iommufd, ioas, data, DATA_LENGTH, DATA);
	vdpa_attach(fd, iommufd, 0, ioas);
	start_disk(&vq, fd, ring);
	if (__disk_works(&vq, data, 'c'))
		return 1;
	send_go(sock);
	for (;;)
		__blk_read(&vq, 8, DATA, DATA_LENGTH);
}

TEST_F(vp_vdpa, the_owner_is_killed)
{
	struct child child;

	close(self->fd);
	child_start(&child, die_with_disk, NULL);
	ASSERT_TRUE(wait_go(child.sock));
	msleep(50);
	EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	self->fd = vdpa_open(NAME);
	attach_and_start();
	EXPECT_EQ(0, disk_works('b'));
}

TEST_HARNESS_MAIN
