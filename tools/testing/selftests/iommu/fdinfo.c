// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo says of a context: is it right, and is it safe to read, as well as
 * debugfs, while the context changes and goes away?
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context_info.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "process.h"

#define LENGTH MIB(1)
#define MEMLOCK MIB(8)
#define UID 1234

FIXTURE(fdinfo) {
	int fd;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(fdinfo)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_scattered(LENGTH);
}

FIXTURE_TEARDOWN(fdinfo)
{
	close(self->fd);
}

TEST_F(fdinfo, ioas_tells_what_is_mapped_and_pinned)
{
	size_t runs = count_runs(self->mem, LENGTH);
	struct mock_device dev;
	char ioas[256];

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	strcpy(ioas, context_line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(0, info_value(ioas, "users"));
	EXPECT_EQ(1, info_value(ioas, "mappings"));
	EXPECT_EQ(LENGTH, info_value(ioas, "mapped"));
	EXPECT_EQ(0, info_value(ioas, "pinned"));
	EXPECT_EQ(0, info_value(context_line(self->fd, "charge", 0), "charged"));

	dev = mock_device(self->fd, self->ioas);
	strcpy(ioas, context_line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(1, info_value(ioas, "users"));
	EXPECT_EQ(LENGTH, info_value(ioas, "pinned"));
	EXPECT_EQ(runs, info_value(ioas, "runs"));
	EXPECT_EQ(runs * (GIB(1) / LENGTH), info_value(ioas, "runs-per-gib"));
	EXPECT_EQ(LENGTH, info_value(context_line(self->fd, "charge", 0), "charged"));

	must(__ioas_unmap_all(self->fd, self->ioas));
	strcpy(ioas, context_line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(0, info_value(ioas, "mapped"));
	EXPECT_EQ(0, info_value(ioas, "pinned"));
	EXPECT_EQ(0, info_value(ioas, "runs"));
	EXPECT_EQ(-1, info_value(ioas, "runs-per-gib"));
	must(__destroy(self->fd, dev.stdev));
}

TEST_F(fdinfo, huge_memory_is_one_run)
{
	char *huge = alloc_aligned(2 * THP, true);
	size_t runs = count_runs(huge, 2 * THP);
	char ioas[256];

	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, huge, 2 * THP, MOCK_IOVA);
	strcpy(ioas, context_line(self->fd, "ioas", self->ioas));
	EXPECT_GE(2, runs);
	EXPECT_EQ(runs, info_value(ioas, "runs"));
	EXPECT_EQ(runs * 256, info_value(ioas, "runs-per-gib"));
}

TEST_F(fdinfo, devices_and_page_tables)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	struct iommu_fault_alloc faults = { .size = sizeof(faults) };
	char idev[256], hwpt[256];
	int access = must(__mock_access(self->fd, self->ioas, 0));

	must(__iommufd_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, &faults));
	strcpy(idev, context_line(self->fd, "device", dev.idev));
	strcpy(hwpt, context_line(self->fd, "hwpt", dev.hwpt));
	EXPECT_NE(NULL, strstr(idev, " dev=iommufd_mock"));
	EXPECT_LE(0, info_value(idev, "group"));
	EXPECT_EQ(dev.hwpt, info_value(idev, "hwpt"));
	EXPECT_EQ(self->ioas, info_value(idev, "ioas"));
	EXPECT_EQ(1, info_value(hwpt, "users"));
	EXPECT_EQ(self->ioas, info_value(hwpt, "ioas"));
	EXPECT_NE(NULL, strstr(hwpt, " automatic"));
	EXPECT_EQ(self->ioas, info_value(context_line(self->fd, "access", 0), "ioas"));
	EXPECT_EQ(1, info_value(context_line(self->fd, "fault-queue", faults.out_fault_id),
				"users"));
	EXPECT_STRNE("", context_line(self->fd, "mock-device", dev.stdev));

	close(access);
	must(__destroy(self->fd, dev.stdev));
	EXPECT_STREQ("", context_line(self->fd, "device", dev.idev));
	EXPECT_STREQ("", context_line(self->fd, "hwpt", dev.hwpt));
	close(faults.out_fault_fd);
}

