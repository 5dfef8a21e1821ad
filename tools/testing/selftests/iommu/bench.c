// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to map memory for a device, and what can be done with it then, by VFIO's
 * type1 container and by iommufd, in one boot.
 *
 *   bench [--json] [--size SIZE] [--instructions] [BDF]
 *
 *   BDF             address of a PCI device that is on vfio-pci. Without it, QEMU's "edu"
 *                   device, which is bound to vfio-pci first
 *   --size SIZE     of the memory, such as 64M or 16G; otherwise 256 MiB, of hugetlb 1 GiB
 *   --json          a last line with the same figures in JSON
 *   --instructions  the clock counts instructions, as in a virtual machine with one
 *                   processor and QEMU's -icount shift=0. Then the figures repeat, and the
 *                   status is 0 only if the ratios are what the project promises
 *
 * Otherwise the figures are times, as good as the machine is quiet. Everything but the exit
 * of a process is done a few times, and the best of each counts. What type1 has no
 * counterpart of is compared with iommufd's own map of the same memory.
 *
 * The device does no DMA: it is opened, by which vfio-pci resets it, and given page tables.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/figures.h"
#include "bench/measure.h"
#include "iommufd.h"

#define ROUNDS 3

struct arguments {
	bool json, instructions;
	size_t size;
	bdf_t bdf;
};

struct all_costs {
	struct cost type1, ours, file;
	struct own_cost own;
};

static __attribute__((noreturn)) void give_up(const char *what, const char *mend)
{
	fprintf(stderr, "bench: %s\n  mend: %s\n", what, mend);
	exit(2);
}

static void measure_mapped(const char *bdf, const struct memory *memory, struct all_costs *costs)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		measure_map(&subject_type1, bdf, memory, &costs->type1);
		measure_map(&subject_iommufd, bdf, memory, &costs->ours);
		measure_own(bdf, memory, &costs->own);
		if (memory->fd >= 0)
			measure_map(&subject_file, bdf, memory, &costs->file);
	}
}

static void add_figures(const struct memory_kind *kind, const struct all_costs *costs)
{
	const struct cost *type1 = &costs->type1, *ours = &costs->ours, *file = &costs->file;
	const struct own_cost *own = &costs->own;

	figures_add("map", "of type1", type1->map, ours->map, kind->target.map);
	figures_add("unmap", "of type1", type1->unmap, ours->unmap, kind->target.unmap);
	figures_add("close while mapped", "of type1", type1->close, ours->close, 0);
	figures_add("exit while mapped", "of type1", type1->exit, ours->exit, 0);
	if (file->map) {
		figures_add("map the file", "of map", ours->map, file->map, kind->target.file);
		figures_add("unmap the file", "of unmap", ours->unmap, file->unmap, 0);
	}
	figures_add("attach", "of map", ours->map, own->attach, 0);
	figures_add("second page table", "of map", ours->map, own->second,
		    kind->target.second);
	figures_add("replace", "of map", ours->map, own->replace, 0);
	if (ours->bookkeeping >= 0)
		figures_add_bytes("bookkeeping", "of type1", type1->bookkeeping,
				  ours->bookkeeping);
}

/* Returns why it could not be measured, or NULL. */
static const char *run_kind(const struct memory_kind *kind, const char *bdf)
{
	struct all_costs costs = {};
	struct memory memory;
	size_t pieces;

	if (!kind_alloc(kind, &memory))
		return kind_lacks(kind);
	pieces = count_runs(memory.va, memory.length);
	if (!kind_fits(kind, pieces)) {
		kind_free(&memory);
		return "the kernel's memory is not in such pieces";
	}
	measure_mapped(bdf, &memory, &costs);
	kind_free(&memory);
	measure_process(&subject_type1, bdf, kind, &costs.type1);
	measure_process(&subject_iommufd, bdf, kind, &costs.ours);
	figures_about((struct figures_subject){ kind->name, kind->length, pieces });
	add_figures(kind, &costs);
	return NULL;
}

static void run_all(const struct arguments *args)
{
	unsigned int i;

	for (i = 0; i < NKINDS; i++) {
		const char *why;

		if (args->size)
			kinds[i].length = args->size;
		why = run_kind(&kinds[i], args->bdf);
		if (why && args->instructions)
			fatal("%s: %s", kinds[i].name, why);
		if (why)
			printf("%s: left out, %s\n", kinds[i].name, why);
	}
}

static size_t to_size(const char *text)
{
	char *end;
	size_t size = strtoul(text, &end, 10);

	if (*end == 'G')
		size = GIB(size);
	else if (*end == 'M')
		size = MIB(size);
	else
		size = 0;
	if (!size || end[1] || size % THP)
		give_up("--size is not understood", "say 64M or 16G, an even number of MiB");
	return size;
}

static void parse(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "size", required_argument, NULL, 's' },
		{ "instructions", no_argument, NULL, 'i' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'j':
			args->json = true;
			break;
		case 's':
			args->size = to_size(optarg);
			break;
		case 'i':
			args->instructions = true;
			break;
		default:
			optind = argc + 1;
		}
	}
	if (optind < argc - 1 || optind > argc)
		give_up("wrong arguments", "bench [--json] [--size SIZE] [--instructions] [BDF]");
	if (optind < argc)
		snprintf(args->bdf, sizeof(args->bdf), "%s%s",
			 strchr(argv[optind], ':') == strrchr(argv[optind], ':') ? "0000:" : "",
			 argv[optind]);
}

static void get_edu(char *bdf)
{
	struct pci_list list;

	pci_find(ID_EDU, &list);
	if (!list.n)
		give_up("there is no edu device here",
			"name a device that is on vfio-pci, such as 0000:01:00.0");
	pci_bind(list.bdf[0], "vfio-pci");
	strcpy(bdf, list.bdf[0]);
}

/* Everything that is likely to be wrong on a machine that nobody has prepared. */
static void check_device(const char *bdf)
{
	char driver[64];
	struct vdev dev;
	struct type1 type1;
	int iommufd;

	pci_driver(bdf, driver, sizeof(driver));
	if (strcmp(driver, "vfio-pci"))
		give_up("the device is not on vfio-pci", "iommuctl bind, with its address");
	if (geteuid())
		give_up("this needs root", "run it by sudo");
	if (access("/dev/iommu", F_OK))
		give_up("there is no /dev/iommu", "iommuctl check tells what is missing");
	iommufd = iommufd_open();
	if (__vdev_open(&dev, bdf) || __vdev_bind(&dev, iommufd))
		give_up("the device can not be had",
			"iommuctl list and iommuctl status tell who is in the way");
	vdev_close(&dev);
	close(iommufd);
	if (__type1_open(&type1, __pci_group(bdf)))
		give_up("VFIO's type1 container can not be had", "modprobe vfio_iommu_type1");
	type1_close(&type1);
}

int main(int argc, char **argv)
{
	struct arguments args = {};
	bool held;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv, &args);
	if (!*args.bdf)
		get_edu(args.bdf);
	check_device(args.bdf);
	figures_begin(args.instructions);
	run_all(&args);
	held = figures_held();
	if (args.json)
		figures_print_json();
	return held ? 0 : 1;
}
