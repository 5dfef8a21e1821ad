// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA disk that translates by itself (vdpa_sim_blk) in an address space of /dev/iommu:
 * blocks written and read through an IOAS by a virtqueue that is driven from here.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "vdpa.h"
#include "vqueue.h"

#define NAME "disk0"
#define RING 0x10000ULL
#define DATA 0x200000ULL
#define DATA_LENGTH (16 * PAGE)

FIXTURE(vdpa_blk)
{
	int fd, iommufd;
	__u32 ioas;
	struct vqueue vq;
	char *ring, *data;
	long pinned;
};

FIXTURE_SETUP(vdpa_blk)
{
	if (__vdpa_add_disk(NAME, NULL))
		SKIP(return, "no simulated vDPA disk");
	self->pinned = pinned_pages();
	self->ring = alloc_pages(PAGE);
	self->data = alloc_pages(DATA_LENGTH);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->ioas, self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	self->fd = vdpa_open(NAME);
}

FIXTURE_TEARDOWN(vdpa_blk)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->iommufd >= 0)
		close(self->iommufd);
	EXPECT_EQ(0, __vdpa_del(NAME));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

#define start() blk_begin(&self->vq, self->fd, self->ring, RING)
#define attach_and_start()						\
	do {								\
		vdpa_attach(self->fd, self->iommufd, 0, self->ioas);	\
		start();						\
	} while (0)

#define disk_works(byte) __blk_works(&self->vq, self->data, DATA, byte)

TEST_F(vdpa_blk, blocks_through_an_ioas)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vdpa_blk, what_is_mapped_later_is_reached)
{
	char *more = alloc_pages(4 * PAGE);

	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, DATA + MIB(1), PAGE));
	ioas_map_at(self->iommufd, self->ioas, more, 4 * PAGE, DATA + MIB(1));
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA + MIB(1) + 3 * PAGE, PAGE));
	EXPECT_TRUE(is_filled(more + 3 * PAGE, PAGE, 'a'));
}

TEST_F(vdpa_blk, unmapped_memory_is_not_touched)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(DATA_LENGTH, __ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	memset(self->data, 'u', DATA_LENGTH);
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, DATA, PAGE));
	EXPECT_TRUE(is_filled(self->data, DATA_LENGTH, 'u'));
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA, PAGE));
	EXPECT_TRUE(is_filled(self->data, PAGE, 'a'));
}

/* Physical addresses are what the simulator uses when nobody tells it anything. */
TEST_F(vdpa_blk, physical_memory_is_out_of_reach)
{
	__u64 phys = phys_of(self->data + 5 * PAGE);

	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	memset(self->data + 5 * PAGE, 'p', PAGE);
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, phys, PAGE));
	EXPECT_TRUE(is_filled(self->data + 5 * PAGE, PAGE, 'p'));
}

TEST_F(vdpa_blk, read_only_memory_is_not_written)
{
	char *ro = alloc_pages(PAGE);
	__u64 iova = DATA + MIB(1);

	memset(ro, 'r', PAGE);
	must(__ioas_map(self->iommufd, self->ioas, MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA, ro, PAGE,
			&iova));
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, iova, PAGE));
	EXPECT_TRUE(is_filled(ro, PAGE, 'r'));
	EXPECT_EQ(0, __blk_write(&self->vq, 8, iova, PAGE));
}

TEST_F(vdpa_blk, pinned_and_charged_once)
{
	long pages = (DATA_LENGTH + PAGE) / PAGE, charged = proc_status_kb(getpid(), "VmPin");
	__u32 pt = self->ioas;

	EXPECT_EQ(self->pinned, pinned_pages());
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	/* Moving it to where it is changes nothing. */
	EXPECT_LT(0, __vdpa_attach(self->fd, self->iommufd, 0, &pt));
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(charged, proc_status_kb(getpid(), "VmPin"));
}

TEST_F(vdpa_blk, detached_it_reaches_nothing)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(-ENOENT, __vdpa_detach(self->fd, 0));
	memset(self->data, 'd', DATA_LENGTH);
	EXPECT_EQ(-ETIMEDOUT, __blk_read(&self->vq, 8, DATA, PAGE));
	EXPECT_TRUE(is_filled(self->data, DATA_LENGTH, 'd'));
	/* Another context would be another owner. */
	close(self->iommufd);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
}

