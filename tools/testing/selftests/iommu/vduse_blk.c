// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA disk that a program plays (VDUSE) in an address space of /dev/iommu. The program
 * gets files, so that is what can be mapped; see lib/vduse.h for how it behaves.
 *
 * With the name of a disk in VDUSE_DISK that one is used, whoever plays it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vdpa.h"
#include "vduse.h"
#include "vqueue.h"

#define NAME "vduse0"
#define RING 0x10000ULL
#define DATA 0x200000ULL
#define DATA_LENGTH (16 * PAGE)
/* Where they are in the file */
#define RING_AT 0
#define DATA_AT PAGE
#define MORE_AT (DATA_AT + DATA_LENGTH)
#define FILE_LENGTH (MORE_AT + 4 * PAGE)

FIXTURE(vduse_blk)
{
	const char *name;
	struct child disk;
	bool ours;
	int file, fd, iommufd;
	__u32 ioas;
	struct vqueue vq;
	char *ring, *data;
	long pinned;
};

static int __map_at(int iommufd, __u32 ioas, int file, __u64 start, __u64 length, __u64 iova)
{
	return __ioas_map_file_at(iommufd, ioas, MAP_RW, file, start, length, iova);
}

static void map_disk(int iommufd, __u32 ioas, int file)
{
	must(__map_at(iommufd, ioas, file, RING_AT, PAGE, RING));
	must(__map_at(iommufd, ioas, file, DATA_AT, DATA_LENGTH, DATA));
}

static char *memory_of(int file)
{
	char *va = mmap(NULL, FILE_LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (va == MAP_FAILED)
		fatal("mmap: %m");
	return va;
}

FIXTURE_SETUP(vduse_blk)
{
	self->fd = -1;
	self->iommufd = -1;
	self->name = getenv("VDUSE_DISK");
	self->ours = !self->name;
	if (self->ours) {
		self->name = NAME;
		if (access("/dev/vduse/control", F_OK))
			SKIP(return, "no VDUSE");
		/* A test that ended early may have left it behind. */
		__vdpa_del(NAME);
		__vduse_destroy(NAME);
		vduse_disk_start(&self->disk, NAME);
	}
	must(__vdpa_add(NULL, "vduse", self->name));
	self->pinned = pinned_pages();
	self->file = must(memfd_create("memory", MFD_CLOEXEC));
	if (ftruncate(self->file, FILE_LENGTH))
		fatal("ftruncate: %m");
	self->ring = memory_of(self->file);
	self->data = self->ring + DATA_AT;
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	map_disk(self->iommufd, self->ioas, self->file);
	self->fd = vdpa_open(self->name);
}

FIXTURE_TEARDOWN(vduse_blk)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->iommufd >= 0)
		close(self->iommufd);
	EXPECT_EQ(0, __vdpa_del(self->name));
	if (self->ours)
		vduse_disk_end(&self->disk, self->name);
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
 * A read to where the disk reaches nothing. A program may say that it failed, or nothing
 * at all; QEMU breaks such a queue.
 */
static bool read_is_refused(struct vqueue *vq, char *va, __u64 iova)
{
	memset(va, 'x', PAGE);
	return __blk_read(vq, 8, iova, PAGE) < 0 && is_filled(va, PAGE, 'x');
}

static void restart(struct vqueue *vq, int fd, void *ring)
{
	virtio_reset(fd);
	vqueue_free(vq);
	blk_begin(vq, fd, ring, RING);
}

TEST_F(vduse_blk, blocks_through_an_ioas)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vduse_blk, unmapped_memory_is_not_touched)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(DATA_LENGTH, __ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	EXPECT_TRUE(read_is_refused(&self->vq, self->data, DATA));
	EXPECT_EQ(0, __map_at(self->iommufd, self->ioas, self->file, DATA_AT, DATA_LENGTH, DATA));
	restart(&self->vq, self->fd, self->ring);
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA, PAGE));
	EXPECT_TRUE(is_filled(self->data, PAGE, 'a'));
}

TEST_F(vduse_blk, what_is_mapped_later_is_reached)
{
	char *more = self->ring + MORE_AT;

	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __map_at(self->iommufd, self->ioas, self->file, MORE_AT, 4 * PAGE,
			      DATA + MIB(1)));
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA + MIB(1) + 3 * PAGE, PAGE));
	EXPECT_TRUE(is_filled(more + 3 * PAGE, PAGE, 'a'));
}

