// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to map and unmap 256 MiB for a device, by VFIO's type1 container and by
 * iommufd, in one boot.
 *
 * Meant for a virtual machine with one processor whose clock counts instructions (QEMU's
 * -icount shift=0): a nanosecond is an instruction then, and the figures repeat. On
 * anything else they are nanoseconds and as good as the machine is quiet.
 *
 * Three kinds of memory make the difference: huge pages, small pages as the kernel hands
 * them out, and small pages of which no two follow each other. Each is mapped and
 * unmapped a few times in turn by both, and the best of each counts. The status is 0 if
 * the ratios are what the project promises.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "type1.h"
#include "vfio.h"

#define LENGTH MIB(256)
#define IOVA GIB(4)
#define ROUNDS 3

struct cost {
	uint64_t map, unmap;
};

/* Something that maps the memory of a test */
struct subject {
	int (*open)(struct subject *subject, const char *bdf);
	int (*map)(struct subject *subject, const void *va);
	long (*unmap)(struct subject *subject);
	void (*close)(struct subject *subject);
	struct type1 type1;
	struct vdev dev;
	int iommufd;
	__u32 ioas;
};

static int type1_setup(struct subject *subject, const char *bdf)
{
	return __type1_open(&subject->type1, __pci_group(bdf));
}

static int type1_map(struct subject *subject, const void *va)
{
	return __type1_map(&subject->type1, va, LENGTH, IOVA);
}

static long type1_unmap(struct subject *subject)
{
	return __type1_unmap(&subject->type1, IOVA, LENGTH);
}

static void type1_teardown(struct subject *subject)
{
	type1_close(&subject->type1);
}

static int iommufd_setup(struct subject *subject, const char *bdf)
{
	subject->iommufd = iommufd_open();
	subject->ioas = ioas_alloc(subject->iommufd);
	vdev_start(&subject->dev, bdf, subject->iommufd);
	vdev_attach(&subject->dev, subject->ioas);
	return 0;
}

static int iommufd_map(struct subject *subject, const void *va)
{
	return __ioas_map_at(subject->iommufd, subject->ioas, va, LENGTH, IOVA);
}

static long iommufd_unmap(struct subject *subject)
{
	return __ioas_unmap(subject->iommufd, subject->ioas, IOVA, LENGTH);
}

static void iommufd_teardown(struct subject *subject)
{
	vdev_close(&subject->dev);
	close(subject->iommufd);
}

static struct subject subjects[] = {
	{ type1_setup, type1_map, type1_unmap, type1_teardown, .dev.fd = -1 },
	{ iommufd_setup, iommufd_map, iommufd_unmap, iommufd_teardown, .dev.fd = -1 },
};

static struct cost measure_once(struct subject *subject, const char *bdf, const void *va)
{
	struct cost cost;
	uint64_t start;

	must(subject->open(subject, bdf));
	start = now_ns();
	must(subject->map(subject, va));
	cost.map = now_ns() - start;
	start = now_ns();
	if (must(subject->unmap(subject)) != (long)LENGTH)
		fatal("not everything was unmapped");
	cost.unmap = now_ns() - start;
	subject->close(subject);
	return cost;
}

static struct cost best(struct cost a, struct cost b)
{
	return (struct cost){
		.map = a.map < b.map ? a.map : b.map,
		.unmap = a.unmap < b.unmap ? a.unmap : b.unmap,
	};
}

/* cost[0]: type1, cost[1]: iommufd */
static void measure(const char *bdf, const void *va, struct cost cost[2])
{
	int round, i;

	for (i = 0; i < 2; i++)
		cost[i] = (struct cost){ UINT64_MAX, UINT64_MAX };
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < 2; i++)
			cost[i] = best(cost[i], measure_once(&subjects[i], bdf, va));
}

static bool line(const char *what, uint64_t type1, uint64_t ours, double target)
{
	double ratio = (double)ours / type1;
	bool held = !target || ratio <= target;

	printf("  %-22s %10.2f M %10.2f M %8.3fx", what, type1 / 1e6, ours / 1e6, ratio);
	if (target)
		printf("   <= %.2fx   %s", target, held ? "held" : "MISSED");
	printf("\n");
	return held;
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
	void *(*alloc)(size_t length);
	/* The most it may cost in type1's costs; 0: no promise */
	double map, unmap;
	/* Pieces it has to be in for the figures to mean something */
	size_t min_runs, max_runs;
} kinds[] = {
	{ "huge pages", thp, 0.35, 0.02, 1, LENGTH / THP },
	{ "4 KiB pages", small, 0, 0.5, 1, LENGTH / PAGE },
	{ "4 KiB, scattered", alloc_scattered, 0.6, 0.5, LENGTH / PAGE * 98 / 100, LENGTH / PAGE },
};

static bool run_kind(const struct memory_kind *kind, const char *bdf)
{
	void *va = kind->alloc(LENGTH);
	size_t runs = count_runs(va, LENGTH);
	struct cost cost[2];
	bool held;

	if (runs < kind->min_runs || runs > kind->max_runs)
		fatal("%s: the memory is in %zu pieces", kind->name, runs);
	measure(bdf, va, cost);
	printf("%s, %zu contiguous pieces\n", kind->name, runs);
	held = line("map", cost[0].map, cost[1].map, kind->map);
	held &= line("unmap", cost[0].unmap, cost[1].unmap, kind->unmap);
	munmap(va, LENGTH);
	return held;
}

int main(void)
{
	struct pci_list list;
	bool held = true;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	pci_find(ID_EDU, &list);
	if (!list.n)
		fatal("no edu device");
	pci_bind(list.bdf[0], "vfio-pci");

	printf("256 MiB for one device, in millions of instructions (with -icount shift=0)\n");
	printf("  %-22s %12s %12s %9s\n", "", "type1", "iommufd", "ratio");
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		held &= run_kind(&kinds[i], list.bdf[0]);
	printf("%s\n", held ? "All targets held." : "A target was missed.");
	return held ? 0 : 1;
}