TEST_F(vdpa_blk, a_reset_keeps_the_address_space)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	virtio_reset(self->fd);
	vqueue_free(&self->vq);
	start();
	EXPECT_EQ(0, disk_works('b'));
	memset(self->data + 5 * PAGE, 'p', PAGE);
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, phys_of(self->data + 5 * PAGE), PAGE));
	EXPECT_TRUE(is_filled(self->data + 5 * PAGE, PAGE, 'p'));
}

TEST_F(vdpa_blk, messages_are_refused_while_attached)
{
	char *other = alloc_pages(PAGE);
	long pinned;

	attach_and_start();
	pinned = pinned_pages();
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, 0, other, PAGE, DATA + MIB(1)));
	EXPECT_EQ(-EBUSY, __vdpa_message(self->fd, 0, VHOST_IOTLB_INVALIDATE, NULL, DATA_LENGTH,
					 DATA));
	EXPECT_EQ(-EBUSY, __vdpa_message(self->fd, 0, VHOST_IOTLB_BATCH_BEGIN, NULL, 0, 0));
	EXPECT_EQ(-EBUSY, __vdpa_message(self->fd, 0, VHOST_IOTLB_BATCH_END, NULL, 0, 0));
	EXPECT_EQ(pinned, pinned_pages());
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, DATA + MIB(1), PAGE));
	EXPECT_EQ(0, disk_works('a'));
}

TEST_F(vdpa_blk, mapped_by_messages_it_can_not_be_attached)
{
	char *data = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, data, PAGE, DATA));
	EXPECT_EQ(-EBUSY, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
	EXPECT_EQ(0, __vdpa_message(self->fd, 0, VHOST_IOTLB_INVALIDATE, NULL, PAGE, DATA));
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
}

TEST_F(vdpa_blk, messages_work_as_ever_without_iommufd)
{
	/* The simulator maps pieces of files only, when it uses addresses of the process. */
	char *ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *data = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, ring, PAGE, RING));
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, data, 2 * PAGE, DATA));
	blk_begin(&self->vq, self->fd, ring, RING);
	EXPECT_EQ(0, __blk_works(&self->vq, data, DATA, 'l'));
}

/* Also when an attach was tried, and failed. */
TEST_F(vdpa_blk, messages_work_after_a_failed_attach)
{
	char *ring = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *data = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);
	__u32 pt = 12345;

	EXPECT_EQ(-ENOENT, __vdpa_attach(self->fd, self->iommufd, 0, &pt));
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, ring, PAGE, RING));
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, data, 2 * PAGE, DATA));
	blk_begin(&self->vq, self->fd, ring, RING);
	EXPECT_EQ(0, __blk_works(&self->vq, data, DATA, 'l'));
}

TEST_F(vdpa_blk, the_context_lives_until_the_device_is_closed)
{
	attach_and_start();
	close(self->iommufd);
	self->iommufd = -1;
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_NE(self->pinned, pinned_pages());
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

TEST_F(vdpa_blk, closing_the_device_releases_it)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	close(self->fd);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	self->fd = vdpa_open(NAME);
	attach_and_start();
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vdpa_blk, one_owner)
{
	int other = iommufd_open();
	__u32 pt = ioas_alloc(other);

	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));
	EXPECT_EQ(-EBUSY, __vdpa_open(NAME));
	start();
	EXPECT_EQ(0, disk_works('a'));
	/* The file of a device is for one program after the other. */
	close(self->fd);
	self->fd = vdpa_open(NAME);
	EXPECT_LT(0, __vdpa_attach(self->fd, other, 0, &pt));
	close(other);
}

