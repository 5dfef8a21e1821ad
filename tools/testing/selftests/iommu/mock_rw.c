// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users of an IOAS who copy to and from it: across pages, mappings and holes,
 * in the direction that is mapped, with pages that are pinned already and that are not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define NPAGES 64
#define LENGTH (NPAGES * PAGE)
#define IOVA MOCK_IOVA
#define MOST MIB(16)

#define RW_WRITE MOCK_ACCESS_RW_WRITE
#define RW_SLOW MOCK_ACCESS_RW_SLOW_PATH

FIXTURE(rw) {
	int fd;
	__u32 ioas;
	char *mem;
	char *data;
	unsigned int base;
	int access;
	long pins;
};

FIXTURE_VARIANT(rw) {
	bool page_table;
};

FIXTURE_VARIANT_ADD(rw, alone) {
	.page_table = false,
};

FIXTURE_VARIANT_ADD(rw, beside_a_page_table) {
	.page_table = true,
};

static void fill(void *data, size_t length, unsigned int *seed)
{
	unsigned char *p = data;

	while (length--)
		*p++ = rand_r(seed) >> 8;
}

FIXTURE_SETUP(rw)
{
	unsigned int seed = 1;

	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_scattered(LENGTH);
	self->data = alloc_pages(LENGTH);
	fill(self->mem, LENGTH, &seed);
	self->pins = pinned_pages();
	self->base = variant->page_table;
	if (variant->page_table)
		mock_device(self->fd, self->ioas);
	self->access = must(__mock_access(self->fd, self->ioas, 0));
}

FIXTURE_TEARDOWN(rw)
{
	close(self->access);
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

static int __rw(const FIXTURE_DATA(rw) *self, __u32 flags, size_t offset, size_t length)
{
	return __mock_rw(self->fd, self->access, flags, IOVA + offset, self->data, length);
}

static int __map(const FIXTURE_DATA(rw) *self, __u32 prot, size_t at, const void *va,
		 size_t length)
{
	__u64 iova = IOVA + at;

	return __ioas_map(self->fd, self->ioas, prot | IOMMU_IOAS_MAP_FIXED_IOVA, va, length,
			  &iova);
}

TEST_F(rw, arguments)
{
	ASSERT_EQ(0, __map(self, MAP_RW, 0, self->mem, LENGTH));
	EXPECT_EQ(-EINVAL, __rw(self, 0, 0, 0));
	EXPECT_EQ(-EINVAL, __rw(self, RW_WRITE, LENGTH, 0));
	EXPECT_EQ(-ENOMEM, __rw(self, 0, 0, MOST + 1));
	EXPECT_EQ(-EOPNOTSUPP, __rw(self, 1 << 1, 0, 1));
	EXPECT_EQ(-EOVERFLOW, __rw(self, 0, -IOVA - 1, 2));
	EXPECT_EQ(-ENOENT, __rw(self, 0, -IOVA - 1, 1));
	EXPECT_EQ(-ENOENT, __rw(self, 0, -1ULL, 2));
	EXPECT_EQ(-ENOENT, __rw(self, 0, LENGTH - 1, 2));
	EXPECT_EQ(-ENOENT, __rw(self, 0, 0, MOST));
	EXPECT_EQ(-EFAULT, __mock_rw(self->fd, self->access, 0, IOVA, NULL, 1));
	EXPECT_EQ(-EFAULT, __mock_rw(self->fd, self->access, RW_WRITE, IOVA, NULL, 1));
	EXPECT_EQ(-EBADFD, __mock_rw(self->fd, self->fd, 0, IOVA, self->data, 1));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, self->base));
}

TEST_F(rw, every_start_and_length)
{
	size_t start, n;

	ASSERT_EQ(0, __map(self, MAP_RW, 0, self->mem, LENGTH));
	for (start = PAGE - 3; start < PAGE + 3; start++) {
		for (n = 1; n < 3 * PAGE; n += n < 8 ? 1 : PAGE - 5) {
			memset(self->data, 0, n + 1);
			ASSERT_EQ(0, __rw(self, n & 1 ? RW_SLOW : 0, start, n));
			ASSERT_EQ(0, memcmp(self->data, self->mem + start, n));
			ASSERT_EQ(0, self->data[n]);
		}
	}
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, self->base));
}

