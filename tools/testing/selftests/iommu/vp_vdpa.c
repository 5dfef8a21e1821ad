// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA disk behind the IOMMU, a virtio PCI card on vp_vdpa, in address spaces of
 * /dev/iommu: it is owned, blocked, attached and released as a device of VFIO is.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "vdpa.h"
#include "vfio.h"
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
	self->fd = -1;
	if (__vdpa_add_disk(NAME, self->bdf))
		SKIP(return, "no virtio disk, or no vp_vdpa");
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

#define start() blk_begin(&self->vq, self->fd, self->ring, RING)
#define attach_and_start()						\
	do {								\
		vdpa_attach(self->fd, self->iommufd, 0, self->ioas);	\
		start();						\
	} while (0)

#define disk_works(byte) __blk_works(&self->vq, self->data, DATA, byte)

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
	blocked = fault_seen(faults) && is_filled(va, PAGE, 'x');
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

/* The addresses are such that it would work as well if there were no translation. */
TEST_F(vp_vdpa, detached_it_reaches_nothing)
{
	__u64 ring, data;

	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	ring = phys_of(self->ring);
	data = phys_of(self->data);
	ioas_map_at(self->iommufd, self->ioas, self->ring, PAGE, ring);
	ioas_map_at(self->iommufd, self->ioas, self->data, PAGE, data);
	blk_begin(&self->vq, self->fd, self->ring, ring);
	EXPECT_EQ(0, __blk_read(&self->vq, 8, data, PAGE));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(-ENOENT, __vdpa_detach(self->fd, 0));
	EXPECT_TRUE(read_is_blocked(&self->vq, self->data, data));
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

static int map_own_page(int sock, void *arg)
{
	int *iommufd = arg;
	char *page = alloc_pages(PAGE);
	__u32 ioas = ioas_alloc(*iommufd);

	memset(page, 'o', PAGE);
	ioas_map_at(*iommufd, ioas, page, PAGE, DATA + MIB(1));
	if (write(sock, &ioas, sizeof(ioas)) != sizeof(ioas))
		return 1;
	wait_go(sock);
	return is_filled(page, PAGE, 's') ? 0 : 1;
}

/* The child's IOAS, with memory of the child, is one of ours. */
TEST_F(vp_vdpa, C1_dup_and_fork_share_one_context)
{
	int copy = dup(self->iommufd);
	struct child child;
	__u32 ioas;

	attach_and_start();
	EXPECT_EQ(0, disk_works('s'));
	child_start(&child, map_own_page, &copy);
	ASSERT_EQ(sizeof(ioas), read(child.sock, &ioas, sizeof(ioas)));
	ioas_map_at(self->iommufd, ioas, self->ring, PAGE, RING);
	EXPECT_LT(0, __vdpa_attach(self->fd, copy, 0, &(__u32){ ioas }));
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA + MIB(1), PAGE));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
	close(copy);
}

TEST_F(vp_vdpa, C1_two_opens_are_two_contexts)
{
	int other = iommufd_open();
	__u32 pt;

	/* Not the first id, which the device will have. */
	ioas_alloc(other);
	pt = ioas_alloc(other);
	EXPECT_EQ(-ENOENT, __vdpa_attach(self->fd, self->iommufd, 0, &(__u32){ pt + 10 }));
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));

	/* The other one can have it afterwards. */
	close(self->fd);
	self->fd = vdpa_open(NAME);
	EXPECT_LT(0, __vdpa_attach(self->fd, other, 0, &pt));
	close(other);
}

TEST_F(vp_vdpa, C2_bound_device_can_not_be_bound_again)
{
	int other = iommufd_open();
	__u32 pt = ioas_alloc(other);

	attach_and_start();
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));
	EXPECT_EQ(-EBUSY, __vdpa_open(NAME));
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));
	EXPECT_LT(0, __vdpa_attach(self->fd, self->iommufd, 0, &(__u32){ self->ioas }));
	virtio_reset(self->fd);
	vqueue_free(&self->vq);
	start();
	EXPECT_EQ(0, disk_works('b'));
	close(other);
}

