// SPDX-License-Identifier: GPL-2.0
/*
 * All kinds of memory that a process can have: which of it can be mapped for a device,
 * and that the device and the process then see the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define LENGTH THP
#define IOVA (2 * MOCK_IOVA)
#define RW_WRITE MOCK_ACCESS_RW_WRITE

#define NR_1G "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"

enum kind {
	SMALL_PAGES,
	HUGE_PAGES,
	UNTOUCHED,		/* what one gets when one reads it is the zero page */
	ANONYMOUS_SHARED,
	HUGETLB,
	HUGETLB_1G,
	FILE_SHARED,
	FILE_PRIVATE,		/* of which the process has made no copy yet */
	FILE_HUGETLB,
};

FIXTURE(memory) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	__u32 second;		/* another page table */
	int access;
	int file;
	char *mem;
	long pins;
};

FIXTURE_VARIANT(memory) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(memory, small_pages) { .kind = SMALL_PAGES };
FIXTURE_VARIANT_ADD(memory, huge_pages) { .kind = HUGE_PAGES };
FIXTURE_VARIANT_ADD(memory, untouched) { .kind = UNTOUCHED };
FIXTURE_VARIANT_ADD(memory, anonymous_shared) { .kind = ANONYMOUS_SHARED };
FIXTURE_VARIANT_ADD(memory, hugetlb) { .kind = HUGETLB };
FIXTURE_VARIANT_ADD(memory, hugetlb_1g) { .kind = HUGETLB_1G };
FIXTURE_VARIANT_ADD(memory, file_shared) { .kind = FILE_SHARED };
FIXTURE_VARIANT_ADD(memory, file_private) { .kind = FILE_PRIVATE };
FIXTURE_VARIANT_ADD(memory, file_hugetlb) { .kind = FILE_HUGETLB };

static int make_file(unsigned int flags)
{
	int file = memfd_create("test", flags);

	if (file < 0 || ftruncate(file, LENGTH))
		fatal("memfd: %s", errno_name(errno));
	if (!flags && pwrite(file, "file", 5, 0) != 5)
		fatal("memfd: %s", errno_name(errno));
	return file;
}

static char *map_memory(size_t length, int flags, int file)
{
	char *mem = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, file, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* NULL if there is none of that kind here. */
static char *make_memory(enum kind kind, int *file)
{
	const int private = MAP_PRIVATE | MAP_ANONYMOUS;

	switch (kind) {
	case SMALL_PAGES:
	case HUGE_PAGES:
		return alloc_aligned(LENGTH, kind == HUGE_PAGES);
	case UNTOUCHED:
		return map_memory(LENGTH, private, -1);
	case ANONYMOUS_SHARED:
		return map_memory(LENGTH, MAP_SHARED | MAP_ANONYMOUS, -1);
	case HUGETLB:
		return map_memory(LENGTH, private | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1);
	case HUGETLB_1G:
		__write_text(NR_1G, "1");
		return map_memory(GIB(1), private | MAP_HUGETLB | 30 << MAP_HUGE_SHIFT, -1);
	case FILE_SHARED:
	case FILE_PRIVATE:
		*file = make_file(0);
		return map_memory(LENGTH, kind == FILE_SHARED ? MAP_SHARED : MAP_PRIVATE, *file);
	case FILE_HUGETLB:
		*file = make_file(MFD_HUGETLB | MFD_HUGE_2MB);
		return map_memory(LENGTH, MAP_SHARED, *file);
	}
	return NULL;
}

FIXTURE_SETUP(memory)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->file = -1;
	self->mem = make_memory(variant->kind, &self->file);
	if (!self->mem)
		SKIP(return, "no such memory");
	self->pins = pinned_pages();
	self->dev = mock_device(self->fd, self->ioas);
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &self->second));
	self->access = must(__mock_access(self->fd, self->ioas, 0));
}

FIXTURE_TEARDOWN(memory)
{
	close(self->access);
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
	if (variant->kind == HUGETLB_1G)
		__write_text(NR_1G, "0");
}

static int __map(const FIXTURE_DATA(memory) *self, __u32 prot, const void *va, size_t length)
{
	__u64 iova = IOVA;

	return __ioas_map(self->fd, self->ioas, prot | IOMMU_IOAS_MAP_FIXED_IOVA, va, length,
			  &iova);
}

/* Do both page tables lead to where the process's own one does? */
static int __same(const FIXTURE_DATA(memory) *self, const void *va, size_t length)
{
	int ret = __mock_check_map(self->fd, self->dev.hwpt, va, length, IOVA);

	return ret ?: __mock_check_map(self->fd, self->second, va, length, IOVA);
}

static long newly_pinned(const FIXTURE_DATA(memory) *self, long want)
{
	return pinned_pages_settle(self->pins + want) - self->pins;
}

/* Copy a byte from or to the place @offset behind the IOVA. */
static char get(const FIXTURE_DATA(memory) *self, size_t offset)
{
	char byte;

	must(__mock_rw(self->fd, self->access, 0, IOVA + offset, &byte, 1));
	return byte;
}

