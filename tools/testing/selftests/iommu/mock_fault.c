// SPDX-License-Identifier: GPL-2.0
/*
 * Fault queues: what is read of a fault, who may answer it and how often, and who does
 * when nobody does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fault.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

FIXTURE(faults) {
	int fd;
	__u32 ioas;
	__u32 parent;
	__u32 id;	/* of the queue */
	int queue;	/* its file */
	__u32 hwpt;	/* sends its faults there */
	struct mock_device dev;
	struct mock_page_faults before;
};

FIXTURE_SETUP(faults)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->dev = mock_device(self->fd, self->ioas);
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &self->parent));
	self->queue = must(__fault_alloc(self->fd, &self->id));
	must(__mock_nested_fault(self->fd, self->dev.idev, self->parent, self->id,
				 &self->hwpt));
	must(__mock_replace(self->fd, self->dev.stdev, &(__u32){ self->hwpt }));
	self->before = mock_page_faults();
}

FIXTURE_TEARDOWN(faults)
{
	close(self->queue);
	close(self->fd);
}

static int events(int queue)
{
	struct pollfd pollfd = { .fd = queue, .events = POLLIN | POLLRDNORM | POLLOUT };

	return poll(&pollfd, 1, 0) < 0 ? -errno : pollfd.revents;
}

#define IN (POLLIN | POLLRDNORM | POLLOUT)
#define OUT POLLOUT

/* So many groups were caused, and answered like this, by whomever. */
#define EXPECT_GROUPS(nraised, nsuccess, ninvalid) do {				\
	struct mock_page_faults now = mock_page_faults();			\
										\
	EXPECT_EQ(nraised, now.raised - self->before.raised);			\
	EXPECT_EQ(nsuccess, now.success - self->before.success);		\
	EXPECT_EQ(ninvalid, now.invalid - self->before.invalid);		\
	EXPECT_EQ(0, now.failure - self->before.failure);			\
} while (0)

/* @n faults of the device, with the addresses 0, 1 … pages. */
static void cause(const FIXTURE_DATA(faults) *self, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		must(__mock_fault(self->fd, self->dev.idev, 0, i, i * PAGE));
}

/* Cause one and read it. */
static struct iommu_hwpt_pgfault one_fault(const FIXTURE_DATA(faults) *self)
{
	struct iommu_hwpt_pgfault fault;

	cause(self, 1);
	if (must(__fault_read(self->queue, &fault, RECORD)) != RECORD)
		fatal("no fault was there");
	return fault;
}

static int __replace(const FIXTURE_DATA(faults) *self, __u32 pt)
{
	return __mock_replace(self->fd, self->dev.stdev, &pt);
}

TEST_F(faults, make_a_queue)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd), .flags = 1 }, *cmd_ro;
	__u32 id, next;
	int queue;

	EXPECT_EQ(-EOPNOTSUPP, __iommufd_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd));
	queue = must(__fault_alloc(self->fd, &id));
	EXPECT_EQ(FD_CLOEXEC, fcntl(queue, F_GETFD));
	EXPECT_EQ(O_RDWR, fcntl(queue, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, id));
	close(queue);
	EXPECT_EQ(0, __destroy(self->fd, id));

	/* If the answer can not be written there is neither a queue nor a file. */
	cmd_ro = alloc_pages(PAGE);
	cmd_ro->size = sizeof(*cmd_ro);
	ASSERT_EQ(0, mprotect(cmd_ro, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __iommufd_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, cmd_ro));
	EXPECT_EQ(queue, must(__fault_alloc(self->fd, &next)));
	EXPECT_EQ(id, next);
	close(queue);
}

TEST_F(faults, no_descriptor_for_a_queue)
{
	struct rlimit limit = { .rlim_cur = 3, .rlim_max = 1024 };
	__u32 id, next = ioas_alloc(self->fd);

	ASSERT_EQ(0, __destroy(self->fd, next));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, __fault_alloc(self->fd, &id));
	EXPECT_EQ(next, ioas_alloc(self->fd));
	limit.rlim_cur = 1024;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