TEST_F(vduse_blk, memory_of_no_file_is_refused)
{
	char *memory = alloc_pages(PAGE);
	__u64 iova = DATA + MIB(1);
	long pinned;

	ioas_map_at(self->iommufd, self->ioas, memory, PAGE, iova);
	EXPECT_EQ(-EOPNOTSUPP, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	must(__ioas_unmap(self->iommufd, self->ioas, iova, PAGE));
	attach_and_start();
	pinned = pinned_pages();
	EXPECT_EQ(-EOPNOTSUPP, __ioas_map_at(self->iommufd, self->ioas, memory, PAGE, iova));
	/* The address of a mapping of a file is no better: it can change. */
	EXPECT_EQ(-EOPNOTSUPP, __ioas_map_at(self->iommufd, self->ioas, self->ring + MORE_AT, PAGE,
					     iova));
	EXPECT_EQ(pinned, pinned_pages_settle(pinned));
	EXPECT_EQ(0, disk_works('a'));
}

/* The program could do with the file whatever can be done with it. */
TEST_F(vduse_blk, a_mapping_that_allows_less_than_its_file_is_refused)
{
	__u64 iova = DATA + MIB(1);
	char path[64];
	int ro;

	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(-EPERM, __ioas_map_file_at(self->iommufd, self->ioas, MAP_R, self->file, MORE_AT,
					     PAGE, iova));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	ro = must(open(path, O_RDONLY | O_CLOEXEC));
	EXPECT_EQ(0, __ioas_map_file_at(self->iommufd, self->ioas, MAP_R, ro, MORE_AT, PAGE, iova));
	EXPECT_EQ(0, __blk_write(&self->vq, 8, iova, PAGE));
	EXPECT_TRUE(read_is_refused(&self->vq, self->ring + MORE_AT, iova));
}

TEST_F(vduse_blk, pinned_and_charged_once)
{
	long pages = (DATA_LENGTH + PAGE) / PAGE, charged = proc_status_kb(getpid(), "VmPin");

	EXPECT_EQ(self->pinned, pinned_pages());
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_EQ(charged + pages * 4, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(charged, proc_status_kb(getpid(), "VmPin"));
}

TEST_F(vduse_blk, detached_it_reaches_nothing)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(-ENOENT, __vdpa_detach(self->fd, 0));
	EXPECT_TRUE(read_is_refused(&self->vq, self->data, DATA));
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, 0, self->data, PAGE, DATA));
}

TEST_F(vduse_blk, a_reset_keeps_the_address_space)
{
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	restart(&self->vq, self->fd, self->ring);
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vduse_blk, moves_to_another_ioas)
{
	__u32 other = ioas_alloc(self->iommufd);

	map_disk(self->iommufd, other, self->file);
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	vdpa_attach(self->fd, self->iommufd, 0, other);
	EXPECT_EQ(0, disk_works('b'));
	EXPECT_EQ(0, __destroy(self->iommufd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, other));
}

TEST_F(vduse_blk, messages_work_as_ever_without_iommufd)
{
	__u32 pt = 12345;

	EXPECT_EQ(-ENOENT, __vdpa_attach(self->fd, self->iommufd, 0, &pt));
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, self->ring, PAGE, RING));
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, 0, self->data, DATA_LENGTH, DATA));
	EXPECT_EQ(-EBUSY, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
	start();
	EXPECT_EQ(0, disk_works('l'));
}

TEST_F(vduse_blk, messages_are_refused_while_attached)
{
	attach_and_start();
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, 0, self->data, PAGE, DATA + MIB(1)));
	EXPECT_EQ(-EBUSY, __vdpa_message(self->fd, 0, VHOST_IOTLB_INVALIDATE, NULL, DATA_LENGTH,
					 DATA));
	EXPECT_EQ(0, disk_works('a'));
}

/* The context of the file is not that of the memory: a second open of /dev/iommu. */
TEST_F(vduse_blk, C1_one_context)
{
	int other = iommufd_open();
	__u32 pt = ioas_alloc(other);

	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(-EINVAL, __vdpa_attach(self->fd, other, 0, &pt));
	EXPECT_EQ(-EBUSY, __vdpa_open(self->name));
	start();
	EXPECT_EQ(0, disk_works('a'));
	close(other);
}

