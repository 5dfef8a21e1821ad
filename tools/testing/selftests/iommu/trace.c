// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: does each say what happened, to which object and for how long?
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define LENGTH MIB(1)

/* The @n-th line of an event, counted from 0, or NULL. */
static const char *event(const char *trace, const char *name, unsigned int n)
{
	char key[64];

	snprintf(key, sizeof(key), " iommufd_%s: ", name);
	while ((trace = strstr(trace, key))) {
		trace += strlen(key);
		if (!n--)
			return trace;
	}
	return NULL;
}

/* The text behind "key=" in the line, to be ended by space or end of line. */
static const char *field(const char *line, const char *key)
{
	char pattern[32];
	const char *at;

	if (!line)
		fatal("no event with a field %s", key);
	snprintf(pattern, sizeof(pattern), " %s=", key);
	if (!strncmp(line, pattern + 1, strlen(pattern + 1)))
		return line + strlen(pattern + 1);
	at = strstr(line, pattern);
	if (!at || at > strchr(line, '\n'))
		fatal("no %s in: %.*s", key, (int)strcspn(line, "\n"), line);
	return at + strlen(pattern);
}

static long long number(const char *line, const char *key)
{
	return strtoll(field(line, key), NULL, 0);
}

/* Is the field "0x…-0x…" with these limits? */
static bool range_is(const char *line, const char *key, __u64 start, __u64 last)
{
	char *end;

	return strtoull(field(line, key), &end, 0) == start && *end == '-' &&
	       strtoull(end + 1, NULL, 0) == last;
}

FIXTURE(trace) {
	int fd;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(trace)
{
	static const char *const all = "iommufd";

	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_scattered(LENGTH);
	if (__trace_start(&all, 1))
		SKIP(return, "no tracing in this kernel");
}

FIXTURE_TEARDOWN(trace)
{
	trace_stop();
	close(self->fd);
}

TEST_F(trace, map_and_unmap)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	__u64 va = (uintptr_t)self->mem;
	const char *trace, *map, *pin, *unmap, *unpin;
	size_t runs = count_runs(self->mem, LENGTH);

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__ioas_unmap_all(self->fd, self->ioas));
	trace = trace_stop();
	map = event(trace, "map", 0);
	pin = event(trace, "pin", 0);
	unmap = event(trace, "unmap", 0);
	unpin = event(trace, "unpin", 0);

	EXPECT_EQ(self->ioas, number(map, "ioas"));
	EXPECT_TRUE(range_is(map, "iova", MOCK_IOVA, MOCK_IOVA + LENGTH - 1));
	EXPECT_EQ(0, number(map, "ret"));
	EXPECT_TRUE(range_is(pin, "user", va, va + LENGTH - 1));
	EXPECT_EQ(LENGTH / PAGE, number(pin, "pages"));
	EXPECT_EQ(runs, number(pin, "runs"));
	EXPECT_LT(1, runs);
	EXPECT_EQ(0, number(pin, "ret"));
	/* Pinning is part of mapping. */
	EXPECT_LT(0, number(pin, "ns"));
	EXPECT_LT(number(pin, "ns"), number(map, "ns"));

	EXPECT_EQ(self->ioas, number(unmap, "ioas"));
	EXPECT_TRUE(range_is(unmap, "iova", 0, UINT64_MAX));
	EXPECT_EQ(LENGTH, number(unmap, "bytes"));
	EXPECT_EQ(LENGTH / PAGE, number(unpin, "pages"));
	EXPECT_EQ(runs, number(unpin, "runs"));
	EXPECT_LT(0, number(unpin, "ns"));
	EXPECT_LT(number(unpin, "ns"), number(unmap, "ns"));
	EXPECT_EQ(NULL, event(trace, "pin", 1));
	EXPECT_EQ(NULL, event(trace, "unpin", 1));
	EXPECT_EQ(0, __destroy(self->fd, dev.stdev));
}

TEST_F(trace, runs_are_contiguous_memory)
{
	char *huge = alloc_aligned(2 * THP, true);
	const char *trace;

	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, huge, 2 * THP, MOCK_IOVA);
	trace = trace_stop();
	EXPECT_EQ(2 * THP / PAGE, number(event(trace, "pin", 0), "pages"));
	EXPECT_EQ(count_runs(huge, 2 * THP), number(event(trace, "pin", 0), "runs"));
	EXPECT_GE(2, number(event(trace, "pin", 0), "runs"));
}