TEST_F(vdpa_blk, a_device_under_way_can_not_be_taken_over)
{
	start();
	EXPECT_EQ(-EBUSY, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
	virtio_reset(self->fd);
	vqueue_free(&self->vq);
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
}

struct load {
	struct vqueue *vq;
	unsigned long done;
	int error;
	bool stop;
};

static void *read_blocks(void *arg)
{
	struct load *load = arg;

	while (!__atomic_load_n(&load->stop, __ATOMIC_RELAXED) && !load->error) {
		load->error = __blk_read(load->vq, 8, DATA, PAGE);
		__atomic_add_fetch(&load->done, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void wait_for(struct load *load, unsigned long more)
{
	unsigned long goal = __atomic_load_n(&load->done, __ATOMIC_RELAXED) + more;

	while (!load->error && __atomic_load_n(&load->done, __ATOMIC_RELAXED) < goal)
		msleep(1);
}

TEST_F(vdpa_blk, moves_to_another_ioas_while_it_works)
{
	struct load load = { .vq = &self->vq };
	__u32 ioas[2] = { self->ioas, ioas_alloc(self->iommufd) };
	char batch[4] = "";
	pthread_t thread;
	int i;

	__read_text("/sys/module/vdpa_sim/parameters/batch_mapping", batch, sizeof(batch));
	if (batch[0] == '0')
		SKIP(return, "the disk learns of mappings one by one");
	ioas_map_at(self->iommufd, ioas[1], self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, ioas[1], self->data, DATA_LENGTH, DATA);
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	pthread_create(&thread, NULL, read_blocks, &load);
	for (i = 1; i <= 20; i++) {
		vdpa_attach(self->fd, self->iommufd, 0, ioas[i % 2]);
		wait_for(&load, 5);
	}
	load.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, load.error);
	/* It is in the first one now, and the other has let go of it. */
	EXPECT_EQ(0, __destroy(self->iommufd, ioas[1]));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, ioas[0]));
}

/* Memory may be used for something else as soon as the unmap returns. */
TEST_F(vdpa_blk, an_unmap_waits_for_the_device)
{
	__u64 length = 8 * PAGE;
	int i, spoiled = 0;

	attach_and_start();
	memset(self->data, 'a', length);
	ASSERT_EQ(0, __blk_write(&self->vq, 8, DATA, length));
	for (i = 0; i < 300; i++) {
		blk_start_read(&self->vq, 8, DATA, length);
		if (i % 2)
			usleep(i);
		must(__ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
		memset(self->data, 'u', length);
		ASSERT_EQ(0, __vqueue_wait(&self->vq, 2000));
		spoiled += !is_filled(self->data, length, 'u');
		ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	}
	EXPECT_EQ(0, spoiled);
}

/* A request that it was given before waits until it is resumed. */
TEST_F(vdpa_blk, suspended_it_lets_go)
{
	__u32 other = ioas_alloc(self->iommufd);

	ioas_map_at(self->iommufd, other, self->ring, PAGE, RING);
	attach_and_start();
	ASSERT_EQ(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	blk_start_read(&self->vq, 8, DATA, PAGE);
	must(__ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	EXPECT_EQ(self->pinned + 1, pinned_pages_settle(self->pinned + 1));
	memset(self->data, 's', DATA_LENGTH);
	EXPECT_EQ(-ETIMEDOUT, __vqueue_wait(&self->vq, 200));
	ASSERT_EQ(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(0, __vqueue_wait(&self->vq, 2000));
	EXPECT_TRUE(is_filled(self->data, DATA_LENGTH, 's'));

	ASSERT_EQ(0, ioctl(self->fd, VHOST_VDPA_SUSPEND));
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	vdpa_attach(self->fd, self->iommufd, 0, other);
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	ASSERT_EQ(0, ioctl(self->fd, VHOST_VDPA_RESUME));
	EXPECT_EQ(0, disk_works('b'));
}

/* The simulator takes 2048 pieces. */
TEST_F(vdpa_blk, what_does_not_fit_is_refused)
{
	size_t length = MIB(16);
	char *pieces = alloc_scattered(length);
	long pinned = self->pinned + 1 + DATA_LENGTH / PAGE;
	__u64 iova = DATA + MIB(16);
	__u32 pt = self->ioas;

	ASSERT_LT(2048, count_runs(pieces, length));
	attach_and_start();
	EXPECT_EQ(-ENOSPC, __ioas_map_at(self->iommufd, self->ioas, pieces, length, iova));
	EXPECT_EQ(pinned, pinned_pages_settle(pinned));
	EXPECT_EQ(0, disk_works('a'));

	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	ioas_map_at(self->iommufd, self->ioas, pieces, length, iova);
	EXPECT_EQ(-ENOSPC, __vdpa_attach(self->fd, self->iommufd, 0, &pt));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	must(__ioas_unmap(self->iommufd, self->ioas, iova, length));
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(0, disk_works('b'));
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

TEST_F(vdpa_blk, the_owner_is_killed)
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

TEST_F(vdpa_blk, arguments_are_checked)
{
	struct {
		struct vhost_vdpa_iommufd_attach cmd;
		__u32 more;
	} attach = { .cmd = {
		.argsz = sizeof(attach.cmd), .iommufd = self->iommufd, .pt_id = self->ioas,
	} };
	struct {
		struct vhost_vdpa_iommufd_detach cmd;
		__u32 more;
	} detach = { .cmd.argsz = sizeof(detach.cmd) };

#define errno_of(request, cmd, change) ({				\
		typeof(cmd) __old = cmd;				\
		int __ret = (change, ioctl(self->fd, request, &cmd)) ? errno : 0; \
									\
		cmd = __old;						\
		__ret;							\
	})
#define attach_errno(change) errno_of(VHOST_VDPA_IOMMUFD_ATTACH, attach, change)
#define detach_errno(change) errno_of(VHOST_VDPA_IOMMUFD_DETACH, detach, change)
	EXPECT_EQ(EINVAL, attach_errno(attach.cmd.argsz = 20));
	EXPECT_EQ(E2BIG, attach_errno(attach.cmd.argsz = 5000));
	EXPECT_EQ(E2BIG, attach_errno((attach.cmd.argsz = sizeof(attach), attach.more = 1)));
	EXPECT_EQ(EOPNOTSUPP, attach_errno(attach.cmd.flags = 1));
	EXPECT_EQ(EINVAL, attach_errno(attach.cmd.asid = 1));
	EXPECT_EQ(EBADF, attach_errno(attach.cmd.iommufd = -1));
	EXPECT_EQ(EBADFD, attach_errno(attach.cmd.iommufd = 0));
	EXPECT_EQ(ENOENT, attach_errno(attach.cmd.pt_id = 4711));
	EXPECT_EQ(EFAULT, ioctl(self->fd, VHOST_VDPA_IOMMUFD_ATTACH, NULL) ? errno : 0);
	EXPECT_EQ(0, attach_errno(attach.cmd.argsz = sizeof(attach)));

	EXPECT_EQ(EINVAL, detach_errno(detach.cmd.argsz = sizeof(detach.cmd) - 1));
	EXPECT_EQ(E2BIG, detach_errno(detach.cmd.argsz = 5000));
	EXPECT_EQ(E2BIG, detach_errno((detach.cmd.argsz = sizeof(detach), detach.more = 1)));
	EXPECT_EQ(EOPNOTSUPP, detach_errno(detach.cmd.flags = 1));
	EXPECT_EQ(EINVAL, detach_errno(detach.cmd.asid = 1));
	EXPECT_EQ(EFAULT, ioctl(self->fd, VHOST_VDPA_IOMMUFD_DETACH, NULL) ? errno : 0);
	/* None of these has detached it. */
	EXPECT_EQ(0, detach_errno(detach.cmd.argsz = sizeof(detach)));
	EXPECT_EQ(-ENOENT, __vdpa_detach(self->fd, 0));
}

/* A second process with the file is not the owner. */
static int try_attach(int sock __attribute__((unused)), void *arg)
{
	int fd = *(int *)arg, iommufd = iommufd_open();
	__u32 ioas = ioas_alloc(iommufd);

	return -__vdpa_attach(fd, iommufd, 0, &ioas);
}

TEST_F(vdpa_blk, only_the_owner_attaches)
{
	struct child child;

	child_start(&child, try_attach, &self->fd);
	EXPECT_EQ(EPERM, child_wait(&child));
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
}

TEST_HARNESS_MAIN
