// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to map memory for a device, and what can be done with it then, by VFIO's
 * type1 container and by iommufd, in one boot.
 *
 *   bench [--json]    --json: a last line with the same figures in JSON
 *
 * Meant for a virtual machine with one processor whose clock counts instructions (QEMU's
 * -icount shift=0): a nanosecond is an instruction then, and the figures repeat. On
 * anything else they are nanoseconds and as good as the machine is quiet.
 *
 * The kinds of memory differ in the number of contiguous pieces, and in how the kernel
 * finds the pages. Everything is done a few times, and the best of each counts. What type1
 * has no counterpart of is compared with iommufd's own map of the same memory. The status
 * is 0 if the ratios are what the project promises.
 */
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "subject.h"

#define ROUNDS 3
#define MAX_ROWS 64

/* One figure, and what it is compared with. */
struct row {
	const char *memory, *operation, *reference;
	size_t length, pieces;
	uint64_t theirs, ours;
	/* The most that the ratio may be; 0: no promise */
	double target;
};

static struct row rows[MAX_ROWS];
static unsigned int nrows;
static char device[2][16];

static uint64_t least(uint64_t *best, uint64_t cost)
{
	if (!*best || cost < *best)
		*best = cost;
	return *best;
}

struct cost {
	uint64_t map, unmap, close;
};

/* The first time it is unmapped, the second time left to the closing of the files. */
static void measure_once(struct subject *subject, const struct memory *memory,
			 struct cost *best)
{
	uint64_t start;

	must(subject->open(subject, device[0]));
	start = now_ns();
	must(subject->map(subject, memory));
	least(&best->map, now_ns() - start);
	start = now_ns();
	if (must(subject->unmap(subject, memory)) != (long)memory->length)
		fatal("not everything was unmapped");
	least(&best->unmap, now_ns() - start);
	subject->close(subject);

	must(subject->open(subject, device[0]));
	must(subject->map(subject, memory));
	start = now_ns();
	subject->close(subject);
	least(&best->close, now_ns() - start);
}

struct own_cost {
	uint64_t attach, second, replace;
};

/* What a device costs that comes to memory that is mapped already. */
static void measure_own_once(const struct memory *memory, struct own_cost *best)
{
	struct vdev first = { .fd = -1 }, second = { .fd = -1 };
	int iommufd = iommufd_open();
	__u32 ioas = ioas_alloc(iommufd), other = ioas_alloc(iommufd), hwpt;
	__u64 iova = SUBJECT_IOVA, start;

	ioas_map_at(iommufd, ioas, memory->va, memory->length, SUBJECT_IOVA);
	must(__ioas_copy(iommufd, MAP_FIXED_RW, other, ioas, memory->length, &iova,
			 SUBJECT_IOVA));
	vdev_start(&first, device[0], iommufd);
	vdev_start(&second, device[1], iommufd);

	start = now_ns();
	vdev_attach(&first, ioas);
	least(&best->attach, now_ns() - start);

	start = now_ns();
	must(__hwpt_alloc(iommufd, second.id, ioas, 0, &hwpt));
	vdev_attach(&second, hwpt);
	least(&best->second, now_ns() - start);

	start = now_ns();
	vdev_attach(&first, other);
	least(&best->replace, now_ns() - start);

	vdev_close(&first);
	vdev_close(&second);
	close(iommufd);
}

static void *thp(size_t length)
{
	return alloc_aligned(length, true);
}

static void *small(size_t length)
{
	return alloc_aligned(length, false);
}

static const struct memory_kind {
	const char *name;
	size_t length;
	void *(*alloc)(size_t length);
	/* The memory is a memfd made so; 0: it is none */
	unsigned int memfd;
	/* Promises, see struct row */
	double map, unmap, second, file;
	/* Pieces it has to be in for the figures to mean something */
	size_t min_runs, max_runs;
} kinds[] = {
	{ "huge pages", MIB(256), thp, .map = 0.35, .unmap = 0.02, .second = 0.15,
	  .min_runs = 1, .max_runs = MIB(256) / THP },
	{ "4 KiB pages", MIB(256), small, .unmap = 0.5,
	  .min_runs = 1, .max_runs = MIB(256) / PAGE },
	{ "4 KiB pages, scattered", MIB(256), alloc_scattered, .map = 0.6, .unmap = 0.5,
	  .min_runs = MIB(256) / PAGE * 98 / 100, .max_runs = MIB(256) / PAGE },
	{ "memfd", MIB(256), .memfd = MFD_CLOEXEC,
	  .min_runs = 1, .max_runs = MIB(256) / PAGE },
	{ "hugetlb memfd", GIB(1), .memfd = MFD_CLOEXEC | MFD_HUGETLB, .file = 0.1,
	  .min_runs = 1, .max_runs = GIB(1) / THP },
};

