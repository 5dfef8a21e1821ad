// SPDX-License-Identifier: GPL-2.0
/*
 * A walk through /dev/iommu on real (emulated) devices, a line for each thing that should
 * be so and is. The status is 0 only if all of it was.
 *
 * Needs two e1000e functions in one group and an edu device; everything else is found.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "observe.h"
#include "pair.h"

#define IOVA 0x100000

static int failures;

static void heading(const char *text)
{
	printf("\n%s\n", text);
}

__attribute__((format(printf, 2, 3)))
static bool step(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("  %-7s ", ok ? "ok" : "FAILED");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	failures += !ok;
	return ok;
}

/* Something seen, to go with the line before */
__attribute__((format(printf, 1, 2)))
static void shown(const char *fmt, ...)
{
	va_list args;

	printf("          ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* Show what the kernel logged, without level, number and time. */
static void show_log(struct klog *log)
{
	const char *text = strchr(log->line, ';');

	shown("the kernel says: %s", text ? text + 1 : log->line);
}

static const char *result(int ret)
{
	return ret ? errno_name(-ret) : "success";
}

static void list_groups(void)
{
	int group, misses = 0;

	heading("1. Devices, in the groups that the IOMMU can tell apart");
	for (group = 0; misses < 8; group++) {
		struct pci_list list;
		unsigned int i;

		pci_group_members(group, &list);
		misses = list.n ? 0 : misses + 1;
		for (i = 0; i < list.n; i++) {
			char path[64], id[16], driver[32];

			snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor",
				 list.bdf[i]);
			__read_text(path, id, sizeof(id));
			pci_driver(list.bdf[i], driver, sizeof(driver));
			shown("group %2d: %s, vendor %s, driver %s", group, list.bdf[i], id,
			      driver[0] ? driver : "none");
		}
	}
}

static void refused_group(const struct pair *pair, int iommufd)
{
	struct klog log;
	struct vdev dev;
	int ret;

	heading("2. A group is given away only as a whole");
	pci_bind(pair->f0, pair->driver);
	pci_bind(pair->f1, "vfio-pci");
	klog_open(&log);
	must(__vdev_open(&dev, pair->f1));
	ret = __vdev_bind(&dev, iommufd);
	step(ret == -EPERM, "bind %s while its neighbour %s is on %s: %s", pair->f1, pair->f0,
	     pair->driver, result(ret));
	if (step(klog_wait(&log, 2000, pair->f0, pair->driver), "the reason is logged"))
		show_log(&log);

	pci_bind(pair->f0, "vfio-pci");
	ret = __vdev_bind(&dev, iommufd);
	step(!ret, "bind %s after moving %s to vfio-pci: %s, it is device %u of the context",
	     pair->f1, pair->f0, result(ret), dev.id);
	vdev_close(&dev);
	klog_close(&log);
}

/* A page that the 28 address bits of the device could reach if nothing translated. */
static char *low_page(void)
{
	char *memory = alloc_pages(MIB(64));
	size_t at;

	for (at = 0; at < MIB(64); at += PAGE)
		if (phys_of(memory + at) < EDU_LIMIT)
			return memory + at;
	return memory;
}

static bool filled(const char *page, char byte)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		if (page[i] != byte)
			return false;
	return true;
}

static bool expect_fault(struct klog *log, const char *bdf, const char *what)
{
	bool fault = klog_wait_fault(log, 2000, bdf);

	faults_expected(false);
	step(fault, "%s", what);
	if (fault)
		show_log(log);
	return fault;
}

static void blocked(struct vdev *edu, int iommufd)
{
	char *page = low_page();
	uint64_t phys = phys_of(page);
	struct klog log;

	heading("3. From bind on the device can not do any DMA");
	vdev_start(edu, edu->bdf, iommufd);
	step(true, "bind %s (edu, a device with a DMA engine): success", edu->bdf);
	memset(page, 0x77, PAGE);
	klog_open(&log);
	faults_expected(true);
	edu_start_write(edu, phys, EDU_BUFFER);
	edu_wait(edu);
	expect_fault(&log, edu->bdf, "let it write 4096 bytes to physical memory: IOMMU fault");
	step(filled(page, 0x77), "the page at physical address 0x%llx is unchanged",
	     (unsigned long long)phys);
	klog_close(&log);
}

static void fill_pattern(unsigned char *page, unsigned int seed)
{
	size_t i;

	for (i = 0; i < PAGE; i++)
		page[i] = (seed = seed * 1103515245 + 12345) >> 16;
}

static void moves_bytes(struct vdev *edu, int iommufd, __u32 ioas, unsigned char *memory)
{
	__u32 pt = ioas;
	int ret;

	heading("4. Attached to an I/O address space it reaches what is mapped there");
	ret = __vdev_attach(edu, &pt);
	step(!ret, "attach to I/O address space %u: %s, by page table %u", ioas, result(ret),
	     pt);
	ret = __ioas_map_at(iommufd, ioas, memory, 2 * PAGE, IOVA);
	step(!ret, "map 8 KiB of this process at I/O address 0x%x: %s", IOVA, result(ret));

	fill_pattern(memory, 1);
	memset(memory + PAGE, 0, PAGE);
	edu_copy(edu, IOVA, IOVA + PAGE, PAGE);
	step(!memcmp(memory, memory + PAGE, PAGE),
	     "the device reads one page and writes it to the other: 4096 bytes are equal");
}

