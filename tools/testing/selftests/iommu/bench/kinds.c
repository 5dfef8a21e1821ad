// SPDX-License-Identifier: GPL-2.0
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kinds.h"
#include "observe.h"

static void *thp(size_t length)
{
	return alloc_aligned(length, true);
}

static void *small(size_t length)
{
	return alloc_aligned(length, false);
}

struct memory_kind kinds[NKINDS] = {
	{ "huge pages", MIB(256), thp, .shortest = THP,
	  .target = { .map = 0.35, .unmap = 0.02, .second = 0.15 } },
	{ "4 KiB pages", MIB(256), small, .shortest = PAGE,
	  .target = { .unmap = 0.5 } },
	{ "4 KiB pages, scattered", MIB(256), alloc_scattered, .shortest = PAGE,
	  .longest = PAGE, .target = { .map = 0.6, .unmap = 0.5 } },
	{ "memfd", MIB(256), .memfd = MFD_CLOEXEC, .shortest = PAGE },
	{ "hugetlb memfd", GIB(1), .memfd = MFD_CLOEXEC | MFD_HUGETLB, .shortest = THP,
	  .target = { .file = 0.1 } },
};

static bool is_available(size_t length)
{
	return meminfo_kb("MemAvailable") > (long)(length + MIB(64)) / 1024;
}

static bool alloc_file(const struct memory_kind *kind, struct memory *memory)
{
	memory->fd = must(memfd_create("bench", kind->memfd));
	must(ftruncate(memory->fd, kind->length));
	memory->va = mmap(NULL, kind->length, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, memory->fd, 0);
	if (memory->va != MAP_FAILED)
		return true;
	close(memory->fd);
	return false;
}

bool kind_alloc(const struct memory_kind *kind, struct memory *memory)
{
	*memory = (struct memory){ .length = kind->length, .fd = -1 };
	/* Huge pages of hugetlb are set aside, and there or not. */
	if (!(kind->memfd & MFD_HUGETLB) && !is_available(kind->length))
		return false;
	if (kind->memfd)
		return alloc_file(kind, memory);
	memory->va = kind->alloc(kind->length);
	return true;
}

const char *kind_lacks(const struct memory_kind *kind)
{
	return kind->memfd & MFD_HUGETLB ? "huge pages can be set aside by sysctl vm.nr_hugepages" :
					   "there is not that much memory";
}

void kind_free(struct memory *memory)
{
	munmap(memory->va, memory->length);
	if (memory->fd >= 0)
		close(memory->fd);
}

bool kind_fits(const struct memory_kind *kind, size_t pieces)
{
	return pieces <= kind->length / kind->shortest &&
	       (!kind->longest || pieces >= kind->length / kind->longest * 98 / 100);
}
