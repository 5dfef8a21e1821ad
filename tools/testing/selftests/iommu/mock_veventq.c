// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a guest's IOMMU: what is in the queue, what is lost and how one sees that,
 * and how they are read.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "viommu.h"

#define VIRT_ID 0x99
#define DEPTH 4
#define MANY 20000

struct record {
	struct iommufd_vevent_header header;
	struct iommu_viommu_event_selftest event;
};

FIXTURE(veventq) {
	int fd;
	struct mock_guest guest;
	__u32 vdev;
	__u32 id;
	int queue;
};

FIXTURE_SETUP(veventq)
{
	__u32 nested;

	self->fd = mock_open();
	self->guest = mock_guest(self->fd, ioas_alloc(self->fd));
	self->vdev = vdevice_alloc(self->fd, self->guest.viommu, self->guest.dev.idev, VIRT_ID);
	must(__nested_alloc(self->fd, self->guest.dev.idev, self->guest.viommu, 0, 0, &nested));
	must(__mock_replace(self->fd, self->guest.dev.stdev, &nested));
	self->queue = __veventq_alloc(self->fd, self->guest.viommu, IOMMU_VEVENTQ_TYPE_SELFTEST,
				      DEPTH, &self->id);
	must(self->queue < 0 ? self->queue : 0);
}

FIXTURE_TEARDOWN(veventq)
{
	close(self->queue);
	close(self->fd);
}

static bool readable(int queue)
{
	struct pollfd pfd = { .fd = queue, .events = POLLIN | POLLOUT };

	return poll(&pfd, 1, 0) == 1 && pfd.revents == POLLIN;
}

static int events(int fd, __u32 idev, unsigned int n)
{
	int ret = 0;

	while (n-- && !ret)
		ret = __mock_event(fd, idev);
	return ret;
}

TEST_F(veventq, names_the_device_as_the_guest_does)
{
	struct record record;

	EXPECT_FALSE(readable(self->queue));
	EXPECT_EQ(0, read(self->queue, &record, sizeof(record)));
	ASSERT_EQ(0, __mock_event(self->fd, self->guest.dev.idev));
	EXPECT_TRUE(readable(self->queue));
	ASSERT_EQ(sizeof(record), read(self->queue, &record, sizeof(record)));
	EXPECT_EQ(0, record.header.flags);
	EXPECT_EQ(0, record.header.sequence);
	EXPECT_EQ(VIRT_ID, record.event.virt_id);
	EXPECT_FALSE(readable(self->queue));

	ASSERT_EQ(0, __mock_event(self->fd, self->guest.dev.idev));
	ASSERT_EQ(sizeof(record), read(self->queue, &record, sizeof(record)));
	EXPECT_EQ(1, record.header.sequence);
}

TEST_F(veventq, only_of_devices_of_the_guest)
{
	struct mock_device other = mock_device(self->fd, self->guest.parent);

	EXPECT_EQ(-ENOENT, __mock_event(self->fd, other.idev));
	EXPECT_EQ(-ENOENT, __mock_event(self->fd, self->id));
	ASSERT_EQ(0, __destroy(self->fd, self->vdev));
	EXPECT_EQ(-ENOENT, __mock_event(self->fd, self->guest.dev.idev));
	EXPECT_FALSE(readable(self->queue));
}

TEST_F(veventq, alloc_refuses)
{
	__u32 viommu = self->guest.viommu, id;

	EXPECT_EQ(-EEXIST, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 1,
					   &id));
	EXPECT_EQ(-EINVAL, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 0,
					   &id));
	EXPECT_EQ(-EINVAL, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST,
					   (1U << 19) + 1, &id));
	EXPECT_EQ(-ENOENT, __veventq_alloc(self->fd, 0, IOMMU_VEVENTQ_TYPE_SELFTEST, 1, &id));
	EXPECT_EQ(-EOPNOTSUPP, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_DEFAULT, 1,
					       &id));
	EXPECT_EQ(-EOPNOTSUPP, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
					       1, &id));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, viommu));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->id));
	close(self->queue);
	EXPECT_EQ(0, __destroy(self->fd, self->id));
	/* Nobody listens, and another queue can come. */
	EXPECT_EQ(-EOPNOTSUPP, __mock_event(self->fd, self->guest.dev.idev));
	self->queue = __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 1U << 19,
				      &id);
	EXPECT_GE(self->queue, 0);
}

TEST_F(veventq, no_descriptor_for_a_queue)
{
	struct rlimit limit = { .rlim_cur = 3, .rlim_max = 1024 };
	__u32 viommu = self->guest.viommu, id;

	close(self->queue);
	ASSERT_EQ(0, __destroy(self->fd, self->id));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, DEPTH,
					   &id));
	limit.rlim_cur = 1024;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	/* It left neither an id nor a queue of the type. */
	self->queue = __veventq_alloc(self->fd, viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, DEPTH, &id);
	EXPECT_LE(0, self->queue);
	EXPECT_EQ(self->id, id);
}