TEST_F(trace, only_new_pages_count_as_pinned)
{
	__u64 copy = MOCK_IOVA + LENGTH;
	const char *trace, *pin;

	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__ioas_copy(self->fd, MAP_FIXED_RW, self->ioas, self->ioas, LENGTH, &copy,
			 MOCK_IOVA));
	trace = trace_stop();
	pin = event(trace, "pin", 0);
	EXPECT_EQ(LENGTH / PAGE, number(pin, "pages"));
	EXPECT_TRUE(range_is(event(trace, "map", 1), "iova", MOCK_IOVA + LENGTH,
			     MOCK_IOVA + 2 * LENGTH - 1));
	EXPECT_EQ(NULL, event(trace, "pin", 1));
}

TEST_F(trace, failures)
{
	const char *trace;

	mock_device(self->fd, self->ioas);
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA);
	EXPECT_EQ(-EEXIST, __ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA));
	munmap(self->mem + PAGE, PAGE);
	EXPECT_EQ(-EFAULT, __ioas_map_at(self->fd, self->ioas, self->mem + PAGE, PAGE,
					 MOCK_IOVA + PAGE));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, MOCK_IOVA, PAGE / 2));
	trace = trace_stop();

	EXPECT_EQ(-EEXIST, number(event(trace, "map", 1), "ret"));
	EXPECT_TRUE(range_is(event(trace, "map", 1), "iova", MOCK_IOVA, MOCK_IOVA + PAGE - 1));
	EXPECT_EQ(-EFAULT, number(event(trace, "pin", 1), "ret"));
	EXPECT_EQ(-EFAULT, number(event(trace, "map", 2), "ret"));
	EXPECT_EQ(-ENOENT, number(event(trace, "unmap", 0), "ret"));
	EXPECT_EQ(0, number(event(trace, "unmap", 0), "bytes"));
}

TEST_F(trace, life_of_a_device)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	__u32 other = ioas_alloc(self->fd), pt = other, none = 0;
	const char *trace, *bind, *attach, *replace, *detach, *unbind;

	must(__mock_replace(self->fd, dev.stdev, &pt));
	EXPECT_EQ(-ENOENT, __mock_replace(self->fd, dev.stdev, &none));
	must(__destroy(self->fd, dev.stdev));
	trace = trace_stop();
	bind = event(trace, "bind", 0);
	attach = event(trace, "attach", 0);
	replace = event(trace, "replace", 0);
	detach = event(trace, "detach", 0);
	unbind = event(trace, "unbind", 0);

	EXPECT_EQ(0, number(bind, "ret"));
	EXPECT_EQ(dev.idev, number(bind, "device"));
	EXPECT_LT(0, number(bind, "ns"));
	EXPECT_EQ(dev.idev, number(attach, "device"));
	EXPECT_EQ(number(bind, "group"), number(attach, "group"));
	EXPECT_EQ(self->ioas, number(attach, "pt"));
	EXPECT_EQ(dev.hwpt, number(attach, "hwpt"));
	EXPECT_EQ(other, number(replace, "pt"));
	EXPECT_EQ(pt, number(replace, "hwpt"));
	EXPECT_LT(0, number(replace, "ns"));
	EXPECT_EQ(-ENOENT, number(event(trace, "replace", 1), "ret"));
	EXPECT_EQ(0, number(event(trace, "replace", 1), "hwpt"));
	EXPECT_EQ(pt, number(detach, "pt"));
	EXPECT_EQ(0, number(detach, "hwpt"));
	EXPECT_EQ(dev.idev, number(unbind, "device"));
	EXPECT_LT(0, number(unbind, "ns"));
	EXPECT_EQ(number(bind, "ctx"), number(unbind, "ctx"));
	EXPECT_EQ(0, strncmp(field(bind, "dev"), field(unbind, "dev"),
			     strcspn(field(bind, "dev"), " ")));
}

TEST_F(trace, pasids)
{
	const char *trace, *attach, *detach;
	struct mock_device dev;
	__u32 hwpt, pt;

	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &dev));
	must(__hwpt_alloc(self->fd, dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID, &hwpt));
	pt = hwpt;
	must(__mock_replace(self->fd, dev.stdev, &pt));
	must(__mock_pasid_attach(self->fd, dev.stdev, 7, hwpt));
	must(__mock_pasid_detach(self->fd, dev.stdev, 7));
	trace = trace_stop();
	attach = event(trace, "attach", 1);
	detach = event(trace, "detach", 0);
	EXPECT_EQ(0, number(event(trace, "attach", 0), "pasid"));
	EXPECT_EQ(7, number(attach, "pasid"));
	EXPECT_EQ(hwpt, number(attach, "hwpt"));
	EXPECT_EQ(7, number(detach, "pasid"));
	EXPECT_EQ(hwpt, number(detach, "pt"));
}