TEST_F(vduse_blk, C3_the_context_lives_until_the_device_is_closed)
{
	attach_and_start();
	close(self->iommufd);
	self->iommufd = -1;
	EXPECT_EQ(0, disk_works('a'));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

TEST_F(vduse_blk, a_program_that_refuses_a_mapping)
{
	long pinned;

	if (!self->ours)
		SKIP(return, "this disk does as it likes");
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	pinned = pinned_pages();
	vduse_disk_set(&self->disk, VDUSE_REFUSING);
	EXPECT_EQ(-EIO, __map_at(self->iommufd, self->ioas, self->file, MORE_AT, PAGE,
				 DATA + MIB(1)));
	EXPECT_EQ(pinned, pinned_pages_settle(pinned));
	/* It can not hold on to one, as far as the kernel has a say. */
	EXPECT_EQ(DATA_LENGTH, __ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	EXPECT_EQ(pinned - DATA_LENGTH / PAGE, pinned_pages_settle(pinned - DATA_LENGTH / PAGE));
	EXPECT_TRUE(read_is_refused(&self->vq, self->data, DATA));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));

	vduse_disk_set(&self->disk, VDUSE_HONEST);
	must(__map_at(self->iommufd, self->ioas, self->file, DATA_AT, DATA_LENGTH, DATA));
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	restart(&self->vq, self->fd, self->ring);
	EXPECT_EQ(0, disk_works('b'));
}

TEST_F(vduse_blk, a_program_that_refuses_to_be_attached)
{
	__u32 other;

	if (!self->ours)
		SKIP(return, "this disk does as it likes");
	other = ioas_alloc(self->iommufd);
	vduse_disk_set(&self->disk, VDUSE_REFUSING);
	EXPECT_EQ(-EIO, __vdpa_attach(self->fd, self->iommufd, 0, &self->ioas));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));

	vduse_disk_set(&self->disk, VDUSE_HONEST);
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	vduse_disk_set(&self->disk, VDUSE_REFUSING);
	EXPECT_EQ(-EIO, __vdpa_attach(self->fd, self->iommufd, 0, &other));
	EXPECT_EQ(0, __destroy(self->iommufd, other));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->ioas));
}

/* Nobody is held up for longer than the device's own limit. */
TEST_F(vduse_blk, a_program_that_dies)
{
	if (!self->ours)
		SKIP(return, "this disk does as it likes");
	must(__write_text("/sys/class/vduse/" NAME "/msg_timeout", "1"));
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	child_kill(&self->disk);
	EXPECT_EQ(DATA_LENGTH, __ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, __vdpa_del(NAME));
	EXPECT_EQ(0, __vduse_destroy(NAME));
	vduse_disk_start(&self->disk, NAME);
	must(__vdpa_add(NULL, "vduse", NAME));
}

/*
 * What the kernel can not do, and the documentation says: take a file away from a program
 * that has mapped it. The program reaches that file, and nothing else.
 */
TEST_F(vduse_blk, a_program_that_keeps_what_it_has)
{
	if (!self->ours)
		SKIP(return, "this disk does as it likes");
	attach_and_start();
	EXPECT_EQ(0, disk_works('a'));
	vduse_disk_set(&self->disk, VDUSE_KEEPING);
	EXPECT_EQ(DATA_LENGTH, __ioas_unmap(self->iommufd, self->ioas, DATA, DATA_LENGTH));
	memset(self->data, 'u', PAGE);
	EXPECT_EQ(0, __blk_read(&self->vq, 8, DATA, PAGE));
	EXPECT_TRUE(is_filled(self->data, PAGE, 'a'));
	/* It gets nothing new. */
	EXPECT_EQ(-EIO, __blk_read(&self->vq, 8, DATA + MIB(1), PAGE));
}

static int die_with_disk(int sock, void *name)
{
	int file = must(memfd_create("memory", MFD_CLOEXEC));
	int iommufd = iommufd_open(), fd = vdpa_open(name);
	__u32 ioas = ioas_alloc(iommufd);
	struct vqueue vq;
	char *ring;

	if (ftruncate(file, FILE_LENGTH))
		return 1;
	ring = memory_of(file);
	map_disk(iommufd, ioas, file);
	vdpa_attach(fd, iommufd, 0, ioas);
	blk_begin(&vq, fd, ring, RING);
	if (__blk_works(&vq, ring + DATA_AT, DATA, 'c'))
		return 1;
	send_go(sock);
	for (;;)
		__blk_read(&vq, 8, DATA, DATA_LENGTH);
}

TEST_F(vduse_blk, the_owner_is_killed)
{
	struct child child;

	close(self->fd);
	child_start(&child, die_with_disk, (void *)self->name);
	ASSERT_TRUE(wait_go(child.sock));
	msleep(50);
	EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	self->fd = vdpa_open(self->name);
	attach_and_start();
	EXPECT_EQ(0, disk_works('b'));
}

TEST_HARNESS_MAIN
