// SPDX-License-Identifier: GPL-2.0
/*
 * What debugfs and the kernel log say of a context.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context_info.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"
#include "process.h"

#define LENGTH MIB(1)
#define MEMLOCK MIB(8)
#define UID 1234

FIXTURE(debugfs) {
	int fd;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(debugfs)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_scattered(LENGTH);
}

FIXTURE_TEARDOWN(debugfs)
{
	close(self->fd);
}

static unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	while ((text = strchr(text, '\n'))) {
		text++;
		n++;
	}
	return n;
}

TEST_F_TIMEOUT(debugfs, shows_many_mappings, 120)
{
	const unsigned int n = 5000;
	const char *text, *last;
	char expected[64];
	unsigned int i;

	for (i = 0; i < n; i++)
		ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA + i * 2 * PAGE);
	text = context_debugfs(self->fd, "mappings");
	EXPECT_EQ(1 + n, count_lines(text));
	snprintf(expected, sizeof(expected), "\n%u %#zx-", self->ioas,
		 MOCK_IOVA + (n - 1) * 2 * PAGE);
	last = strstr(text, expected);
	ASSERT_NE(NULL, last);
	EXPECT_EQ(1, count_lines(last + 1));
}

/* Is there a line that reads exactly so? */
static bool has_line(const char *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool has_line(const char *text, const char *format, ...)
{
	char line[256] = "\n";
	va_list args;
	int n;

	va_start(args, format);
	n = 1 + vsnprintf(line + 1, sizeof(line) - 2, format, args);
	va_end(args);
	strcpy(line + n, "\n");
	if (strstr(text, line))
		return true;
	printf("# no line \"%.*s\" in:\n%s", n - 1, line + 1, text);
	return false;
}

TEST_F(debugfs, shows_all_of_a_mapping)
{
	int access = must(__mock_access(self->fd, self->ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	int file = must(memfd_create("disk", MFD_CLOEXEC));
	__u64 iova = MOCK_IOVA + MIB(2), va = (uintptr_t)self->mem;
	const char *text;

	must(ftruncate(file, LENGTH));
	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__ioas_map(self->fd, self->ioas, MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA,
			self->mem + PAGE, PAGE, &iova));
	must(__ioas_map_file_at(self->fd, self->ioas, MAP_RW, file, 2 * PAGE, 3 * PAGE,
				MOCK_IOVA + MIB(4)));
	must(__mock_pin(self->fd, access, MOCK_FLAGS_ACCESS_WRITE, MOCK_IOVA + PAGE, PAGE,
			self->mem + PAGE));

	text = context_debugfs(self->fd, "mappings");
	EXPECT_TRUE(has_line(text, "%u %#zx-%#zx %zu rw mapped 1 user %#llx", self->ioas,
			     (size_t)MOCK_IOVA, MOCK_IOVA + LENGTH - 1, LENGTH, va));
	EXPECT_TRUE(has_line(text, "%u %#llx-%#llx %zu r- mapped 0 user %#llx", self->ioas,
			     iova, iova + PAGE - 1, PAGE, va + PAGE));
	EXPECT_TRUE(has_line(text, "%u %#zx-%#zx %zu rw mapped 0 file %#zx %s", self->ioas,
			     MOCK_IOVA + MIB(4), MOCK_IOVA + MIB(4) + 3 * PAGE - 1, 3 * PAGE,
			     2 * PAGE, "/memfd:disk\\040(deleted)"));
	close(file);
	close(access);
}

TEST_F(debugfs, names_the_opener)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "opener:\t%d debugfs\n", getpid());
	EXPECT_EQ(0, strncmp(context_debugfs(self->fd, "status"), expected, strlen(expected)));
	EXPECT_NE(NULL, strstr(context_debugfs(self->fd, "status"), "\niommufd-ioas:\t1 "));
}

TEST_F(debugfs, log_names_what_a_mapping_hits)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	char owner[64];

	snprintf(owner, sizeof(owner), "0-0xffffff is reserved by HWPT %u", dev.hwpt);
	EXPECT_TRUE(klog_says(__ioas_map_at(self->fd, self->ioas, self->mem, PAGE, PAGE),
			      "IOVA 0x1000-0x1fff can not be mapped", owner));
}

TEST_F(debugfs, log_names_what_prevents_an_attach)
{
	struct mock_device dev;

	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, PAGE);
	EXPECT_TRUE(klog_says(EXPECT_EQ(-EADDRINUSE,
					__mock_device(self->fd, self->ioas, 0, &dev)),
			      "IOVA 0x0-0xffffff must be free for HWPT", "there is a mapping"));
}

static int map_too_much(int sock, void *arg)
{
	const FIXTURE_DATA(debugfs) *self = arg;
	void *mem;

	become_user(UID, MEMLOCK);
	mem = mmap(NULL, 2 * MEMLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* Not all of it, so that there is something to tell. */
	ioas_map_at(self->fd, self->ioas, mem, MIB(2), MOCK_IOVA);
	while (wait_go(sock)) {
		if (__ioas_map_at(self->fd, self->ioas, mem, MIB(7),
				  MOCK_IOVA + MIB(4)) != -ENOMEM)
			return 1;
		send_go(sock);
	}
	return 0;
}

TEST_F(debugfs, log_names_the_limit)
{
	struct child child;
	char who[64];

	mock_device(self->fd, self->ioas);
	child_start(&child, map_too_much, self);
	snprintf(who, sizeof(who), "debugfs (%d) can not pin 7168 kB more", child.pid);
	EXPECT_TRUE(klog_says(({ send_go(child.sock); wait_go(child.sock); }), who,
			      "all of uid 1234 has 2048 kB locked, RLIMIT_MEMLOCK is 8192 kB"));
	shutdown(child.sock, SHUT_RDWR);
	EXPECT_EQ(0, child_wait(&child));
}

TEST_HARNESS_MAIN