TEST_F(trace, contexts_differ)
{
	int other = mock_open();
	__u32 ioas = ioas_alloc(other);
	const char *trace;

	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_IOVA);
	ioas_map_at(other, ioas, self->mem, PAGE, MOCK_IOVA);
	trace = trace_stop();
	EXPECT_EQ(self->ioas, ioas);
	EXPECT_LT(number(event(trace, "map", 0), "ctx"), number(event(trace, "map", 1), "ctx"));
	/* Nobody asked for pages yet. */
	EXPECT_EQ(NULL, event(trace, "pin", 0));
	close(other);
}

TEST_F(trace, in_kernel_users_are_asked)
{
	int access = must(__mock_access(self->fd, self->ioas,
					MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	const char *trace, *asked;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, MOCK_IOVA);
	must(__mock_pin(self->fd, access, MOCK_FLAGS_ACCESS_WRITE, MOCK_IOVA + PAGE, PAGE,
			self->mem + PAGE));
	must(__ioas_unmap_all(self->fd, self->ioas));
	trace = trace_stop();
	asked = event(trace, "access_unmap", 0);

	EXPECT_EQ(1, number(event(trace, "pin", 0), "pages"));
	EXPECT_EQ(self->ioas, number(asked, "ioas"));
	EXPECT_TRUE(range_is(asked, "iova", MOCK_IOVA, MOCK_IOVA + LENGTH - 1));
	/* It let go while it was asked, and before the unmap was over. */
	EXPECT_LT(event(trace, "unpin", 0), asked);
	EXPECT_LT(asked, event(trace, "unmap", 0));
	close(access);
}

static int fault_queue(int fd, __u32 *id)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };

	must(__iommufd_ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd));
	*id = cmd.out_fault_id;
	return cmd.out_fault_fd;
}

static __u32 hwpt_with_faults(int fd, __u32 dev, __u32 ioas, __u32 queue)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = dev,
		.pt_id = ioas,
		.fault_id = queue,
	};

	must(__iommufd_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd));
	return cmd.out_hwpt_id;
}

TEST_F(trace, page_requests)
{
	struct mock_device dev = mock_device(self->fd, self->ioas);
	struct iommu_hwpt_page_response answer = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	struct iommu_hwpt_pgfault request;
	const char *trace, *delivered, *answered;
	__u32 id, hwpt;
	int queue = fault_queue(self->fd, &id);

	hwpt = hwpt_with_faults(self->fd, dev.idev, self->ioas, id);
	must(__mock_replace(self->fd, dev.stdev, &hwpt));
	must(__mock_fault(self->fd, dev.idev, 0, 7, 0x12345000));
	ASSERT_EQ(sizeof(request), read(queue, &request, sizeof(request)));
	answer.cookie = request.cookie;
	ASSERT_EQ(sizeof(answer), write(queue, &answer, sizeof(answer)));
	/* This one is answered by the end of the attachment. */
	must(__mock_fault(self->fd, dev.idev, 0, 8, 0x12346000));
	must(__destroy(self->fd, dev.stdev));

	trace = trace_stop();
	delivered = event(trace, "fault_deliver", 0);
	answered = event(trace, "fault_answer", 0);
	EXPECT_EQ(id, number(delivered, "queue"));
	EXPECT_EQ(dev.idev, number(delivered, "device"));
	EXPECT_EQ(7, number(delivered, "grpid"));
	EXPECT_EQ(0x12345000, number(delivered, "addr"));
	EXPECT_EQ(1, number(delivered, "requests"));
	EXPECT_EQ(request.cookie, number(delivered, "cookie"));
	EXPECT_EQ(dev.idev, number(answered, "device"));
	EXPECT_EQ(request.cookie, number(answered, "cookie"));
	EXPECT_EQ(0, strncmp(field(answered, "code"), "success", 7));
	EXPECT_EQ(NULL, event(trace, "fault_deliver", 1));
	EXPECT_EQ(0, strncmp(field(event(trace, "fault_answer", 1), "code"), "invalid", 7));
	close(queue);
}

TEST_HARNESS_MAIN