TEST_F(vp_vdpa, C3_the_context_lives_until_the_device_is_closed)
{
	attach_and_start();
	close(self->iommufd);
	self->iommufd = -1;
	EXPECT_EQ(0, disk_works('a'));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

struct guest {
	int iommufd;
	__u32 ioas;
};

/* A user with a limit, and a context that others use for the disk */
static int map_to_the_limit(int sock, void *arg)
{
	struct guest *guest = arg;
	char *memory = alloc_pages(MIB(1) + PAGE);
	__u64 iova = DATA + MIB(16);

	become_user(1000, MIB(1));
	if (__ioas_map_at(guest->iommufd, guest->ioas, memory, MIB(1) + PAGE, iova) != -ENOMEM)
		return 1;
	ioas_map_at(guest->iommufd, guest->ioas, memory, MIB(1), iova);
	send_go(sock);
	wait_go(sock);
	return proc_status_kb(getpid(), "VmPin") == 1024 ? 0 : 2;
}

TEST_F(vp_vdpa, C4_mapper_pays_whoever_has_the_device)
{
	struct guest guest = { self->iommufd, self->ioas };
	long charged = proc_status_kb(getpid(), "VmPin"), ours = (PAGE + DATA_LENGTH) / 1024;
	struct child child;

	attach_and_start();
	EXPECT_EQ(charged + ours, proc_status_kb(getpid(), "VmPin"));
	child_start(&child, map_to_the_limit, &guest);
	ASSERT_TRUE(wait_go(child.sock));
	EXPECT_EQ(charged + ours, proc_status_kb(getpid(), "VmPin"));
	/* The disk reaches it. */
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __blk_write(&self->vq, 16, DATA + MIB(16), PAGE));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

/* How a device of VFIO or of vDPA is attached */
struct subject {
	int iommufd, vdpa;
	struct vdev *vfio;
};

static int __subject_attach(const struct subject *subject, __u32 pt)
{
	int ret;

	if (subject->vfio)
		return __vdev_attach(subject->vfio, &pt);
	ret = __vdpa_attach(subject->vdpa, subject->iommufd, 0, &pt);
	return ret < 0 ? ret : 0;
}

static unsigned int occurrences(const char *text, const char *word)
{
	unsigned int n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

/* The one place where the IOMMU core decides who owns a group is asked for each of them. */
TEST_F(vp_vdpa, C5_vfio_and_vdpa_ask_the_same_core)
{
	static const char *const event = "iommufd_test/claim";
	struct pci_list edu;
	const char *trace;
	struct vdev vfio;

	pci_find(ID_EDU, &edu);
	if (!edu.n || __trace_probe("claim", "iommu_device_claim_dma_owner"))
		SKIP(return, "no edu device, or no kprobes");
	pci_bind(edu.bdf[0], "vfio-pci");
	ASSERT_EQ(0, __trace_start(&event, 1));
	vdev_start(&vfio, edu.bdf[0], self->iommufd);
	trace_mark("half time");
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	trace = trace_stop();
	EXPECT_EQ(2, occurrences(trace, " claim: "));
	trace = strstr(trace, "half time");
	EXPECT_TRUE(trace && occurrences(trace, " claim: ") == 1);
	vdev_close(&vfio);
}

TEST_F(vp_vdpa, C5_vfio_and_vdpa_are_refused_alike)
{
	__u32 ioas = ioas_alloc(self->iommufd), conflict = ioas_alloc(self->iommufd), i;
	struct subject subject[2] = {};
	struct pci_list edu;
	struct vdev vfio;
	struct klog log;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&vfio, edu.bdf[0], self->iommufd);
	subject[0].vfio = &vfio;
	subject[1].vdpa = self->fd;
	subject[1].iommufd = self->iommufd;
	/* In the window of message signalled interrupts, which devices reserve */
	ioas_map_at(self->iommufd, conflict, self->data, PAGE, 0xfee00000);
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);

	klog_open(&log);
	for (i = 0; i < ARRAY_LEN(subject); i++) {
		EXPECT_EQ(0, __subject_attach(&subject[i], ioas));
		EXPECT_EQ(-ENOENT, __subject_attach(&subject[i], 4711));
		EXPECT_EQ(-EINVAL, __subject_attach(&subject[i], vfio.id));
		EXPECT_EQ(-EADDRINUSE, __subject_attach(&subject[i], conflict));
		EXPECT_TRUE(klog_wait(&log, 2000, "must be free for",
				      i ? self->bdf : edu.bdf[0]));
	}
	klog_close(&log);
	vdev_close(&vfio);
}

static int __bind_file(const char *driver, const char *bdf)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	return __write_text(path, bdf);
}

TEST_F(vp_vdpa, other_drivers_are_refused_while_it_is_owned)
{
	attach_and_start();
	EXPECT_GT(0, __bind_file("vfio-pci", self->bdf));
	EXPECT_GT(0, __bind_file("virtio-pci", self->bdf));
	EXPECT_EQ(0, disk_works('a'));
}

/* The card belongs to nobody afterwards. */
static void leave_card(int *fd)
{
	close(*fd);
	*fd = -1;
	must(__vdpa_del(NAME));
}

TEST_F(vp_vdpa, VFIO_can_have_it_afterwards)
{
	struct vdev vfio;

	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	leave_card(&self->fd);
	pci_bind(self->bdf, "vfio-pci");
	must(__vdev_open(&vfio, self->bdf));
	EXPECT_EQ(0, __vdev_bind(&vfio, self->iommufd));
	vdev_close(&vfio);
}

TEST_F(vp_vdpa, a_legacy_VFIO_user_can_have_it_afterwards)
{
	struct container container;

	attach_and_start();
	EXPECT_GT(0, __container_open(&container, "/dev/vfio/vfio", self->bdf,
				      VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, disk_works('a'));
	leave_card(&self->fd);
	pci_bind(self->bdf, "vfio-pci");
	ASSERT_EQ(0, __container_open(&container, "/dev/vfio/vfio", self->bdf,
				      VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, __container_map(&container, self->data, DATA_LENGTH, DATA));
	EXPECT_EQ(self->pinned + DATA_LENGTH / PAGE, pinned_pages_settle(self->pinned + 16));
	container_close(&container);
}

/* Read the disk as the kernel's own driver has it. */
static int __read_kernel_disk(const char *bdf, void *sector)
{
	char path[400];
	glob_t found;
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtio*/block/*", bdf);
	if (glob(path, 0, NULL, &found))
		return -ENOENT;
	snprintf(path, sizeof(path), "/dev%s", strrchr(found.gl_pathv[0], '/'));
	globfree(&found);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = pread(fd, sector, SECTOR, 8 * SECTOR) == SECTOR ? 0 : -EIO;
	close(fd);
	return ret;
}

TEST_F(vp_vdpa, the_virtio_driver_can_have_it_afterwards)
{
	char sector[SECTOR] = "";

	attach_and_start();
	EXPECT_EQ(0, disk_works('k'));
	leave_card(&self->fd);
	pci_bind(self->bdf, "virtio-pci");
	EXPECT_EQ(0, __read_kernel_disk(self->bdf, sector));
	EXPECT_TRUE(is_filled(sector, SECTOR, 'k'));
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
	blk_begin(&vq, fd, ring, RING);
	if (__blk_works(&vq, data, DATA, 'c'))
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