TEST_F(faults, empty_queue)
{
	struct iommu_hwpt_pgfault fault;

	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_EQ(0, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(-ESPIPE, __fault_read(self->queue, &fault, RECORD - 1));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, 0, SUCCESS));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, 1, SUCCESS));
	EXPECT_EQ(-1, pread(self->queue, &fault, RECORD, 8));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_F(faults, what_a_fault_says)
{
	struct iommu_hwpt_pgfault fault;

	must(__mock_fault(self->fd, self->dev.idev, 0, 7, 0xfffffffffffff000));
	EXPECT_EQ(IN, events(self->queue));
	ASSERT_EQ(RECORD, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_LAST_PAGE, fault.flags);
	EXPECT_EQ(self->dev.idev, fault.dev_id);
	EXPECT_EQ(0, fault.pasid);
	EXPECT_EQ(7, fault.grpid);
	EXPECT_EQ(IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE, fault.perm);
	EXPECT_EQ(0xfffffffffffff000, fault.addr);
	EXPECT_EQ(0, fault.length);
	EXPECT_EQ(0, fault.__reserved);
	EXPECT_LE(1, fault.cookie);
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, fault.cookie, SUCCESS));

	/* The IOMMU would have the user's PASID table. */
	must(__mock_fault(self->fd, self->dev.idev, 5, 0, 0));
	ASSERT_EQ(RECORD, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_LAST_PAGE | IOMMU_PGFAULT_FLAGS_PASID_VALID,
		  fault.flags);
	EXPECT_EQ(5, fault.pasid);
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, fault.cookie, INVALID));
	EXPECT_GROUPS(2, 1, 1);
}

TEST_F(faults, read_in_parts)
{
	struct iommu_hwpt_pgfault faults[5];

	cause(self, 5);
	/* There is room for two, and no more are read. */
	memset(faults, 0xff, sizeof(faults));
	EXPECT_EQ(-ESPIPE, __fault_read(self->queue, faults, 2 * RECORD + 1));
	EXPECT_EQ(2 * RECORD, __fault_read(self->queue, faults, 2 * RECORD));
	EXPECT_EQ(0, faults[0].addr);
	EXPECT_EQ(PAGE, faults[1].addr);
	EXPECT_EQ(-1ULL, faults[2].addr);
	EXPECT_NE(faults[0].cookie, faults[1].cookie);
	EXPECT_EQ(IN, events(self->queue));
	EXPECT_EQ(3 * RECORD, __fault_read(self->queue, faults, sizeof(faults)));
	EXPECT_EQ(2 * PAGE, faults[0].addr);
	EXPECT_EQ(4 * PAGE, faults[2].addr);
	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_GROUPS(5, 0, 0);
}

