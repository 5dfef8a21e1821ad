// SPDX-License-Identifier: GPL-2.0
/*
 * Fault queues under load: every fault is answered once, whoever does it, and the faults
 * of a device are read in the order in which it had them.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

FIXTURE(faults) {
	int fd;
	__u32 parent;
	int queue;
	__u32 hwpt;	/* sends its faults there */
	struct mock_page_faults before;
};

FIXTURE_SETUP(faults)
{
	struct mock_device dev;
	__u32 ioas, id;

	self->fd = mock_open();
	ioas = ioas_alloc(self->fd);
	dev = mock_device(self->fd, ioas);
	must(__hwpt_alloc(self->fd, dev.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &self->parent));
	self->queue = must(__fault_alloc(self->fd, &id));
	must(__mock_nested_fault(self->fd, dev.idev, self->parent, id, &self->hwpt));
	self->before = mock_page_faults();
}

FIXTURE_TEARDOWN(faults)
{
	close(self->queue);
	close(self->fd);
}

/* Several devices with a queue, and one who reads. */

#define NDEVICES 4
#define NGROUPS 1000
#define GROUP_MAX 3

struct reporter {
	pthread_t thread;
	int fd;
	__u32 idev;
	unsigned int n;		/* requests it has to have */
	unsigned int next;	/* the one that is to be read next */
};

/* Request number i is for page i, so that addresses tell the order. */
static void *report(void *arg)
{
	struct reporter *reporter = arg;
	unsigned int seed = reporter->idev, i = 0, n, group;

	for (group = 0; group < NGROUPS; group++) {
		for (n = rand_r(&seed) % GROUP_MAX; n; n--)
			must(__mock_partial_fault(reporter->fd, reporter->idev, 0,
						  group & 0x1ff, i++ * PAGE));
		must(__mock_fault(reporter->fd, reporter->idev, 0, group & 0x1ff,
				  i++ * PAGE));
	}
	__atomic_store_n(&reporter->n, i, __ATOMIC_RELEASE);
	return NULL;
}

static struct reporter *reporter_of(struct reporter *reporters, __u32 idev)
{
	unsigned int i;

	for (i = 0; i < NDEVICES; i++)
		if (reporters[i].idev == idev)
			return &reporters[i];
	fatal("a fault of device %u, which has none", idev);
}

static bool all_read(struct reporter *reporters)
{
	unsigned int i;

	for (i = 0; i < NDEVICES; i++) {
		unsigned int n = __atomic_load_n(&reporters[i].n, __ATOMIC_ACQUIRE);

		if (!n || reporters[i].next != n)
			return false;
	}
	return true;
}

/* Of each group, whose last record this may be, the answer is given at once. */
static void take(struct reporter *reporters, int queue, const struct iommu_hwpt_pgfault *fault)
{
	struct reporter *reporter = reporter_of(reporters, fault->dev_id);

	if (fault->addr != reporter->next * PAGE)
		fatal("device %u: fault %llu came when it was the turn of %u", fault->dev_id,
		      fault->addr / PAGE, reporter->next);
	reporter->next++;
	if (fault->flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE)
		must(__fault_respond(queue, fault->cookie, SUCCESS));
}

/*
 * Now and then the memory ends too early, and what was not delivered goes back to its
 * place.
 */
TEST_F_TIMEOUT(faults, read_in_the_order_of_each_device, 120)
{
	const unsigned int most = PAGE / RECORD;
	struct reporter reporters[NDEVICES] = { };
	char *mem = alloc_pages(2 * PAGE);
	unsigned int seed = 3, i, room, torn = 0;

	ASSERT_EQ(0, munmap(mem + PAGE, PAGE));
	for (i = 0; i < NDEVICES; i++) {
		reporters[i].fd = self->fd;
		reporters[i].idev = mock_device(self->fd, self->hwpt).idev;
		ASSERT_EQ(0, pthread_create(&reporters[i].thread, NULL, report, &reporters[i]));
	}
	while (!all_read(reporters)) {
		struct pollfd pollfd = { .fd = self->queue, .events = POLLIN };
		struct iommu_hwpt_pgfault *faults;
		long n;

		poll(&pollfd, 1, 10);
		/* There is room for so many, and more are asked for. */
		room = rand_r(&seed) % 8;
		faults = (void *)(mem + PAGE - room * RECORD);
		n = __fault_read(self->queue, faults, most * RECORD);
		torn += n == -EFAULT;
		if (n < 0)
			ASSERT_EQ(-EFAULT, n);
		for (i = 0; n > 0 && i < n / RECORD; i++)
			take(reporters, self->queue, &faults[i]);
	}
	for (i = 0; i < NDEVICES; i++)
		pthread_join(reporters[i].thread, NULL);
	EXPECT_LT(0, torn);
	EXPECT_EQ(NDEVICES * NGROUPS, mock_page_faults().raised - self->before.raised);
	EXPECT_EQ(NDEVICES * NGROUPS, mock_page_faults().success - self->before.success);
	EXPECT_EQ(self->before.invalid, mock_page_faults().invalid);
}

/* Many faults, several who answer, and a device that comes and goes meanwhile. */

#define NFAULTS 10000
#define NRESPONDERS 4

