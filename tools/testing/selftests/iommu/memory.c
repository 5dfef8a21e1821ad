// SPDX-License-Identifier: GPL-2.0
/*
 * How much kernel memory a mapping costs.
 *
 * Seen from outside: the test puts itself into a memory cgroup and reads how much kernel
 * memory the cgroup is charged for, before and after a map of 1 GiB for an attached
 * device. The page tables of the IOMMU, which any implementation needs, are charged to
 * the same cgroup but counted on a line of their own, and are subtracted; so are those
 * of the process. What is left is bookkeeping. The memory itself is user memory and
 * there before the first look.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "memcg.h"
#include "observe.h"
#include "vfio.h"

#define LENGTH GIB(1)
#define IOVA GIB(4)

FIXTURE(memory)
{
	struct vdev dev;
	int iommufd;
	__u32 ioas;
};

FIXTURE_SETUP(memory)
{
	struct pci_list edu;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	if (meminfo_kb("MemAvailable") < (long)(LENGTH / 1024) + 128 * 1024)
		SKIP(return, "1 GiB of memory is not available");
	if (__memcg_enter())
		SKIP(return, "no memory cgroup");
	pci_bind(edu.bdf[0], "vfio-pci");
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
	vdev_attach(&self->dev, self->ioas);
}

FIXTURE_TEARDOWN(memory)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

/* How often this process allocated kernel memory between the two marks in @trace */
static unsigned int count_allocations(const char *trace)
{
	const char *line = strstr(trace, "unmap begins");
	const char *end = line ? strstr(line, "unmap ends") : NULL;
	unsigned int n = 0;
	char task[24];

	if (!end)
		fatal("the trace is not complete");
	snprintf(task, sizeof(task), "-%d ", getpid());
	for (line = strchr(line, '\n'); line && line < end; line = strchr(line + 1, '\n')) {
		const char *hit = strstr(line, task), *next = strchr(line + 1, '\n');

		if (hit && hit < next && next < end) {
			n++;
			printf("# %.*s\n", (int)(next - line - 1), line + 1);
		}
	}
	return n;
}

static void trace_allocations(void)
{
	static const char *const events[] = {
		"kmem/kmalloc", "kmem/kmem_cache_alloc", "kmem/mm_page_alloc",
	};

	must(__trace_start(events, ARRAY_LEN(events)));
}

static unsigned int allocations_of_unmap(const FIXTURE_DATA(memory) *self)
{
	trace_allocations();
	trace_mark("unmap begins");
	must(__ioas_unmap(self->iommufd, self->ioas, IOVA, LENGTH));
	trace_mark("unmap ends");
	return count_allocations(trace_stop());
}

/* The files of the tracer cost memory when they are used first. */
static void warm_up_trace(void)
{
	trace_allocations();
	trace_mark("first use");
	trace_stop();
}

/* Map 1 GiB at @va, report what it costs, unmap it; returns the bookkeeping. */
static long cost_of(const FIXTURE_DATA(memory) *self, const char *name, const void *va,
		    unsigned int *allocations, long *left)
{
	struct memcg_charge before, mapped, after;
	long bytes;

	warm_up_trace();
	before = memcg_charged();
	ioas_map_at(self->iommufd, self->ioas, va, LENGTH, IOVA);
	mapped = memcg_charged();
	*allocations = allocations_of_unmap(self);
	after = memcg_charged();
	bytes = memcg_bookkeeping(&before, &mapped);
	*left = memcg_bookkeeping(&before, &after);
	printf("# 1 GiB, %s, %zu pieces: bookkeeping %ld bytes, IOMMU page tables %ld KiB, ",
	       name, count_runs(va, LENGTH), bytes,
	       (mapped.iommu_tables - before.iommu_tables) / 1024);
	printf("allocations on unmap %u\n", *allocations);
	return bytes;
}

TEST_F_TIMEOUT(memory, huge_pages_cost_less_than_64_kib, 120)
{
	void *va = alloc_aligned(LENGTH, true);
	unsigned int allocations;
	long bytes, left;

	ASSERT_GE(LENGTH / THP, count_runs(va, LENGTH));
	bytes = cost_of(self, "huge pages", va, &allocations, &left);
	EXPECT_LT(0, bytes);
	EXPECT_GT(KIB(64), bytes);
	EXPECT_GE((long)KIB(16), left);
	EXPECT_EQ(0, allocations);
}

TEST_F_TIMEOUT(memory, scattered_pages_cost_less_than_2252_kib, 120)
{
	void *va = alloc_scattered(LENGTH);
	unsigned int allocations;
	long bytes, left;

	ASSERT_LE(LENGTH / PAGE * 98 / 100, count_runs(va, LENGTH));
	bytes = cost_of(self, "scattered", va, &allocations, &left);
	/* 8 bytes per page are what it takes to know where they are. */
	EXPECT_LE((long)(LENGTH / PAGE * 8), bytes);
	EXPECT_GT(KIB(2252), bytes);
	EXPECT_GE((long)KIB(16), left);
	EXPECT_EQ(0, allocations);
}

TEST_HARNESS_MAIN