TEST_F(faults, read_into_memory_that_is_not_there)
{
	char *page = alloc_pages(2 * PAGE);
	struct iommu_hwpt_pgfault *last = (void *)(page + PAGE - RECORD), fault;

	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	cause(self, 3);
	EXPECT_EQ(-EFAULT, __fault_read(self->queue, page + PAGE, RECORD));
	EXPECT_EQ(RECORD, __fault_read(self->queue, last, 2 * RECORD));
	EXPECT_EQ(0, last->addr);
	/* The next was not lost, nor did it lose its place. */
	ASSERT_EQ(RECORD, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(PAGE, fault.addr);
	ASSERT_EQ(RECORD, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(2 * PAGE, fault.addr);
}

/* A group of @n requests, whose addresses are 0, 1 … pages */
static void cause_group(const FIXTURE_DATA(faults) *self, __u32 grpid, unsigned int n)
{
	unsigned int i;

	for (i = 0; i + 1 < n; i++)
		must(__mock_partial_fault(self->fd, self->dev.idev, 0, grpid, i * PAGE));
	must(__mock_fault(self->fd, self->dev.idev, 0, grpid, i * PAGE));
}

TEST_F(faults, group_of_several_requests)
{
	struct iommu_hwpt_pgfault faults[4];
	unsigned int i;

	must(__mock_partial_fault(self->fd, self->dev.idev, 0, 9, 0));
	EXPECT_EQ(OUT, events(self->queue));
	cause_group(self, 5, 3);
	EXPECT_EQ(IN, events(self->queue));
	ASSERT_EQ(3 * RECORD, __fault_read(self->queue, faults, sizeof(faults)));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i == 2 ? IOMMU_PGFAULT_FLAGS_LAST_PAGE : 0, faults[i].flags);
		EXPECT_EQ(self->dev.idev, faults[i].dev_id);
		EXPECT_EQ(5, faults[i].grpid);
		EXPECT_EQ(i * PAGE, faults[i].addr);
		EXPECT_EQ(faults[0].cookie, faults[i].cookie);
	}
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, faults[0].cookie, SUCCESS));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, faults[0].cookie, SUCCESS));
	EXPECT_GROUPS(1, 1, 0);
	/* The other group was not complete, and nobody waits for an answer to it. */
	ASSERT_EQ(0, __replace(self, self->parent));
	EXPECT_GROUPS(1, 1, 0);
}

TEST_F(faults, groups_are_not_cut)
{
	struct iommu_hwpt_pgfault faults[8];

	cause_group(self, 1, 3);
	cause_group(self, 2, 1);
	cause_group(self, 3, 2);
	EXPECT_EQ(-EINVAL, __fault_read(self->queue, faults, 0));
	EXPECT_EQ(-EINVAL, __fault_read(self->queue, faults, 2 * RECORD));
	EXPECT_EQ(IN, events(self->queue));
	/* The third would fit in part. */
	EXPECT_EQ(4 * RECORD, __fault_read(self->queue, faults, 5 * RECORD));
	EXPECT_EQ(1, faults[2].grpid);
	EXPECT_EQ(2, faults[3].grpid);
	EXPECT_NE(faults[2].cookie, faults[3].cookie);
	EXPECT_EQ(-EINVAL, __fault_read(self->queue, faults, RECORD));
	EXPECT_EQ(2 * RECORD, __fault_read(self->queue, faults, 2 * RECORD));
	EXPECT_EQ(3, faults[1].grpid);
	EXPECT_GROUPS(3, 0, 0);
}

TEST_F(faults, group_that_reaches_into_memory_that_is_not_there)
{
	char *page = alloc_pages(2 * PAGE);
	struct iommu_hwpt_pgfault *end = (void *)(page + PAGE - 2 * RECORD), faults[4];

	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	cause_group(self, 1, 1);
	cause_group(self, 2, 3);
	EXPECT_EQ(RECORD, __fault_read(self->queue, end, 4 * RECORD));
	EXPECT_EQ(-EFAULT, __fault_read(self->queue, end, 3 * RECORD));
	EXPECT_EQ(3 * RECORD, __fault_read(self->queue, faults, sizeof(faults)));
	EXPECT_EQ(2, faults[0].grpid);
	ASSERT_EQ(0, __replace(self, self->parent));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, faults[0].cookie, SUCCESS));
	EXPECT_GROUPS(2, 0, 2);
}

TEST_F(faults, answers_count_once)
{
	struct iommu_hwpt_pgfault fault = one_fault(self);

	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, INVALID + 1));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, -1));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie + 1, SUCCESS));
	EXPECT_GROUPS(1, 0, 0);
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, fault.cookie, SUCCESS));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, SUCCESS));
	EXPECT_GROUPS(1, 1, 0);
}

