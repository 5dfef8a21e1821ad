// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log of a container whose page tables, or in-kernel users, can tell what was
 * written to. vfio_dirty has what there is to say about those that can not.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "container.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

#define IOVA MOCK_IOVA
#define NPAGES 64
#define LENGTH (NPAGES * PAGE)
#define START VFIO_IOMMU_DIRTY_PAGES_FLAG_START
#define STOP VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP
#define NEEDS_PIN MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES

FIXTURE(log) {
	struct container c;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(log)
{
	self->c.fd = mock_open();
	self->ioas = ioas_alloc(self->c.fd);
	vfio_ioas(self->c.fd, self->ioas);
	self->mem = alloc_aligned(LENGTH, false);
	ioas_map_at(self->c.fd, self->ioas, self->mem, LENGTH, IOVA);
}

FIXTURE_TEARDOWN(log)
{
	close(self->c.fd);
}

static __u64 pages(unsigned int first, unsigned int n)
{
	return (~0ULL >> (64 - n)) << first;
}

/* What the log says of all that is mapped, which it then forgets */
static __u64 ask(FIXTURE_DATA(log) *self)
{
	__u64 bits = 0;
	struct dirty_request request = { .iova = IOVA, .length = LENGTH, .bitmap = &bits };

	must(__dirty_get(&self->c, request));
	return bits;
}

TEST_F(log, writes_of_the_kernel_are_told_once)
{
	int access = must(__mock_access(self->c.fd, self->ioas, 0));
	char data[2 * PAGE] = "";

	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA, data, PAGE));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, ask(self));
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA + 5 * PAGE - 1, data, 2));
	must(__mock_rw(self->c.fd, access, 0, IOVA + 20 * PAGE, data, PAGE));
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA + 62 * PAGE, data,
		       2 * PAGE));
	EXPECT_EQ(pages(4, 2) | pages(62, 2), ask(self));
	EXPECT_EQ(0, ask(self));

	/* What a log missed before its end is no matter of the next. */
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA, data, PAGE));
	ASSERT_EQ(0, __dirty_log(&self->c, STOP));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, ask(self));
	close(access);
}

/* Nobody knows when the user writes. */
TEST_F(log, pinned_pages_are_told_at_every_question)
{
	int access = must(__mock_access(self->c.fd, self->ioas, NEEDS_PIN)), early, late;

	early = must(__mock_pin(self->c.fd, access, 0, IOVA + PAGE, 2 * PAGE, NULL));
	ASSERT_EQ(0, __dirty_log(&self->c, START));
	late = must(__mock_pin(self->c.fd, access, 0, IOVA + 60 * PAGE, 4 * PAGE, NULL));
	EXPECT_EQ(pages(1, 2) | pages(60, 4), ask(self));
	EXPECT_EQ(pages(1, 2) | pages(60, 4), ask(self));

	/* Once more for what happened before the unpin */
	must(__mock_unpin(self->c.fd, access, late));
	EXPECT_EQ(pages(1, 2) | pages(60, 4), ask(self));
	must(__mock_unpin(self->c.fd, access, early));
	EXPECT_EQ(pages(1, 2), ask(self));
	EXPECT_EQ(0, ask(self));
	close(access);
}

TEST_F(log, marks_survive_a_bad_bitmap)
{
	struct dirty_request request = {
		.iova = IOVA,
		.length = LENGTH,
		.bitmap = (void *)PAGE,
	};
	int access = must(__mock_access(self->c.fd, self->ioas, 0));
	char byte = 0;

	ASSERT_EQ(0, __dirty_log(&self->c, START));
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA + 7 * PAGE, &byte, 1));
	EXPECT_EQ(-EFAULT, __dirty_get(&self->c, request));
	EXPECT_EQ(pages(7, 1), ask(self));
	close(access);
}

TEST_F(log, a_new_mapping_is_clean)
{
	int access = must(__mock_access(self->c.fd, self->ioas, 0));
	char byte = 0;

	ASSERT_EQ(0, __dirty_log(&self->c, START));
	ASSERT_EQ(LENGTH, __ioas_unmap_all(self->c.fd, self->ioas));
	ioas_map_at(self->c.fd, self->ioas, self->mem, 8 * PAGE, IOVA + 8 * PAGE);
	EXPECT_EQ(0, ask(self));
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, IOVA + 15 * PAGE, &byte, 1));
	EXPECT_EQ(pages(15, 1), ask(self));
	close(access);
}

/* Half of the range is mapped. A thread unmaps all of it, which a pin holds up. */
struct late_unmap {
	struct container *c;
	__u64 bits[2];		/* of which the second is not the request's */
	long ret;
};

static void *unmap_late(void *data)
{
	struct late_unmap *unmap = data;
	struct dirty_request request = {
		.iova = IOVA, .length = LENGTH, .bitmap = unmap->bits,
	};

	unmap->ret = __dirty_unmap(unmap->c, 0, request);
	return NULL;
}