TEST_F(veventq, whole_events_only)
{
	char buf[5 * sizeof(struct record)];

	EXPECT_EQ(-1, read(self->queue, buf, 7));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, read(self->queue, buf, 8));
	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, 3));
	EXPECT_EQ(-1, read(self->queue, buf, 8));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->queue, buf, sizeof(struct record) - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(sizeof(struct record), read(self->queue, buf, 2 * sizeof(struct record) - 1));
	EXPECT_EQ(2 * sizeof(struct record), read(self->queue, buf, sizeof(buf)));
	EXPECT_EQ(-1, pread(self->queue, buf, sizeof(buf), 1));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, write(self->queue, buf, 8));
	EXPECT_EQ(EINVAL, errno);
}

/* What can not be delivered is not lost. */
TEST_F(veventq, unreadable_buffer)
{
	char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct record record;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + PAGE, PAGE));
	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, 2));
	EXPECT_EQ(-1, read(self->queue, map + PAGE - 8, sizeof(record)));
	EXPECT_EQ(EFAULT, errno);
	/* One fits before the hole. */
	EXPECT_EQ(sizeof(record), read(self->queue, map + PAGE - sizeof(record),
				       2 * sizeof(record)));
	ASSERT_EQ(sizeof(record), read(self->queue, &record, sizeof(record)));
	EXPECT_EQ(1, record.header.sequence);
	EXPECT_EQ(0, read(self->queue, &record, sizeof(record)));
	munmap(map, PAGE);
}

TEST_F(veventq, mark_tells_of_lost_events)
{
	struct iommufd_vevent_header mark;
	struct record record[DEPTH];
	unsigned int i;

	/* Two more than fit: numbers 4 and 5 are lost. */
	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, DEPTH + 2));
	ASSERT_EQ(sizeof(record), read(self->queue, record, sizeof(record)));
	for (i = 0; i < DEPTH; i++) {
		EXPECT_EQ(0, record[i].header.flags);
		EXPECT_EQ(i, record[i].header.sequence);
	}
	EXPECT_TRUE(readable(self->queue));
	ASSERT_EQ(sizeof(mark), read(self->queue, &mark, sizeof(mark)));
	EXPECT_EQ(IOMMU_VEVENTQ_FLAG_LOST_EVENTS, mark.flags);
	EXPECT_EQ(DEPTH + 1, mark.sequence);
	EXPECT_EQ(0, read(self->queue, &mark, sizeof(mark)));

	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, 1));
	ASSERT_EQ(sizeof(record[0]), read(self->queue, record, sizeof(record)));
	EXPECT_EQ(DEPTH + 2, record[0].header.sequence);
}

TEST_F(veventq, event_after_the_mark_replaces_it)
{
	struct record record[DEPTH + 1];

	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, DEPTH + 1));
	ASSERT_EQ(sizeof(record[0]), read(self->queue, record, sizeof(record[0])));
	ASSERT_EQ(0, events(self->fd, self->guest.dev.idev, 1));
	ASSERT_EQ(DEPTH * sizeof(record[0]), read(self->queue, record, sizeof(record)));
	EXPECT_EQ(DEPTH - 1, record[DEPTH - 2].header.sequence);
	EXPECT_EQ(0, record[DEPTH - 1].header.flags);
	EXPECT_EQ(DEPTH + 1, record[DEPTH - 1].header.sequence);
}

struct reporter {
	int fd;
	__u32 idev;
};

static void *report_many(void *arg)
{
	struct reporter *reporter = arg;

	events(reporter->fd, reporter->idev, MANY);
	return NULL;
}

/* The numbers rise, each event is delivered or told to be lost, and it ends. */
TEST_F(veventq, reader_against_reporter)
{
	struct reporter reporter = { self->fd, self->guest.dev.idev };
	struct record record;
	long last = -1, lost = 0, got = 0, n;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, report_many, &reporter));
	while (last < MANY - 1) {
		n = read(self->queue, &record, sizeof(record));
		if (!n) {
			usleep(100);
			continue;
		}
		/* A mark, and after it perhaps an event of which only the header fits. */
		ASSERT_GE(n, (long)sizeof(record.header));
		if (record.header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS) {
			ASSERT_GE((long)record.header.sequence, last);
			lost += record.header.sequence - last;
		} else {
			ASSERT_EQ(sizeof(record), n);
			ASSERT_EQ(VIRT_ID, record.event.virt_id);
			ASSERT_GT((long)record.header.sequence, last);
			lost += record.header.sequence - last - 1;
			got++;
		}
		last = record.header.sequence;
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(MANY, got + lost);
}

TEST_HARNESS_MAIN