TEST_F(faults, several_answers_at_once)
{
	struct iommu_hwpt_page_response answers[4], *last;
	struct iommu_hwpt_pgfault faults[4];
	char *page = alloc_pages(2 * PAGE);
	int i;

	cause(self, 4);
	ASSERT_EQ(sizeof(faults), __fault_read(self->queue, faults, sizeof(faults)));
	for (i = 0; i < 4; i++)
		answers[i] = (struct iommu_hwpt_page_response){
			.cookie = faults[i].cookie, .code = INVALID,
		};

	EXPECT_EQ(-ESPIPE, __fault_write(self->queue, answers, sizeof(answers) - 1));
	EXPECT_EQ(0, __fault_write(self->queue, answers, 0));
	/* Until the first that is wrong, which is told only to who begins with it. */
	answers[1].code = 7;
	EXPECT_EQ(ANSWER, __fault_write(self->queue, answers, sizeof(answers)));
	EXPECT_EQ(-EINVAL, __fault_write(self->queue, &answers[1], 3 * ANSWER));
	answers[1].code = SUCCESS;
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	last = (void *)(page + PAGE - ANSWER);
	*last = answers[1];
	EXPECT_EQ(-EFAULT, __fault_write(self->queue, last + 1, ANSWER));
	EXPECT_EQ(ANSWER, __fault_write(self->queue, last, 2 * ANSWER));
	EXPECT_EQ(2 * ANSWER, __fault_write(self->queue, &answers[2], 2 * ANSWER));
	EXPECT_GROUPS(4, 1, 3);
}

TEST_F(faults, only_those_of_the_queue)
{
	__u32 id, hwpt;
	int queue = must(__fault_alloc(self->fd, &id));
	struct mock_device dev;
	struct iommu_hwpt_pgfault mine = one_fault(self), theirs;

	must(__mock_nested_fault(self->fd, self->dev.idev, self->parent, id, &hwpt));
	dev = mock_device(self->fd, hwpt);
	must(__mock_fault(self->fd, dev.idev, 0, 0, 0));
	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_EQ(-EINVAL, __fault_respond(queue, mine.cookie, SUCCESS));
	ASSERT_EQ(RECORD, __fault_read(queue, &theirs, RECORD));
	EXPECT_EQ(dev.idev, theirs.dev_id);
	EXPECT_EQ(ANSWER, __fault_respond(queue, theirs.cookie, SUCCESS));
	EXPECT_GROUPS(2, 1, 0);
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, mine.cookie, SUCCESS));
	close(queue);
}

TEST_F(faults, devices_without)
{
	struct mock_device dev = mock_device(self->fd, self->parent);

	EXPECT_EQ(-EINVAL, __mock_fault(self->fd, dev.idev, 0, 0, 0));
	ASSERT_EQ(0, __replace(self, self->parent));
	EXPECT_EQ(-EINVAL, __mock_fault(self->fd, self->dev.idev, 0, 0, 0));
	ASSERT_EQ(0, __replace(self, self->hwpt));
	EXPECT_EQ(0, __mock_fault(self->fd, self->dev.idev, 0, 0, 0));
}

TEST_F(faults, paging_ones_have_faults_too)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd), .dev_id = self->dev.idev, .pt_id = self->ioas,
		.flags = IOMMU_HWPT_FAULT_ID_VALID, .fault_id = self->id,
	};
	struct iommu_hwpt_pgfault fault;

	ASSERT_EQ(0, __iommufd_ioctl(self->fd, IOMMU_HWPT_ALLOC, &cmd));
	ASSERT_EQ(0, __replace(self, cmd.out_hwpt_id));
	fault = one_fault(self);
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, fault.cookie, SUCCESS));
}

/* The kernel answers what is open when the device leaves, read or not. */
TEST_F(faults, replace_answers)
{
	struct mock_device other = mock_device(self->fd, self->hwpt);
	struct iommu_hwpt_pgfault fault = one_fault(self), theirs;

	must(__mock_fault(self->fd, other.idev, 0, 0, 0));
	cause(self, 3);
	EXPECT_GROUPS(5, 0, 0);
	ASSERT_EQ(0, __replace(self, self->parent));
	EXPECT_GROUPS(5, 0, 4);
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, SUCCESS));
	/* Of the other device nothing was answered. */
	ASSERT_EQ(RECORD, __fault_read(self->queue, &theirs, RECORD));
	EXPECT_EQ(other.idev, theirs.dev_id);
	EXPECT_EQ(0, __fault_read(self->queue, &fault, RECORD));
	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, theirs.cookie, SUCCESS));
	EXPECT_GROUPS(5, 1, 4);
}