static struct memory get_memory(const struct memory_kind *kind)
{
	struct memory memory = { .length = kind->length, .fd = -1 };

	if (kind->alloc) {
		memory.va = kind->alloc(kind->length);
		return memory;
	}
	memory.fd = must(memfd_create("bench", kind->memfd));
	must(ftruncate(memory.fd, kind->length));
	memory.va = mmap(NULL, kind->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			 memory.fd, 0);
	if (memory.va == MAP_FAILED)
		fatal("%s: no memory", kind->name);
	return memory;
}

static void put_memory(struct memory *memory)
{
	munmap(memory->va, memory->length);
	if (memory->fd >= 0)
		close(memory->fd);
}

static bool held(const struct row *row)
{
	return !row->target || row->ours <= row->target * row->theirs;
}

static void add(struct row row, const char *operation, const char *reference, uint64_t theirs,
		uint64_t ours, double target)
{
	if (nrows == MAX_ROWS)
		fatal("too many figures");
	row.operation = operation;
	row.reference = reference;
	row.theirs = theirs;
	row.ours = ours;
	row.target = target;
	rows[nrows++] = row;

	printf("  %-18s %10.2f M %10.2f M %8.3fx %-10s", operation, theirs / 1e6, ours / 1e6,
	       (double)ours / theirs, reference);
	if (target)
		printf(" <= %.2fx   %s", target, held(&row) ? "held" : "MISSED");
	printf("\n");
}

static void run_kind(const struct memory_kind *kind)
{
	struct memory memory = get_memory(kind);
	struct row row = { .memory = kind->name, .length = kind->length };
	struct cost type1 = {}, ours = {}, file = {};
	struct own_cost own = {};
	int round;

	row.pieces = count_runs(memory.va, memory.length);
	if (row.pieces < kind->min_runs || row.pieces > kind->max_runs)
		fatal("%s: the memory is in %zu pieces", kind->name, row.pieces);
	printf("%s: %zu MiB in %zu contiguous pieces\n", kind->name, kind->length / MIB(1),
	       row.pieces);
	for (round = 0; round < ROUNDS; round++) {
		measure_once(&subject_type1, &memory, &type1);
		measure_once(&subject_iommufd, &memory, &ours);
		measure_own_once(&memory, &own);
		if (memory.fd >= 0)
			measure_once(&subject_file, &memory, &file);
	}
	add(row, "map", "of type1", type1.map, ours.map, kind->map);
	add(row, "unmap", "of type1", type1.unmap, ours.unmap, kind->unmap);
	add(row, "close while mapped", "of type1", type1.close, ours.close, 0);
	if (memory.fd >= 0) {
		add(row, "map the file", "of map", ours.map, file.map, kind->file);
		add(row, "unmap the file", "of unmap", ours.unmap, file.unmap, 0);
	}
	add(row, "attach", "of map", ours.map, own.attach, 0);
	add(row, "second page table", "of map", ours.map, own.second, kind->second);
	add(row, "replace", "of map", ours.map, own.replace, 0);
	put_memory(&memory);
}

static void print_json(void)
{
	unsigned int i;

	printf("[");
	for (i = 0; i < nrows; i++) {
		const struct row *row = &rows[i];

		printf("%s{\"memory\":\"%s\",\"bytes\":%zu,\"pieces\":%zu,\"operation\":\"%s\",",
		       i ? "," : "", row->memory, row->length, row->pieces, row->operation);
		printf("\"reference\":\"%s\",\"reference_cost\":%llu,\"cost\":%llu,",
		       row->reference, (unsigned long long)row->theirs,
		       (unsigned long long)row->ours);
		printf("\"ratio\":%.4f,\"target\":%.2f,\"held\":%s}",
		       (double)row->ours / row->theirs, row->target, held(row) ? "true" : "false");
	}
	printf("]\n");
}

/* Two devices of two groups, each alone in its own. */
static void get_devices(void)
{
	static const unsigned int ids[] = { ID_EDU, ID_IGB };
	struct pci_list list;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		pci_find(ids[i], &list);
		if (!list.n)
			fatal("no device %#x", ids[i]);
		pci_bind(list.bdf[0], "vfio-pci");
		snprintf(device[i], sizeof(device[i]), "%s", list.bdf[0]);
	}
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && !strcmp(argv[1], "--json"), all_held = true;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	get_devices();
	printf("In millions of instructions (with -icount shift=0)\n");
	printf("  %-18s %12s %12s %9s\n", "", "reference", "iommufd", "ratio");
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		run_kind(&kinds[i]);
	for (i = 0; i < nrows; i++)
		all_held &= held(&rows[i]);
	printf("%s\n", all_held ? "All targets held." : "A target was missed.");
	if (json)
		print_json();
	return all_held ? 0 : 1;
}