static void put(const FIXTURE_DATA(memory) *self, size_t offset, char byte)
{
	must(__mock_rw(self->fd, self->access, RW_WRITE, IOVA + offset, &byte, 1));
}

TEST_F(memory, both_see_the_same)
{
	ASSERT_EQ(0, __map(self, MAP_RW, self->mem, LENGTH));
	EXPECT_EQ(0, __same(self, self->mem, LENGTH));
	/* Both page tables and the access together pin each page once. */
	EXPECT_EQ(LENGTH / PAGE, newly_pinned(self, LENGTH / PAGE));
	put(self, 5, 'x');
	put(self, LENGTH - 1, 'y');
	EXPECT_EQ('x', self->mem[5]);
	EXPECT_EQ('y', self->mem[LENGTH - 1]);
	self->mem[PAGE] = 'z';
	EXPECT_EQ('z', get(self, PAGE));
	EXPECT_EQ(0, __same(self, self->mem, LENGTH));

	EXPECT_EQ(LENGTH, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
	EXPECT_EQ('x', self->mem[5]);
}

/* What the process writes later must not go where the device does not look. */
TEST_F(memory, both_see_the_same_when_devices_only_read)
{
	size_t i;

	ASSERT_EQ(0, __map(self, MAP_R, self->mem, LENGTH));
	EXPECT_EQ(0, __same(self, self->mem, LENGTH));
	for (i = 0; i < LENGTH; i += 7 * PAGE) {
		self->mem[i] = 'w';
		ASSERT_EQ('w', get(self, i));
	}
	EXPECT_EQ(0, __same(self, self->mem, LENGTH));
}

TEST_F(memory, part_of_a_page_of_any_size)
{
	const size_t from = 3 * PAGE, length = 5 * PAGE;

	ASSERT_EQ(0, __map(self, MAP_RW, self->mem + from, length));
	EXPECT_EQ(0, __same(self, self->mem + from, length));
	EXPECT_EQ(length / PAGE, newly_pinned(self, length / PAGE));
	put(self, 0, 'a');
	put(self, length - 1, 'b');
	EXPECT_EQ('a', self->mem[from]);
	EXPECT_EQ('b', self->mem[from + length - 1]);
	EXPECT_EQ(length, __ioas_unmap_all(self->fd, self->ioas));
}

TEST_F(memory, stays_when_the_process_lets_go)
{
	size_t size = variant->kind == HUGETLB_1G ? GIB(1) : LENGTH;

	ASSERT_EQ(0, __map(self, MAP_RW, self->mem, LENGTH));
	self->mem[0] = 'm';
	ASSERT_EQ(0, munmap(self->mem, size));
	EXPECT_EQ('m', get(self, 0));
	EXPECT_EQ(LENGTH / PAGE, newly_pinned(self, LENGTH / PAGE));
}

TEST_F(memory, process_may_not_touch_it)
{
	if (variant->kind == HUGETLB_1G)
		SKIP(return, "nothing to be learnt from larger pages");
	ASSERT_EQ(0, mprotect(self->mem, LENGTH, PROT_READ));
	EXPECT_EQ(-EFAULT, __map(self, MAP_RW, self->mem, LENGTH));
	EXPECT_EQ(-EFAULT, __map(self, MAP_W, self->mem, LENGTH));
	EXPECT_EQ(0, __map(self, MAP_R, self->mem, LENGTH));
	EXPECT_EQ(0, __same(self, self->mem, LENGTH));
	must(__ioas_unmap_all(self->fd, self->ioas));
	ASSERT_EQ(0, mprotect(self->mem, LENGTH, PROT_NONE));
	EXPECT_EQ(-EFAULT, __map(self, MAP_R, self->mem, LENGTH));
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

FIXTURE(refused) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	int file, file_ro;
	long pins;
};

FIXTURE_SETUP(refused)
{
	char path[32];

	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->file = make_file(0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->file);
	self->file_ro = open(path, O_RDONLY);
	ASSERT_LE(0, self->file_ro);
	self->pins = pinned_pages();
	self->dev = mock_device(self->fd, self->ioas);
}

FIXTURE_TEARDOWN(refused)
{
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

static int __try(const FIXTURE_DATA(refused) *self, __u32 prot, const void *va, size_t length)
{
	__u64 iova = IOVA;

	return __ioas_map(self->fd, self->ioas, prot | IOMMU_IOAS_MAP_FIXED_IOVA, va, length,
			  &iova);
}

TEST_F(refused, shared_file_that_is_open_for_reading)
{
	char *mem = mmap(NULL, LENGTH, PROT_READ, MAP_SHARED, self->file_ro, 0);
	__u32 ioas = ioas_alloc(self->fd);
	__u64 iova = IOVA;
	struct mock_device dev;

	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, mem, LENGTH));
	EXPECT_EQ(-EFAULT, __try(self, MAP_W, mem, LENGTH));
	EXPECT_EQ(0, __try(self, MAP_R, mem, LENGTH));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, mem, LENGTH, IOVA));
	/* Nobody looks before there is a device. */
	EXPECT_EQ(0, __ioas_map(self->fd, ioas, MAP_FIXED_RW, mem, LENGTH, &iova));
	EXPECT_EQ(-EFAULT, __mock_device(self->fd, ioas, 0, &dev));
}