TEST_F(fdinfo, pasids)
{
	struct mock_device dev;
	char expected[64];
	__u32 hwpt;

	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &dev));
	must(__hwpt_alloc(self->fd, dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	must(__mock_replace(self->fd, dev.stdev, &(__u32){ hwpt }));
	must(__mock_pasid_attach(self->fd, dev.stdev, 7, hwpt));
	must(__mock_pasid_attach(self->fd, dev.stdev, 1000, hwpt));
	snprintf(expected, sizeof(expected), " pasid:7=%u pasid:1000=%u", hwpt, hwpt);
	EXPECT_NE(NULL, strstr(context_line(self->fd, "device", dev.idev), expected));
	must(__mock_pasid_detach(self->fd, dev.stdev, 7));
	EXPECT_EQ(NULL, strstr(context_line(self->fd, "device", dev.idev), " pasid:7="));
}

/* Exit status 0: the map is charged to us, as an ordinary user with a limit. */
static int map_as_user(int sock, void *arg)
{
	const FIXTURE_DATA(fdinfo) *self = arg;
	char charge[256], mem_of[64];

	become_user(UID, MEMLOCK);
	ioas_map_at(self->fd, self->ioas, alloc_pages(LENGTH), LENGTH, MOCK_IOVA);
	strcpy(charge, context_line(self->fd, "charge", 0));
	snprintf(mem_of, sizeof(mem_of), "\tpid=%d uid=%d mode=user ", getpid(), UID);
	if (!strstr(charge, mem_of) || info_value(charge, "charged") != LENGTH ||
	    info_value(charge, "locked") != LENGTH || info_value(charge, "limit") != MEMLOCK) {
		printf("# %s\n", charge);
		return 1;
	}
	send_go(sock);
	wait_go(sock);
	return 0;
}

TEST_F(fdinfo, charge_names_who_pays)
{
	struct child child;
	char charge[256];

	mock_device(self->fd, self->ioas);
	child_start(&child, map_as_user, self);
	ASSERT_TRUE(wait_go(child.sock));
	/* Whoever looks, it is the other process that pays. */
	strcpy(charge, context_line(self->fd, "charge", 0));
	EXPECT_EQ(child.pid, info_value(charge, "pid"));
	EXPECT_EQ(UID, info_value(charge, "uid"));

	/* The next map is ours, and we are root. */
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA + LENGTH);
	EXPECT_NE(NULL, strstr(context_info(self->fd), " mode=none charged=4096\n"));

	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
	/* It has gone, its pages are still pinned. */
	strcpy(charge, context_line(self->fd, "charge", 0));
	EXPECT_EQ(0, info_value(charge, "pid"));
	EXPECT_EQ(LENGTH, info_value(charge, "charged"));

	must(__ioas_unmap_all(self->fd, self->ioas));
	EXPECT_STREQ("", context_line(self->fd, "charge", 0));
}

TEST_F(fdinfo, more_objects_than_one_page_of_text)
{
	const unsigned int n = 500;
	unsigned int i, lines = 0;
	const char *at;

	for (i = 1; i < n; i++)
		ioas_alloc(self->fd);
	for (at = context_info(self->fd); (at = strstr(at, "\niommufd-ioas:\t")); at++)
		lines++;
	EXPECT_EQ(n, lines);
}

/* Contexts that fill and vanish, of which one is at any time a file of this process. */
static int churn(int sock, void *arg)
{
	char *mem = alloc_pages(LENGTH);
	struct mock_device dev;
	__u32 ioas, other, pt;
	int fd, access;

	(void)arg;
	send_go(sock);
	for (;;) {
		fd = mock_open();
		ioas = ioas_alloc(fd);
		other = ioas_alloc(fd);
		pt = other;
		ioas_map_at(fd, ioas, mem, LENGTH, MOCK_IOVA);
		dev = mock_device(fd, ioas);
		access = must(__mock_access(fd, ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
		must(__mock_pin(fd, access, 0, MOCK_IOVA, PAGE, mem));
		must(__mock_replace(fd, dev.stdev, &pt));
		must(__ioas_unmap_all(fd, ioas));
		ioas_map_at(fd, other, mem, LENGTH, MOCK_IOVA);
		close(access);
		if (getpid() & 1)
			must(__destroy(fd, dev.stdev));
		close(fd);
	}
	return 0;
}

/* Read all there is in debugfs. */
static unsigned int read_debugfs(void)
{
	static const char *const names[] = { "status", "mappings", "reserved" };
	char text[8192], path[300];
	unsigned int hits = 0, i;
	struct dirent *entry;
	DIR *dir = opendir(DEBUGFS);

	while (dir && (entry = readdir(dir))) {
		for (i = 0; i < ARRAY_LEN(names); i++) {
			snprintf(path, sizeof(path), DEBUGFS "/%s/%s", entry->d_name, names[i]);
			if (!__read_all(path, text, sizeof(text)) && strstr(text, " mapped "))
				hits++;
		}
	}
	if (dir)
		closedir(dir);
	return hits;
}

/* Read fdinfo of every file of a process. */
static unsigned int read_fdinfo(pid_t pid)
{
	unsigned int fd, hits = 0;
	char text[8192], path[64];

	for (fd = 3; fd < 10; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%u", pid, fd);
		if (!__read_all(path, text, sizeof(text)) && strstr(text, "\niommufd-device:"))
			hits++;
	}
	return hits;
}

TEST_F_TIMEOUT(fdinfo, reading_what_is_torn_down, 120)
{
	unsigned int round, few, hits = 0, debugfs_hits = 0;
	uint64_t end;

	for (round = 0; round < 8; round++) {
		struct child child;

		child_start(&child, churn, NULL);
		ASSERT_TRUE(wait_go(child.sock));
		end = now_ns() + 700000000;
		/* A busy host takes longer to see as much. */
		few = 3 * (round + 1);
		do {
			hits += read_fdinfo(child.pid);
			debugfs_hits += read_debugfs();
		} while (now_ns() < end || hits < few || debugfs_hits < few);
		/* Half of them are killed wherever they are. */
		EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	}
	/* Otherwise the readers have come always too early or too late. */
	EXPECT_LT(20, hits);
	EXPECT_LT(20, debugfs_hits);
}

TEST_HARNESS_MAIN
