// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo says of a context: is it right, and is it safe to read while the
 * context changes and goes away?
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "process.h"

#define LENGTH MIB(1)
#define MEMLOCK MIB(8)
#define UID 1234

/* All of a file; what does not fit is read and forgotten. */
static int read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	char rest[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (done < size - 1 && (n = read(fd, text + done, size - 1 - done)) > 0)
		done += n;
	text[done] = 0;
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
	return 0;
}

static const char *info(int fd)
{
	static char text[1 << 16];
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	must(read_all(path, text, sizeof(text)));
	return text;
}

/* The line of an object, or with @id 0 the first of that kind; "" if there is none. */
static const char *line(int fd, const char *kind, __u32 id)
{
	static char found[256];
	const char *text = info(fd);
	char key[64];

	if (id)
		snprintf(key, sizeof(key), "\niommufd-%s:\t%u ", kind, id);
	else
		snprintf(key, sizeof(key), "\niommufd-%s:\t", kind);
	text = strstr(text, key);
	found[0] = 0;
	if (text)
		snprintf(found, sizeof(found), "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
	return found;
}

/* The number after "key=" in a line, or -1. */
static long long value(const char *line, const char *key)
{
	char pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", key);
	at = strstr(line, pattern);
	if (!at) {
		snprintf(pattern, sizeof(pattern), "\t%s=", key);
		at = strstr(line, pattern);
	}
	return at ? strtoll(at + strlen(pattern), NULL, 0) : -1;
}

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
	strcpy(ioas, line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(0, value(ioas, "users"));
	EXPECT_EQ(1, value(ioas, "mappings"));
	EXPECT_EQ(LENGTH, value(ioas, "mapped"));
	EXPECT_EQ(0, value(ioas, "pinned"));
	EXPECT_EQ(0, value(line(self->fd, "charge", 0), "charged"));

	dev = mock_device(self->fd, self->ioas);
	strcpy(ioas, line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(1, value(ioas, "users"));
	EXPECT_EQ(LENGTH, value(ioas, "pinned"));
	EXPECT_EQ(runs, value(ioas, "runs"));
	EXPECT_EQ(runs * (GIB(1) / LENGTH), value(ioas, "runs-per-gib"));
	EXPECT_EQ(LENGTH, value(line(self->fd, "charge", 0), "charged"));

	must(__ioas_unmap_all(self->fd, self->ioas));
	strcpy(ioas, line(self->fd, "ioas", self->ioas));
	EXPECT_EQ(0, value(ioas, "mapped"));
	EXPECT_EQ(0, value(ioas, "pinned"));
	EXPECT_EQ(0, value(ioas, "runs"));
	EXPECT_EQ(-1, value(ioas, "runs-per-gib"));
	must(__destroy(self->fd, dev.stdev));
}

TEST_F(fdinfo, huge_memory_is_one_run)
{
	char *huge = alloc_aligned(2 * THP, true);
	size_t runs = count_runs(huge, 2 * THP);
	char ioas[256];

	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, huge, 2 * THP, MOCK_IOVA);
	strcpy(ioas, line(self->fd, "ioas", self->ioas));
	EXPECT_GE(2, runs);
	EXPECT_EQ(runs, value(ioas, "runs"));
	EXPECT_EQ(runs * 256, value(ioas, "runs-per-gib"));
}

TEST_F(fdinfo, devices_and_page_tables)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	struct iommu_fault_alloc faults = { .size = sizeof(faults) };
	char idev[256], hwpt[256];
	int access = must(__mock_access(self->fd, self->ioas, 0));

	must(__iommufd_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, &faults));
	strcpy(idev, line(self->fd, "device", dev.idev));
	strcpy(hwpt, line(self->fd, "hwpt", dev.hwpt));
	EXPECT_NE(NULL, strstr(idev, " dev=iommufd_mock"));
	EXPECT_LE(0, value(idev, "group"));
	EXPECT_EQ(dev.hwpt, value(idev, "hwpt"));
	EXPECT_EQ(self->ioas, value(idev, "ioas"));
	EXPECT_EQ(1, value(hwpt, "users"));
	EXPECT_EQ(self->ioas, value(hwpt, "ioas"));
	EXPECT_NE(NULL, strstr(hwpt, " automatic"));
	EXPECT_EQ(self->ioas, value(line(self->fd, "access", 0), "ioas"));
	EXPECT_EQ(1, value(line(self->fd, "fault-queue", faults.out_fault_id), "users"));
	EXPECT_STRNE("", line(self->fd, "mock-device", dev.stdev));

	close(access);
	must(__destroy(self->fd, dev.stdev));
	EXPECT_STREQ("", line(self->fd, "device", dev.idev));
	EXPECT_STREQ("", line(self->fd, "hwpt", dev.hwpt));
	close(faults.out_fault_fd);
}

/* Exit status 0: the map is charged to us, as an ordinary user with a limit. */
static int map_as_user(int sock, void *arg)
{
	const FIXTURE_DATA(fdinfo) *self = arg;
	char charge[256], mem_of[64];

	become_user(UID, MEMLOCK);
	ioas_map_at(self->fd, self->ioas, alloc_pages(LENGTH), LENGTH, MOCK_IOVA);
	strcpy(charge, line(self->fd, "charge", 0));
	snprintf(mem_of, sizeof(mem_of), "\tpid=%d uid=%d mode=user ", getpid(), UID);
	if (!strstr(charge, mem_of) || value(charge, "charged") != LENGTH ||
	    value(charge, "locked") != LENGTH || value(charge, "limit") != MEMLOCK) {
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
	strcpy(charge, line(self->fd, "charge", 0));
	EXPECT_EQ(child.pid, value(charge, "pid"));
	EXPECT_EQ(UID, value(charge, "uid"));

	/* The next map is ours, and we are root. */
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA + LENGTH);
	EXPECT_NE(NULL, strstr(info(self->fd), " mode=none charged=4096\n"));

	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
	/* It has gone, its pages are still pinned. */
	strcpy(charge, line(self->fd, "charge", 0));
	EXPECT_EQ(0, value(charge, "pid"));
	EXPECT_EQ(LENGTH, value(charge, "charged"));

	must(__ioas_unmap_all(self->fd, self->ioas));
	EXPECT_STREQ("", line(self->fd, "charge", 0));
}

TEST_F(fdinfo, more_objects_than_one_page_of_text)
{
	const unsigned int n = 500;
	unsigned int i, lines = 0;
	const char *at;

	for (i = 1; i < n; i++)
		ioas_alloc(self->fd);
	for (at = info(self->fd); (at = strstr(at, "\niommufd-ioas:\t")); at++)
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

/* Read fdinfo of every file of a process. */
static unsigned int read_fdinfo(pid_t pid)
{
	unsigned int fd, hits = 0;
	char text[8192], path[64];

	for (fd = 3; fd < 10; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%u", pid, fd);
		if (!read_all(path, text, sizeof(text)) && strstr(text, "\niommufd-device:"))
			hits++;
	}
	return hits;
}

TEST_F_TIMEOUT(fdinfo, reading_what_is_torn_down, 120)
{
	unsigned int round, hits = 0;
	uint64_t end;

	for (round = 0; round < 8; round++) {
		struct child child;

		child_start(&child, churn, NULL);
		ASSERT_TRUE(wait_go(child.sock));
		for (end = now_ns() + 700000000; now_ns() < end;)
			hits += read_fdinfo(child.pid);
		/* Half of them are killed wherever they are. */
		EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	}
	/* Otherwise the readers have come always too early or too late. */
	EXPECT_LT(20, hits);
}

TEST_HARNESS_MAIN
