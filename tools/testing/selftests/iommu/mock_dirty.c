// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty tracking: what a device wrote to is what is read, in any bitmap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

#define IOVA (2 * MOCK_IOVA)
#define MEM MIB(4)
#define TIMES 8			/* so often the memory is mapped, one after the other */
#define LENGTH (TIMES * MEM)
#define NMARKS (LENGTH / MOCK_PAGE)
#define FINEST 512		/* bytes per bit */
#define MAX_BYTES (LENGTH / FINEST / 8)

#define NO_CLEAR IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR
#define DIRTY IOMMU_HWPT_ALLOC_DIRTY_TRACKING
#define ENABLE IOMMU_HWPT_DIRTY_TRACKING_ENABLE

FIXTURE(dirty) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	__u32 hwpt;
	char *mem;
};

FIXTURE_VARIANT(dirty) {
	__u32 dev_flags;
	size_t offset;		/* of the memory from huge pages */
	size_t entry;		/* bytes one entry of the page table maps then */
};

FIXTURE_VARIANT_ADD(dirty, pages) {
	.entry = PAGE,
};

FIXTURE_VARIANT_ADD(dirty, half_pages) {
	.offset = MOCK_PAGE, .entry = MOCK_PAGE,
};

FIXTURE_VARIANT_ADD(dirty, huge_pages) {
	.dev_flags = MOCK_FLAGS_DEVICE_HUGE_IOVA, .entry = MIB(1),
};

static int __set(int fd, __u32 hwpt, __u32 flags)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .hwpt_id = hwpt, .flags = flags,
	};

	return __iommufd_ioctl(fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static int __get(int fd, __u32 hwpt, __u32 flags, __u64 iova, __u64 length, __u64 page_size,
		 void *bitmap)
{
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = hwpt,
		.flags = flags,
		.iova = iova,
		.length = length,
		.page_size = page_size,
		.data = (uintptr_t)bitmap,
	};

	return __iommufd_ioctl(fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

FIXTURE_SETUP(dirty)
{
	char *mem;
	int i;

	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	must(__mock_device(self->fd, self->ioas, variant->dev_flags, &self->dev));
	if (!mock_can_track(self->fd, self->dev.idev))
		SKIP(return, "this kernel has no dirty tracking");
	mem = alloc_aligned(MEM + THP, variant->entry > PAGE);
	self->mem = mem + variant->offset;
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, DIRTY, &self->hwpt));
	for (i = 0; i < TIMES; i++)
		ioas_map_at(self->fd, self->ioas, self->mem, MEM, IOVA + i * MEM);
}

FIXTURE_TEARDOWN(dirty)
{
	close(self->fd);
}

/* The device writes to the page at @offset. */
static void write_to(const FIXTURE_DATA(dirty) *self, size_t offset)
{
	__u64 bit = 1, marked;

	must(__mock_dirty(self->fd, self->hwpt, IOVA + offset, MOCK_PAGE, MOCK_PAGE, &bit,
			  &marked));
}

/* Bits of all that is mapped, one for @page_size each, of which there are at most 64 */
static __u64 read_all(const FIXTURE_DATA(dirty) *self, __u32 flags, size_t page_size)
{
	__u64 bits = 0;

	must(__get(self->fd, self->hwpt, flags, IOVA, LENGTH, page_size, &bits));
	return bits;
}