/* The kernel gives up after a while; then nothing of this has been seen. */
static bool map_in_between(FIXTURE_DATA(log) *self, int access, struct late_unmap *unmap)
{
	const __u64 iova = IOVA + 48 * PAGE;
	pthread_t thread;
	long pin, again;

	ioas_map_at(self->c.fd, self->ioas, self->mem, 32 * PAGE, IOVA);
	pin = must(__mock_pin(self->c.fd, access, 0, IOVA, PAGE, NULL));
	must(pthread_create(&thread, NULL, unmap_late, unmap));
	while ((again = __mock_pin(self->c.fd, access, 0, IOVA + PAGE, PAGE, NULL)) >= 0) {
		must(__mock_unpin(self->c.fd, access, again));
		sched_yield();
	}
	ioas_map_at(self->c.fd, self->ioas, self->mem, 32 * PAGE, iova);
	must(__mock_rw(self->c.fd, access, MOCK_ACCESS_RW_WRITE, iova, self->mem, 32 * PAGE));
	must(__mock_unpin(self->c.fd, access, pin));
	must(pthread_join(thread, NULL));
	must(__ioas_unmap_all(self->c.fd, self->ioas));
	return unmap->ret != -EDEADLOCK;
}

/* What is mapped meanwhile, inside of the range and across its end, is another's. */
TEST_F(log, unmap_tells_of_its_own_mappings_only)
{
	int access = must(__mock_access(self->c.fd, self->ioas,
					NEEDS_PIN | MOCK_FLAGS_ACCESS_CREATE_KEEPS_PINS));
	struct late_unmap unmap = { .c = &self->c };

	ASSERT_EQ(0, __dirty_log(&self->c, START));
	do {
		memset(unmap.bits, 0, sizeof(unmap.bits));
		must(__ioas_unmap_all(self->c.fd, self->ioas));
	} while (!map_in_between(self, access, &unmap));
	EXPECT_EQ(32 * PAGE, unmap.ret);
	EXPECT_EQ(0, unmap.bits[0] & ~pages(0, 32));
	EXPECT_EQ(0, unmap.bits[1]);
	close(access);
}

FIXTURE(device_log) {
	struct container c;
	__u32 ioas, hwpt;
	struct mock_device dev;
	char *mem;
};

/* Its only page table tracks: the automatic one goes when the device leaves it. */
FIXTURE_SETUP(device_log)
{
	__u32 pt;

	self->c.fd = mock_open();
	self->ioas = ioas_alloc(self->c.fd);
	vfio_ioas(self->c.fd, self->ioas);
	self->mem = alloc_aligned(LENGTH, false);
	self->dev = mock_device(self->c.fd, self->ioas);
	if (!mock_can_track(self->c.fd, self->dev.idev))
		SKIP(return, "this kernel has no dirty tracking");
	ioas_map_at(self->c.fd, self->ioas, self->mem, LENGTH, IOVA);
	must(__hwpt_alloc(self->c.fd, self->dev.idev, self->ioas,
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &self->hwpt));
	pt = self->hwpt;
	must(__mock_replace(self->c.fd, self->dev.stdev, &pt));
}

FIXTURE_TEARDOWN(device_log)
{
	close(self->c.fd);
}

static __u64 ask_device(FIXTURE_DATA(device_log) *self)
{
	__u64 bits = 0;
	struct dirty_request request = { .iova = IOVA, .length = LENGTH, .bitmap = &bits };

	must(__dirty_get(&self->c, request));
	return bits;
}

static void write_to(const FIXTURE_DATA(device_log) *self, unsigned int page)
{
	__u64 bit = 1, marked;

	must(__mock_dirty(self->c.fd, self->hwpt, IOVA + page * PAGE, MOCK_PAGE, MOCK_PAGE,
			  &bit, &marked));
}

TEST_F(device_log, writes_of_the_device_are_told_once)
{
	EXPECT_EQ(0, __dirty_log(&self->c, START));
	EXPECT_EQ(0, ask_device(self));
	write_to(self, 3);
	write_to(self, 63);
	EXPECT_EQ(pages(3, 1) | pages(63, 1), ask_device(self));
	EXPECT_EQ(0, ask_device(self));
}

TEST_F(device_log, unmap_tells_the_last)
{
	__u64 bits = 0;
	struct dirty_request request = { .iova = IOVA, .length = LENGTH, .bitmap = &bits };

	EXPECT_EQ(0, __dirty_log(&self->c, START));
	write_to(self, 9);
	EXPECT_EQ(LENGTH, __dirty_unmap(&self->c, 0, request));
	EXPECT_EQ(pages(9, 1), bits);
}

/* It can not be asked any more. */
TEST_F(device_log, page_table_that_leaves_makes_all_dirty)
{
	__u32 other = ioas_alloc(self->c.fd);

	EXPECT_EQ(0, __dirty_log(&self->c, START));
	ASSERT_EQ(0, __mock_replace(self->c.fd, self->dev.stdev, &other));
	EXPECT_EQ(0, ask_device(self));
	ASSERT_EQ(0, __destroy(self->c.fd, self->hwpt));
	EXPECT_EQ(pages(0, 64), ask_device(self));
	EXPECT_EQ(0, ask_device(self));
}

/* One that can not tell, beside it */
TEST_F(device_log, page_table_that_does_not_track_makes_all_dirty)
{
	struct mock_device blind;

	EXPECT_EQ(0, __dirty_log(&self->c, START));
	must(__mock_device(self->c.fd, self->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY, &blind));
	EXPECT_EQ(pages(0, 64), ask_device(self));
	EXPECT_EQ(pages(0, 64), ask_device(self));
}

TEST_HARNESS_MAIN
