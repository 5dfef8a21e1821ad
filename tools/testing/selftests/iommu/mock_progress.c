// SPDX-License-Identifier: GPL-2.0
/*
 * What commands answer while a map or an unmap is under way. A map is stopped in the middle
 * by memory that has to be fetched by its owner (userfaultfd), an unmap by a driver that
 * does not let go of a page.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "viommu.h"

#define IOVA MOCK_IOVA
#define LENGTH (4 * PAGE)
#define MISSING (2 * PAGE)	/* where the memory has a page that nobody has touched yet */
#define ROUNDS 20
#define KEEPS_PINS (MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES | \
		    MOCK_FLAGS_ACCESS_CREATE_KEEPS_PINS)

FIXTURE(progress) {
	struct container c;	/* of the iommufd */
	int fd;
	__u32 ioas;
	struct mock_guest guest;
	char *mem;
};

/* Type1's first version, whose unmap can cut. */
FIXTURE_SETUP(progress)
{
	self->fd = mock_open();
	self->c.fd = self->fd;
	self->ioas = ioas_alloc(self->fd);
	self->guest = mock_guest(self->fd, self->ioas);
	self->mem = alloc_aligned(LENGTH, false);
	vfio_ioas(self->fd, self->ioas);
	must(ioctl(self->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
}

FIXTURE_TEARDOWN(progress)
{
	close(self->fd);
}

static bool has_userfaultfd(void)
{
	return !access("/proc/sys/vm/unprivileged_userfaultfd", F_OK);
}

/*
 * Take a page away, so that whoever needs it waits until it is given back. The result is
 * the userfaultfd.
 */
static int take_page(char *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range) || madvise(page, PAGE, MADV_DONTNEED))
		fatal("userfaultfd: %s", errno_name(errno));
	return uffd;
}

/* Wait until somebody needs it. */
static void wait_for_fault(int uffd)
{
	struct uffd_msg msg;

	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
		fatal("userfaultfd: no fault");
}

static void give_page(int uffd, char *page)
{
	struct uffdio_zeropage cmd = { .range = { .start = (uintptr_t)page, .len = PAGE } };

	must(ioctl(uffd, UFFDIO_ZEROPAGE, &cmd));
	close(uffd);
}

static void *map(void *arg)
{
	FIXTURE_DATA(progress) *self = arg;

	return (void *)(long)__ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
}

static void *unmap(void *arg)
{
	FIXTURE_DATA(progress) *self = arg;

	return (void *)__ioas_unmap(self->fd, self->ioas, IOVA, LENGTH);
}

static int __copy(FIXTURE_DATA(progress) *self, __u64 to)
{
	return __ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, PAGE, &to, IOVA);
}

static int __queue(FIXTURE_DATA(progress) *self)
{
	__u32 id;
	int ret = __hw_queue_alloc(self->fd, self->guest.viommu, 0, IOVA, PAGE, &id);

	return ret ?: __destroy(self->fd, id);
}

TEST_F(progress, map_that_waits_for_its_memory)
{
	char *other = alloc_pages(PAGE);
	pthread_t thread;
	void *ret;
	int uffd;

	if (!has_userfaultfd())
		SKIP(return, "the kernel has no userfaultfd");
	uffd = take_page(self->mem + MISSING);
	ASSERT_EQ(0, pthread_create(&thread, NULL, map, self));
	wait_for_fault(uffd);

	/* Its IOVAs are taken, and it is not there. */
	EXPECT_EQ(-EBUSY, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	EXPECT_EQ(-EBUSY, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, __container_unmap(&self->c, 0, IOVA, LENGTH));
	EXPECT_EQ(-EBUSY, __container_unmap(&self->c, 0, IOVA, PAGE));
	EXPECT_EQ(-EEXIST, __ioas_map_at(self->fd, self->ioas, other, PAGE, IOVA + PAGE));
	EXPECT_EQ(-ENOENT, __copy(self, MIB(64)));
	EXPECT_EQ(-ENOENT, __queue(self));
	/* Other maps and unmaps do not wait for it. */
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, other, PAGE, IOVA + LENGTH));
	EXPECT_EQ(PAGE, __ioas_unmap(self->fd, self->ioas, IOVA + LENGTH, PAGE));

	give_page(uffd, self->mem + MISSING);
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(NULL, ret);
	EXPECT_EQ(0, __mock_check_map(self->fd, self->guest.dev.hwpt, self->mem, LENGTH, IOVA));
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

/* Maps memory of its own, and says when it is in the middle. */
static int map_without_end(int sock, void *arg)
{
	FIXTURE_DATA(progress) *self = arg;
	int uffd = take_page(self->mem + MISSING);
	pthread_t thread;

	if (pthread_create(&thread, NULL, map, self))
		return 1;
	wait_for_fault(uffd);
	send_go(sock);
	pause();
	return 2;
}

TEST_F(progress, killed_while_its_map_waits)
{
	long before = pinned_pages();
	struct child child;

	if (!has_userfaultfd())
		SKIP(return, "the kernel has no userfaultfd");
	child_start(&child, map_without_end, self);
	ASSERT_TRUE(wait_go(child.sock));
	/* Those before the missing one */
	EXPECT_EQ(before + MISSING / PAGE, pinned_pages());
	EXPECT_EQ(-EBUSY, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	EXPECT_EQ(128 + SIGKILL, child_kill(&child));

	EXPECT_EQ(before, pinned_pages_settle(before));
	EXPECT_EQ(0, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA));
}

static bool is_busy(FIXTURE_DATA(progress) *self)
{
	return __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH) == -EBUSY &&
	       __ioas_unmap_all(self->fd, self->ioas) == -EBUSY &&
	       __container_unmap(&self->c, 0, IOVA, PAGE) == -EBUSY &&
	       __queue(self) == -EBUSY;
}

/* A thread asks the driver for some time. Is everybody else refused meanwhile? */
static bool is_busy_during_unmap(FIXTURE_DATA(progress) *self, void **ret)
{
	bool busy = false;
	pthread_t thread;

	if (pthread_create(&thread, NULL, unmap, self))
		fatal("no thread");
	/* Before it begins, the driver's pins stop a cut in another way. */
	while (!busy && pthread_tryjoin_np(thread, ret) == EBUSY)
		if (__container_unmap(&self->c, 0, IOVA, PAGE) == -EBUSY)
			busy = is_busy(self);
	if (busy)
		pthread_join(thread, ret);
	return busy;
}

TEST_F(progress, unmap_that_waits_for_a_driver)
{
	int access = must(__mock_access(self->fd, self->ioas, KEEPS_PINS));
	bool busy = false;
	unsigned int i;
	void *ret;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	must(__mock_pin(self->fd, access, 0, IOVA + PAGE, PAGE, NULL));
	/* The thread may be done before all have been asked; then once more. */
	for (i = 0; i < ROUNDS && !busy; i++) {
		busy = is_busy_during_unmap(self, &ret);
		EXPECT_EQ(-EDEADLOCK, (long)ret);
	}
	EXPECT_TRUE(busy);
	close(access);
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
}

TEST_HARNESS_MAIN