TEST_F(rw, the_most_there_is_at_once)
{
	size_t i, npages = MOST / PAGE;
	char *mem = alloc_pages(MOST), *data = alloc_pages(MOST);

	ASSERT_EQ(0, __map(self, MAP_RW, 0, mem, MOST));
	for (i = 0; i < npages; i++)
		*(size_t *)(data + i * PAGE + i % 500 * 8) = i + 1;
	ASSERT_EQ(0, __mock_rw(self->fd, self->access, RW_WRITE, IOVA, data, MOST));
	EXPECT_EQ(0, memcmp(mem, data, MOST));
	memset(data, 0xff, MOST);
	ASSERT_EQ(0, __mock_rw(self->fd, self->access, 0, IOVA, data, MOST));
	EXPECT_EQ(0, memcmp(mem, data, MOST));
}

TEST_F(rw, copying_pins_only_meanwhile)
{
	int pinner;

	ASSERT_EQ(0, __map(self, MAP_RW, 0, self->mem, LENGTH));
	pinner = must(__mock_access(self->fd, self->ioas,
				    MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
	must(__mock_pin(self->fd, pinner, 0, IOVA + 2 * PAGE, 4 * PAGE, NULL));
	/* Around what is pinned, within, and over its borders */
	ASSERT_EQ(0, __rw(self, RW_WRITE, 0, LENGTH));
	ASSERT_EQ(0, __rw(self, RW_WRITE, 3 * PAGE + 5, PAGE));
	ASSERT_EQ(0, __rw(self, 0, 5 * PAGE + 5, 2 * PAGE));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 2 * PAGE, self->base));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + 2 * PAGE, 4 * PAGE, 1));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem + 6 * PAGE, 58 * PAGE,
				       self->base));
	close(pinner);
}

TEST_F(rw, unmapping_does_not_ask_who_only_copies)
{
	ASSERT_EQ(0, __map(self, MAP_RW, 0, self->mem, LENGTH));
	ASSERT_EQ(0, __rw(self, 0, 0, LENGTH));
	EXPECT_EQ(LENGTH, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(-ENOENT, __rw(self, 0, 0, LENGTH));
}

TEST_F(rw, memory_that_is_not_there)
{
	ASSERT_EQ(0, munmap(self->mem + 2 * PAGE, PAGE));
	ASSERT_EQ(variant->page_table ? -EFAULT : 0,
		  __map(self, MAP_RW, 0, self->mem, 4 * PAGE));
	if (variant->page_table)
		return;
	EXPECT_EQ(-EFAULT, __rw(self, 0, 0, 4 * PAGE));
	EXPECT_EQ(-EFAULT, __rw(self, RW_WRITE, 2 * PAGE, 1));
	EXPECT_EQ(0, __rw(self, 0, 0, 2 * PAGE));
	EXPECT_EQ(0, memcmp(self->data, self->mem, 2 * PAGE));
	EXPECT_EQ(0, __rw(self, RW_WRITE, 3 * PAGE, PAGE));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, 2 * PAGE, 0));
}

TEST_F(rw, memory_the_process_may_not_write)
{
	ASSERT_EQ(0, mprotect(self->mem, LENGTH, PROT_READ));
	/* Found out when the pages are needed */
	ASSERT_EQ(variant->page_table ? -EFAULT : 0,
		  __map(self, MAP_RW, 0, self->mem, PAGE));
	EXPECT_EQ(variant->page_table ? -ENOENT : -EFAULT, __rw(self, RW_WRITE, 0, PAGE));
	ASSERT_EQ(0, __map(self, MAP_R, PAGE, self->mem + PAGE, PAGE));
	EXPECT_EQ(0, __rw(self, 0, PAGE, PAGE));
	EXPECT_EQ(0, memcmp(self->data, self->mem + PAGE, PAGE));
	EXPECT_EQ(-EPERM, __rw(self, RW_WRITE, PAGE, PAGE));
}