TEST_F(dirty, set_arguments)
{
	__u32 plain, parent, nested;

	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &plain));
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas,
			  DIRTY | IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	must(__mock_nested(self->fd, self->dev.idev, parent, &nested));
	EXPECT_EQ(-EOPNOTSUPP, __set(self->fd, self->hwpt, ENABLE << 1));
	EXPECT_EQ(-EOPNOTSUPP, __set(self->fd, plain, ENABLE));
	EXPECT_EQ(-EOPNOTSUPP, __set(self->fd, plain, 0));
	EXPECT_EQ(-EOPNOTSUPP, __set(self->fd, self->dev.hwpt, ENABLE));
	EXPECT_EQ(-ENOENT, __set(self->fd, nested, ENABLE));
	EXPECT_EQ(-ENOENT, __set(self->fd, self->ioas, ENABLE));
	EXPECT_EQ(-ENOENT, __set(self->fd, 0, ENABLE));
	/* Any number of times */
	EXPECT_EQ(0, __set(self->fd, self->hwpt, 0));
	EXPECT_EQ(0, __set(self->fd, self->hwpt, ENABLE));
	EXPECT_EQ(0, __set(self->fd, self->hwpt, ENABLE));
	EXPECT_EQ(0, __set(self->fd, self->hwpt, 0));
	EXPECT_EQ(0, __set(self->fd, parent, ENABLE));
}

TEST_F(dirty, get_arguments)
{
	int fd = self->fd;
	__u64 bits[64] = { };
	__u32 plain;

	must(__hwpt_alloc(fd, self->dev.idev, self->ioas, 0, &plain));
	must(__set(fd, self->hwpt, ENABLE));
#define GET(flags, ...) __get(fd, self->hwpt, flags, __VA_ARGS__, bits)
	EXPECT_EQ(-EOPNOTSUPP, GET(NO_CLEAR << 1, IOVA, 0, PAGE));
	EXPECT_EQ(-ENOENT, __get(fd, self->ioas, 0, IOVA, 0, PAGE, bits));
	EXPECT_EQ(-ENOENT, __get(fd, 0, 0, IOVA, 0, PAGE, bits));
	EXPECT_EQ(-EINVAL, GET(0, IOVA, 0, PAGE));
	EXPECT_EQ(-EINVAL, GET(0, -1ULL, 0, PAGE));
	EXPECT_EQ(-EOVERFLOW, GET(0, -1ULL, PAGE, PAGE));
	EXPECT_EQ(-EOVERFLOW, GET(0, IOVA, -1ULL, PAGE));
	EXPECT_EQ(-EOVERFLOW, GET(0, -PAGE, 2 * PAGE, PAGE));
	EXPECT_EQ(-EINVAL, GET(0, IOVA + MOCK_PAGE / 2, PAGE, MOCK_PAGE / 2));
	EXPECT_EQ(-EINVAL, GET(0, IOVA, MOCK_PAGE / 2, MOCK_PAGE / 2));
	EXPECT_EQ(-EINVAL, GET(0, IOVA, PAGE, 0));
	EXPECT_EQ(-EINVAL, GET(0, IOVA, 3 * PAGE, 3 * PAGE));
	EXPECT_EQ(-EINVAL, GET(0, IOVA, PAGE, 2 * PAGE));
	EXPECT_EQ(-EINVAL, GET(0, IOVA + PAGE, 2 * PAGE, 2 * PAGE));
	EXPECT_EQ(-EOPNOTSUPP, __get(fd, plain, 0, IOVA, PAGE, PAGE, bits));
	/* What is not mapped is not clean either. */
	EXPECT_EQ(-EINVAL, GET(0, IOVA - PAGE, PAGE, PAGE));
	EXPECT_EQ(-EINVAL, GET(0, IOVA - PAGE, 2 * PAGE, PAGE));
	EXPECT_EQ(-EINVAL, GET(0, IOVA + LENGTH - PAGE, 2 * PAGE, PAGE));
	EXPECT_EQ(-EFAULT, __get(fd, self->hwpt, 0, IOVA, PAGE, PAGE, NULL));
	EXPECT_EQ(0, GET(NO_CLEAR, IOVA, PAGE, PAGE));
	EXPECT_EQ(0, GET(0, IOVA + LENGTH - MEM, MEM, MEM));
#undef GET
}