/*
 * The device starts to move bytes 100 ms after it was told to, so each replace falls into
 * a transfer. The driver of the IOMMU in Linux 6.12 has a moment without any page table
 * during its switch, in which DMA would fault; a replace at the beginning of the 100 ms
 * is done with it in time.
 */
static void replaced(struct vdev *edu, int iommufd, __u32 first, __u32 second,
		     unsigned char *memory)
{
	int i, ret, errors = 0, wrong = 0;
	long faults = fault_count();
	__u64 iova = IOVA;

	heading("5. Replaced by another address space while it works");
	ret = __ioas_copy(iommufd, MAP_FIXED_RW, second, first, 2 * PAGE, &iova, IOVA);
	step(!ret, "copy the mapping into I/O address space %u, which pins nothing anew: %s",
	     second, result(ret));
	for (i = 0; i < 5; i++) {
		__u32 to = second, back = first;

		fill_pattern(memory, i);
		memset(memory + PAGE, 0, PAGE);
		edu_start_read(edu, IOVA, PAGE);
		errors += !!__vdev_attach(edu, &to);
		edu_start_write(edu, IOVA + PAGE, PAGE);
		errors += !!__vdev_attach(edu, &back);
		edu_wait(edu);
		wrong += !!memcmp(memory, memory + PAGE, PAGE);
	}
	vdev_attach(edu, second);
	step(!errors, "replace 10 times, always with a transfer under way: %d failures", errors);
	step(!wrong, "the device went on: 5 pages read and written, %d of them wrong", wrong);
	step(fault_count() == faults, "IOMMU faults meanwhile: %ld", fault_count() - faults);
}

static void unmapped(struct vdev *edu, int iommufd, __u32 ioas, unsigned char *memory)
{
	struct klog log;
	long ret;

	heading("6. What is unmapped is out of reach at once");
	memset(memory + PAGE, 0x77, PAGE);
	klog_open(&log);
	ret = __ioas_unmap(iommufd, ioas, IOVA, 2 * PAGE);
	step(ret == 2 * PAGE, "unmap: %ld bytes", ret);
	faults_expected(true);
	edu_copy(edu, IOVA, IOVA + PAGE, PAGE);
	expect_fault(&log, edu->bdf, "the same copy again: IOMMU fault");
	step(filled((char *)memory + PAGE, 0x77), "memory is unchanged");
	klog_close(&log);
}

static void second_context(const struct pair *pair, struct vdev *f0, int iommufd)
{
	int other = iommufd_open();
	struct vdev f1;
	int ret;

	heading("7. A group belongs to one context");
	vdev_start(f0, pair->f0, iommufd);
	must(__vdev_open(&f1, pair->f1));
	ret = __vdev_bind(&f1, other);
	step(ret == -EPERM, "another open of /dev/iommu binds %s, whose neighbour is ours: %s",
	     pair->f1, result(ret));
	ret = __vdev_bind(&f1, iommufd);
	step(!ret, "our own binds it: %s", result(ret));
	vdev_close(&f1);
	close(other);
}

static void returned(const struct pair *pair, struct vdev *edu, struct vdev *f0, int iommufd,
		     long pins_before)
{
	unsigned char *memory = alloc_pages(MIB(8));
	__u32 ioas = ioas_alloc(iommufd);
	int ret;

	heading("8. Everything comes back when the files are closed");
	vdev_attach(edu, ioas);
	vdev_attach(f0, ioas);
	ioas_map_at(iommufd, ioas, memory, MIB(8), IOVA);
	step(pinned_pages() - pins_before >= 2048 && proc_status_kb(getpid(), "VmPin") >= 8192,
	     "8 MiB mapped for two devices are pinned and charged once: %ld pages, VmPin %ld kB",
	     pinned_pages() - pins_before, proc_status_kb(getpid(), "VmPin"));
	vdev_close(edu);
	vdev_close(f0);
	close(iommufd);
	pinned_pages_settle(pins_before);
	step(pinned_pages() == pins_before, "pages still pinned: %ld",
	     pinned_pages() - pins_before);
	step(!proc_status_kb(getpid(), "VmPin"), "charged to this process: %ld kB",
	     proc_status_kb(getpid(), "VmPin"));
	ret = __pci_bind(pair->f0, pair->driver);
	if (!ret)
		ret = __pci_bind(pair->f1, pair->driver);
	step(!ret, "the card goes back to %s: %s", pair->driver, result(ret));
}

int main(void)
{
	unsigned char *memory = alloc_pages(2 * PAGE);
	long pins = pinned_pages();
	struct vdev edu = { .fd = -1 }, f0 = { .fd = -1 };
	struct pci_list list;
	__u32 first, second;
	struct pair pair;
	int iommufd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	pci_find(ID_EDU, &list);
	if (!list.n || !pair_find(&pair, ID_E1000E)) {
		printf("This needs an edu device and two e1000e functions in one group.\n");
		return 2;
	}
	memcpy(edu.bdf, list.bdf[0], BDF_LEN);

	list_groups();
	iommufd = iommufd_open();
	refused_group(&pair, iommufd);
	pci_bind(edu.bdf, "vfio-pci");
	blocked(&edu, iommufd);
	first = ioas_alloc(iommufd);
	second = ioas_alloc(iommufd);
	moves_bytes(&edu, iommufd, first, memory);
	replaced(&edu, iommufd, first, second, memory);
	unmapped(&edu, iommufd, second, memory);
	second_context(&pair, &f0, iommufd);
	returned(&pair, &edu, &f0, iommufd, pins);

	printf("\n%s\n", failures ? "Not everything held." : "All of it held.");
	return failures ? 1 : 0;
}