/* Whoever copies, it is the memory of the process that mapped it. */
TEST_F(rw, another_process)
{
	pid_t child;
	int status;

	ASSERT_EQ(0, __map(self, MAP_RW, 0, self->mem, LENGTH));
	memset(self->mem, 1, LENGTH);
	child = fork();
	if (!child) {
		memset(self->mem, 2, LENGTH);
		must(__rw(self, 0, 0, LENGTH));
		if (memchr(self->data, 2, LENGTH))
			_exit(1);
		memset(self->data, 3, LENGTH);
		must(__rw(self, RW_WRITE, 0, LENGTH));
		_exit(!!memchr(self->mem, 3, LENGTH));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(3, self->mem[0]);
	EXPECT_EQ(3, self->mem[LENGTH - 1]);
}

/* Random mappings and random copies against a model: where each byte of the window leads. */

#define WINDOW (NPAGES * PAGE)

struct model {
	char *to[WINDOW];	/* NULL where nothing is mapped */
	unsigned char prot[WINDOW];
	char *before;		/* what the memory should hold */
	unsigned int seed;
};

static size_t below(struct model *model, size_t n)
{
	return rand_r(&model->seed) % n;
}

/* Fill the window with mappings of multiples of @unit, with a hole now and then. */
static void map_at_random(const FIXTURE_DATA(rw) *self, struct model *model, size_t unit)
{
	size_t at, length, from, i;
	unsigned int prot;

	memset(model->to, 0, sizeof(model->to));
	for (at = 0; at < WINDOW; at += length) {
		length = (1 + below(model, 4 * PAGE / unit)) * unit;
		if (length > WINDOW - at)
			length = WINDOW - at;
		if (!below(model, 8))
			continue;
		from = below(model, (LENGTH - length) / unit + 1) * unit;
		prot = (unsigned int[]){ MAP_R, MAP_W, MAP_RW, MAP_RW }[below(model, 4)];
		must(__map(self, prot, at, self->mem + from, length));
		for (i = 0; i < length; i++) {
			model->to[at + i] = self->mem + from + i;
			model->prot[at + i] = prot;
		}
	}
}

/* What is wrong with copying there? */
static int refusal(const struct model *model, size_t at, size_t length, unsigned int need)
{
	int ret = 0;
	size_t i;

	for (i = at; i < at + length; i++) {
		if (!model->to[i])
			return -ENOENT;
		if (!(model->prot[i] & need))
			ret = -EPERM;
	}
	return ret;
}

static void copy_at_random(struct __test_metadata *_metadata, const FIXTURE_DATA(rw) *self,
			   struct model *model)
{
	bool write = below(model, 2);
	size_t at = below(model, WINDOW), i;
	size_t length = 1 + below(model, below(model, 4) ? 2 * PAGE : 16 * PAGE);
	int expected;

	if (length > WINDOW - at)
		length = WINDOW - at;
	expected = refusal(model, at, length, write ? MAP_W : MAP_R);
	fill(self->data, length, &model->seed);
	for (i = 0; write && !expected && i < length; i++)
		model->before[model->to[at + i] - self->mem] = self->data[i];

	ASSERT_EQ(expected, __rw(self, (write ? RW_WRITE : 0) | (below(model, 2) ? RW_SLOW : 0),
				 at, length)) {
		TH_LOG("%s %zu bytes at %zu", write ? "write" : "read", length, at);
	}
	for (i = 0; !write && !expected && i < length; i++)
		ASSERT_EQ(*model->to[at + i], self->data[i]);
}

TEST_F(rw, random_against_a_model)
{
	struct model *model = calloc(1, sizeof(*model));
	unsigned int layout, i;

	model->seed = 20;
	model->before = malloc(LENGTH);
	memcpy(model->before, self->mem, LENGTH);
	for (layout = 0; layout < 20; layout++) {
		map_at_random(self, model, variant->page_table ? MOCK_PAGE : 1);
		for (i = 0; i < 100; i++)
			copy_at_random(_metadata, self, model);
		ASSERT_EQ(0, memcmp(model->before, self->mem, LENGTH));
		must(__ioas_unmap_all(self->fd, self->ioas));
	}
}

TEST_HARNESS_MAIN