TEST_F(dirty, bitmap_that_ends_too_early)
{
	char *page = alloc_pages(2 * PAGE);

	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	must(__set(self->fd, self->hwpt, ENABLE));
	write_to(self, 0);
	write_to(self, LENGTH - MOCK_PAGE);
	EXPECT_EQ(0, __get(self->fd, self->hwpt, NO_CLEAR, IOVA, LENGTH, MIB(1),
			   page + PAGE - 4));
	EXPECT_EQ(0x80000001, *(__u32 *)(page + PAGE - 4));
	EXPECT_EQ(-EFAULT, __get(self->fd, self->hwpt, NO_CLEAR, IOVA, LENGTH, MIB(1),
				 page + PAGE - 3));
	ASSERT_EQ(0, mprotect(page, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __get(self->fd, self->hwpt, NO_CLEAR, IOVA, LENGTH, MIB(1), page));
}

TEST_F(dirty, on_and_off)
{
	__u64 bit = 1, marked;

	EXPECT_EQ(-EINVAL, __get(self->fd, self->hwpt, 0, IOVA, LENGTH, MEM, &bit));
	must(__set(self->fd, self->hwpt, ENABLE));
	EXPECT_EQ(0, read_all(self, 0, MEM));
	write_to(self, 5 * MEM);
	/* Who turns it on once more begins anew. */
	must(__set(self->fd, self->hwpt, ENABLE));
	EXPECT_EQ(0, read_all(self, 0, MEM));
	write_to(self, 4 * MEM);
	must(__set(self->fd, self->hwpt, 0));
	EXPECT_EQ(-EINVAL, __get(self->fd, self->hwpt, 0, IOVA, LENGTH, MEM, &bit));
	EXPECT_EQ(-EINVAL, __mock_dirty(self->fd, self->hwpt, IOVA, MEM, MEM, &bit, &marked));
	must(__set(self->fd, self->hwpt, ENABLE));
	EXPECT_EQ(0, read_all(self, 0, MEM));
}

TEST_F(dirty, reading_clears_if_asked_to)
{
	must(__set(self->fd, self->hwpt, ENABLE));
	write_to(self, 0);
	write_to(self, 7 * MEM);
	EXPECT_EQ(0x81, read_all(self, NO_CLEAR, MEM));
	EXPECT_EQ(0x81, read_all(self, NO_CLEAR, MEM));
	EXPECT_EQ(0x81, read_all(self, 0, MEM));
	EXPECT_EQ(0, read_all(self, NO_CLEAR, MEM));
	write_to(self, 3 * MEM);
	EXPECT_EQ(0x08, read_all(self, 0, MEM));
}

TEST_F(dirty, marks_go_with_the_mapping)
{
	must(__set(self->fd, self->hwpt, ENABLE));
	write_to(self, 0);
	write_to(self, 2 * MEM);
	must(__ioas_unmap(self->fd, self->ioas, IOVA, MEM));
	EXPECT_EQ(-EINVAL, __get(self->fd, self->hwpt, 0, IOVA, LENGTH, MEM, self->mem));
	ioas_map_at(self->fd, self->ioas, self->mem, MEM, IOVA);
	EXPECT_EQ(0x04, read_all(self, 0, MEM));
}

TEST_F(dirty, page_tables_have_their_own_marks)
{
	__u64 bits = 0;
	__u32 other;

	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, DIRTY, &other));
	must(__set(self->fd, self->hwpt, ENABLE));
	must(__set(self->fd, other, ENABLE));
	write_to(self, MEM);
	must(__get(self->fd, other, 0, IOVA, LENGTH, MEM, &bits));
	EXPECT_EQ(0, bits);
	EXPECT_EQ(2, read_all(self, 0, MEM));
	must(__set(self->fd, other, 0));
	write_to(self, MEM);
	EXPECT_EQ(2, read_all(self, 0, MEM));
}

/*
 * Random writes and reads against a model: two arrays of pages. One that was written to and has
 * not been read since must be reported; one whose entry of the page table is marked may be. A
 * mark goes when all of its entry is read to be cleared.
 */
struct model {
	size_t entry;
	bool must[NMARKS], may[NMARKS];
	unsigned char marks[NMARKS / 8];
	unsigned char *bitmap;		/* with room before and behind, and a copy of it */
	unsigned char *before;
	unsigned int seed;
};

static size_t below(struct model *model, size_t n)
{
	return rand_r(&model->seed) % n;
}