/*
 * A file system has to know when its memory is written to, so none is pinned for that. A disk
 * is as good as a file on one.
 */
TEST_F(refused, shared_file_that_is_written_back)
{
	int disk = open("/dev/nvme0n1", O_RDWR);
	char *mem;

	if (disk < 0)
		SKIP(return, "no disk");
	mem = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, disk, 0);
	ASSERT_NE(MAP_FAILED, mem);
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, mem, LENGTH));
	EXPECT_EQ(-EFAULT, __try(self, MAP_W, mem, LENGTH));
	EXPECT_EQ(0, __try(self, MAP_R, mem, LENGTH));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->dev.hwpt, mem, LENGTH, IOVA));
	must(__ioas_unmap_all(self->fd, self->ioas));
	close(disk);
}

/* The process may write to its copy, and so may its device. */
TEST_F(refused, private_file_that_is_open_for_reading)
{
	char *mem = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE, self->file_ro, 0);
	char text[5] = "";
	int access = must(__mock_access(self->fd, self->ioas, 0));

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, __try(self, MAP_RW, mem, LENGTH));
	ASSERT_EQ(0, __mock_rw(self->fd, access, RW_WRITE, IOVA, "copy", 5));
	EXPECT_STREQ("copy", mem);
	ASSERT_EQ(5, pread(self->file, text, 5, 0));
	EXPECT_STREQ("file", text);
	close(access);
}

TEST_F(refused, behind_the_end_of_a_file)
{
	char *mem = mmap(NULL, 2 * LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, self->file, 0);

	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, mem, 2 * LENGTH));
	EXPECT_EQ(-EFAULT, __try(self, MAP_R, mem + LENGTH, PAGE));
	EXPECT_EQ(0, __try(self, MAP_RW, mem, LENGTH));
}

TEST_F(refused, nothing_there)
{
	char *mem = alloc_pages(LENGTH);

	ASSERT_EQ(0, munmap(mem + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, mem, LENGTH));
	EXPECT_EQ(-EFAULT, __try(self, MAP_R, mem + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, NULL, PAGE));
	EXPECT_EQ(-EFAULT, __try(self, MAP_R, (void *)0xffff888000000000, PAGE));
	EXPECT_EQ(-EOVERFLOW, __try(self, MAP_R, (void *)-PAGE, PAGE));
	EXPECT_EQ(0, __try(self, MAP_RW, mem, PAGE));
}

static int __try_file(const FIXTURE_DATA(refused) *self, int file)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = MAP_FIXED_RW, .ioas_id = self->ioas, .fd = file,
		.length = LENGTH, .iova = IOVA,
	};

	return ioctl(self->fd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

/* What is missing of a file is not taken from those who have reserved it. */
TEST_F(refused, hole_of_a_file_when_all_pages_are_reserved)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT;
	int file = make_file(MFD_HUGETLB | MFD_HUGE_2MB);
	long n;
	char *reserved;

	/* One behind the end is as good as none. */
	ASSERT_EQ(0, fallocate(file, FALLOC_FL_KEEP_SIZE, LENGTH, LENGTH));
	n = meminfo_kb("HugePages_Free") - meminfo_kb("HugePages_Rsvd");
	ASSERT_LT(0, n);
	reserved = mmap(NULL, n * THP, PROT_READ | PROT_WRITE, flags, -1, 0);
	ASSERT_NE(MAP_FAILED, reserved);
	EXPECT_EQ(-ENOMEM, __try_file(self, file));
	EXPECT_EQ(n, meminfo_kb("HugePages_Free"));
	ASSERT_EQ(0, munmap(reserved, n * THP));
	EXPECT_EQ(0, __try_file(self, file));
	close(file);
}

/* Memory that is no memory, as of registers of devices, has no pages to pin. */
TEST_F(refused, registers)
{
	int file = open("/dev/mem", O_RDWR);
	char *mem;

	if (file < 0)
		SKIP(return, "no /dev/mem");
	/* The VGA window, which also strict kernels let one have */
	mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0xa0000);
	if (mem == MAP_FAILED)
		SKIP(return, "no VGA window");
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, mem, PAGE));
	EXPECT_EQ(-EFAULT, __try(self, MAP_R, mem, PAGE));
}

TEST_F(refused, pages_of_the_kernel)
{
	unsigned long start = 0, end;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[256];

	while (!start && fgets(line, sizeof(line), maps))
		if (strstr(line, "[vvar]"))
			sscanf(line, "%lx-%lx", &start, &end);
	fclose(maps);
	if (!start)
		SKIP(return, "no [vvar]");
	EXPECT_EQ(-EFAULT, __try(self, MAP_R, (void *)start, PAGE));
	EXPECT_EQ(-EFAULT, __try(self, MAP_RW, (void *)start, PAGE));
}

TEST_HARNESS_MAIN