struct storm {
	int fd, queue;
	__u32 hwpt, parent;
	atomic_uint idev;
	struct mock_device dev;
	atomic_bool stop, end;
	atomic_uchar seen[NFAULTS], answered[NFAULTS];
	atomic_uint nread, nanswered, nsuccess, nlate;
	const char *wrong;	/* looked at when all threads have ended */
};

static void answer(struct storm *storm, const struct iommu_hwpt_pgfault *fault, unsigned int *seed)
{
	size_t n = fault->addr / PAGE;
	__u32 code = rand_r(seed) % 2 ? SUCCESS : INVALID;
	long ret;

	if (n >= NFAULTS || fault->grpid != (n & 0x1ff)) {
		storm->wrong = "a fault that nobody caused";
		return;
	}
	if (atomic_fetch_add(&storm->seen[n], 1))
		storm->wrong = "a fault was read twice";
	atomic_fetch_add(&storm->nread, 1);

	ret = __fault_respond(storm->queue, fault->cookie, code);
	if (ret == ANSWER && atomic_fetch_add(&storm->answered[n], 1))
		storm->wrong = "a fault was answered twice";
	if (ret == ANSWER && code == SUCCESS)
		atomic_fetch_add(&storm->nsuccess, 1);
	if (ret == ANSWER)
		atomic_fetch_add(&storm->nanswered, 1);
	else if (ret == -EINVAL)
		atomic_fetch_add(&storm->nlate, 1);
	else
		storm->wrong = "an answer failed in another way";
}

static void *respond(void *arg)
{
	struct storm *storm = arg;
	unsigned int seed = gettid();
	struct iommu_hwpt_pgfault faults[8];
	long n, i;

	while (!storm->end) {
		struct pollfd pollfd = { .fd = storm->queue, .events = POLLIN };

		poll(&pollfd, 1, 10);
		n = __fault_read(storm->queue, faults, (1 + rand_r(&seed) % 8) * RECORD);
		if (n < 0 || n % RECORD)
			storm->wrong = "a read failed";
		for (i = 0; i < n / (long)RECORD; i++)
			answer(storm, &faults[i], &seed);
	}
	return NULL;
}

/* Off the queue and back again, one time in four by unplugging the device. */
static void *come_and_go(void *arg)
{
	struct storm *storm = arg;
	unsigned int seed = 5;

	while (!storm->stop) {
		usleep(rand_r(&seed) % 3000);
		if (rand_r(&seed) % 4) {
			must(__mock_replace(storm->fd, storm->dev.stdev,
					    &(__u32){ storm->parent }));
			must(__mock_replace(storm->fd, storm->dev.stdev,
					    &(__u32){ storm->hwpt }));
		} else {
			must(__destroy(storm->fd, storm->dev.stdev));
			storm->dev = mock_device(storm->fd, storm->hwpt);
			storm->idev = storm->dev.idev;
		}
	}
	return NULL;
}

static void cause_one(struct storm *storm, size_t n)
{
	int ret;

	/* There may be no device now, or one that has no faults. */
	while ((ret = __mock_fault(storm->fd, storm->idev, 0, n & 0x1ff, n * PAGE)))
		if (ret != -EINVAL && ret != -ENOENT)
			fatal("fault: %s", errno_name(-ret));
}

TEST_F_TIMEOUT(faults, storm, 120)
{
	struct storm *storm = calloc(1, sizeof(*storm));
	struct mock_page_faults now;
	pthread_t responders[NRESPONDERS], mover;
	const size_t calm = NFAULTS - 100;
	size_t i;

	*storm = (struct storm){
		.fd = self->fd, .queue = self->queue, .hwpt = self->hwpt,
		.parent = self->parent, .dev = mock_device(self->fd, self->hwpt),
	};
	storm->idev = storm->dev.idev;
	for (i = 0; i < NRESPONDERS; i++)
		ASSERT_EQ(0, pthread_create(&responders[i], NULL, respond, storm));
	ASSERT_EQ(0, pthread_create(&mover, NULL, come_and_go, storm));
	for (i = 0; i < calm; i++)
		cause_one(storm, i);
	storm->stop = true;
	pthread_join(mover, NULL);

	/* Once the device stays, each of its faults is read and answered. */
	for (; i < NFAULTS; i++)
		cause_one(storm, i);
	for (i = calm; i < NFAULTS; i++) {
		int ms = 10000;

		while (!storm->answered[i] && ms--)
			msleep(1);
		EXPECT_EQ(1, storm->answered[i]);
	}
	storm->end = true;
	for (i = 0; i < NRESPONDERS; i++)
		pthread_join(responders[i], NULL);

	TH_LOG("%u read, %u answered, %u too late", storm->nread, storm->nanswered,
	       storm->nlate);
	EXPECT_EQ(NULL, storm->wrong) {
		TH_LOG("%s", storm->wrong);
	}
	EXPECT_EQ(storm->nread, storm->nanswered + storm->nlate);
	/* Some also while it was moved about. */
	EXPECT_LT(NFAULTS - calm, storm->nread);
	/* The device got one answer to each, from here or when it went. */
	now = mock_page_faults();
	EXPECT_EQ(NFAULTS, now.raised - self->before.raised);
	EXPECT_EQ(storm->nsuccess, now.success - self->before.success);
	EXPECT_EQ(NFAULTS - storm->nsuccess, now.invalid - self->before.invalid);
	EXPECT_EQ(self->before.failure, now.failure);
}

TEST_HARNESS_MAIN