static void write_at_random(const FIXTURE_DATA(dirty) *self, struct model *model)
{
	size_t n = 1 + below(model, 200), per_entry = model->entry / MOCK_PAGE, mark;
	__u64 marked;

	memset(model->marks, 0, sizeof(model->marks));
	while (n--) {
		mark = below(model, NMARKS);
		model->marks[mark / 8] |= 1 << mark % 8;
		model->must[mark] = true;
		mark -= mark % per_entry;
		memset(&model->may[mark], true, per_entry);
	}
	must(__mock_dirty(self->fd, self->hwpt, IOVA, LENGTH, MOCK_PAGE, model->marks,
			  &marked));
}

static bool any(const bool *pages, size_t from, size_t length)
{
	size_t mark;

	for (mark = from / MOCK_PAGE; mark * MOCK_PAGE < from + length; mark++)
		if (pages[mark])
			return true;
	return false;
}

static bool bit_of(const unsigned char *bitmap, size_t bit)
{
	return bitmap[bit / 8] & 1 << bit % 8;
}

/* What was read: bits that were set before stay, and those outside are not touched. */
static bool is_right(const struct model *model, size_t shift, size_t from, size_t length,
		     size_t page_size)
{
	size_t bit, nbits = length / page_size, at;

	for (bit = 0; bit < (MAX_BYTES + 2 * PAGE) * 8; bit++) {
		bool was = bit_of(model->before, bit), is = bit_of(model->bitmap, bit);

		if (bit < shift * 8 || bit >= shift * 8 + nbits || was) {
			if (was != is)
				return false;
			continue;
		}
		at = from + (bit - shift * 8) * page_size;
		if (is ? !any(model->may, at, page_size) : any(model->must, at, page_size))
			return false;
	}
	return true;
}

static void clear_model(struct model *model, size_t from, size_t length)
{
	size_t first = (from + model->entry - 1) / model->entry * model->entry;
	size_t end = (from + length) / model->entry * model->entry;

	memset(&model->must[from / MOCK_PAGE], false, length / MOCK_PAGE);
	if (first < end)
		memset(&model->may[first / MOCK_PAGE], false, (end - first) / MOCK_PAGE);
}

static void read_at_random(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(dirty) *self, struct model *model)
{
	size_t page_size = FINEST << below(model, 14), shift = below(model, PAGE);
	size_t unit = page_size < MOCK_PAGE ? MOCK_PAGE : page_size;
	size_t from = below(model, LENGTH / unit) * unit;
	size_t most = (LENGTH - from) / unit;
	size_t length = (1 + below(model, below(model, 2) ? most : most > 9 ? 9 : most)) * unit;
	size_t i, size = MAX_BYTES + 2 * PAGE;
	bool clear = below(model, 2);

	for (i = 0; i < size; i++)
		model->bitmap[i] = below(model, 4) ? 0 : rand_r(&model->seed);
	memcpy(model->before, model->bitmap, size);

	ASSERT_EQ(0, __get(self->fd, self->hwpt, clear ? 0 : NO_CLEAR, IOVA + from, length,
			   page_size, model->bitmap + shift));
	ASSERT_TRUE(is_right(model, shift, from, length, page_size))
		TH_LOG("%#zx+%#zx by %#zx, clear %d", from, length, page_size, clear);
	if (clear)
		clear_model(model, from, length);
}

TEST_F_TIMEOUT(dirty, random_against_a_model, 120)
{
	struct model *model = calloc(1, sizeof(*model));
	unsigned int i;

	model->entry = variant->entry;
	model->seed = 7;
	model->bitmap = alloc_pages(MAX_BYTES + 2 * PAGE);
	model->before = alloc_pages(MAX_BYTES + 2 * PAGE);
	must(__set(self->fd, self->hwpt, ENABLE));
	for (i = 0; i < 300; i++) {
		if (below(model, 2))
			write_at_random(self, model);
		read_at_random(_metadata, self, model);
	}
}

TEST_HARNESS_MAIN