TEST_F(faults, replace_within_a_queue_and_to_another)
{
	__u32 id, same, next;
	int queue = must(__fault_alloc(self->fd, &id));
	struct iommu_hwpt_pgfault fault = one_fault(self), later;

	must(__mock_nested_fault(self->fd, self->dev.idev, self->parent, self->id, &same));
	must(__mock_nested_fault(self->fd, self->dev.idev, self->parent, id, &next));
	cause(self, 1);
	/* What it has already changes nothing. */
	ASSERT_EQ(0, __replace(self, self->hwpt));
	EXPECT_EQ(IN, events(self->queue));
	EXPECT_GROUPS(2, 0, 0);
	ASSERT_EQ(0, __replace(self, same));
	EXPECT_GROUPS(2, 0, 2);
	EXPECT_EQ(OUT, events(self->queue));
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, SUCCESS));
	fault = one_fault(self);
	cause(self, 1);
	ASSERT_EQ(0, __replace(self, next));
	EXPECT_GROUPS(4, 0, 4);
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, SUCCESS));
	EXPECT_EQ(OUT, events(self->queue));
	cause(self, 1);
	ASSERT_EQ(RECORD, __fault_read(queue, &later, RECORD));
	EXPECT_EQ(ANSWER, __fault_respond(queue, later.cookie, SUCCESS));
	close(queue);
	EXPECT_GROUPS(5, 1, 4);
}

TEST_F(faults, unplugging_answers)
{
	struct iommu_hwpt_pgfault fault = one_fault(self);

	cause(self, 3);
	ASSERT_EQ(0, __destroy(self->fd, self->dev.stdev));
	EXPECT_GROUPS(4, 0, 4);
	EXPECT_EQ(-EINVAL, __fault_respond(self->queue, fault.cookie, SUCCESS));
	EXPECT_EQ(0, __fault_read(self->queue, &fault, RECORD));
	ASSERT_EQ(0, __destroy(self->fd, self->hwpt));
	close(self->queue);
	EXPECT_EQ(0, __destroy(self->fd, self->id));
	self->queue = -1;
}

TEST_F(faults, nobody_reads)
{
	/* Faults go on arriving; they are answered when the device leaves. */
	one_fault(self);
	cause(self, 3);
	close(self->queue);
	self->queue = -1;
	cause(self, 3);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->id));
	EXPECT_GROUPS(7, 0, 0);
	ASSERT_EQ(0, __replace(self, self->parent));
	EXPECT_GROUPS(7, 0, 7);
	ASSERT_EQ(0, __destroy(self->fd, self->hwpt));
	EXPECT_EQ(0, __destroy(self->fd, self->id));
}

TEST_F(faults, closing_in_any_order)
{
	struct iommu_hwpt_pgfault fault = one_fault(self);

	cause(self, 3);
	/* The queue's file is the last that knows the context. It still works. */
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(ANSWER, __fault_respond(self->queue, fault.cookie, SUCCESS));
	EXPECT_EQ(RECORD, __fault_read(self->queue, &fault, RECORD));
	EXPECT_GROUPS(4, 1, 0);
	close(self->queue);
	self->queue = -1;
	EXPECT_GROUPS(4, 1, 3);
}

TEST_F(faults, closing_the_context_answers)
{
	one_fault(self);
	cause(self, 3);
	close(self->queue);
	self->queue = -1;
	EXPECT_GROUPS(4, 0, 0);
	close(self->fd);
	self->fd = -1;
	EXPECT_GROUPS(4, 0, 4);
}

TEST_HARNESS_MAIN
