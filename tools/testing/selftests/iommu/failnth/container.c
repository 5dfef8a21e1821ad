// SPDX-License-Identifier: GPL-2.0
/* The commands of a VFIO container, and a change of the process that pays. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "process.h"
#include "world.h"

static int call(struct world *w, unsigned long cmd, void *arg)
{
	return ioctl(w->fd, cmd, arg) ? -errno : 0;
}

/* Preparations */

static void with_container(struct world *w)
{
	vfio_ioas(w->fd, w->ioas);
}

/* It can be chosen only while nothing is mapped. */
static void with_first_version(struct world *w)
{
	with_container(w);
	must(__ioas_unmap_all(w->fd, w->ioas));
	must(ioctl(w->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
	ioas_map_at(w->fd, w->ioas, w->va, w->length, MOCK_IOVA);
}

static int start_log(struct world *w)
{
	struct vfio_iommu_type1_dirty_bitmap cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START,
	};

	return call(w, VFIO_IOMMU_DIRTY_PAGES, &cmd);
}

/* To be written by the kernel. */
static char bitmap[KIB(1)];

/* That memory has to be there: whoever can not write to it says EFAULT, for whatever reason. */
static void with_log(struct world *w)
{
	memset(bitmap, 0, sizeof(bitmap));
	with_container(w);
	must(start_log(w));
}

/* Another process has mapped the file. */
static int map_as_other(int sock, void *arg)
{
	const struct world *w = arg;
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = MAP_FIXED_RW,
		.ioas_id = w->ioas,
		.fd = memory_file,
		.length = memory[SMALL].length,
		.iova = MOCK_IOVA,
	};

	(void)sock;
	return __iommufd_ioctl(w->fd, IOMMU_IOAS_MAP_FILE, &cmd) ? 1 : 0;
}

static void with_file_of_another(struct world *w)
{
	struct child child;

	child_start(&child, map_as_other, w);
	if (child_wait(&child))
		fatal("the other process could not map");
}

/* Commands */

static int set_iommu(struct world *w)
{
	return ioctl(w->fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ? -errno : 0;
}

static int map(struct world *w)
{
	struct vfio_iommu_type1_dma_map cmd = {
		.argsz = sizeof(cmd),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)w->va,
		.iova = MOCK_IOVA,
		.size = w->length,
	};

	return call(w, VFIO_IOMMU_MAP_DMA, &cmd);
}

static int unmap(struct world *w)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = MOCK_IOVA,
		.size = w->length,
	};

	return call(w, VFIO_IOMMU_UNMAP_DMA, &cmd);
}

/* This cuts a mapping, and takes memory. */
static int unmap_half(struct world *w)
{
	struct vfio_iommu_type1_dma_unmap cmd = {
		.argsz = sizeof(cmd),
		.iova = MOCK_IOVA + w->length / 2,
		.size = w->length / 2,
	};

	return call(w, VFIO_IOMMU_UNMAP_DMA, &cmd);
}

static int unmap_bitmap(struct world *w)
{
	struct {
		struct vfio_iommu_type1_dma_unmap cmd;
		struct vfio_bitmap bitmap;
	} arg = {
		.cmd = {
			.argsz = sizeof(arg),
			.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
			.iova = MOCK_IOVA,
			.size = w->length,
		},
		.bitmap = {
			.pgsize = PAGE,
			.size = sizeof(bitmap),
			.data = (void *)bitmap,
		},
	};

	return call(w, VFIO_IOMMU_UNMAP_DMA, &arg);
}

static int read_log(struct world *w)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap cmd;
		struct vfio_iommu_type1_dirty_bitmap_get range;
	} arg = {
		.cmd = {
			.argsz = sizeof(arg),
			.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		},
		.range = {
			.iova = MOCK_IOVA,
			.size = w->length,
			.bitmap = {
				.pgsize = PAGE,
				.size = sizeof(bitmap),
				.data = (void *)bitmap,
			},
		},
	};

	return call(w, VFIO_IOMMU_DIRTY_PAGES, &arg);
}

static int info(struct world *w)
{
	char buffer[512] = "";
	struct vfio_iommu_type1_info *cmd = (void *)buffer;

	cmd->argsz = sizeof(buffer);
	return call(w, VFIO_IOMMU_GET_INFO, cmd);
}

static int change_process(struct world *w)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	return __iommufd_ioctl(w->fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

const struct command container_commands[] = {
	{ "container's version", .tables = 1, .prepare = with_container, .run = set_iommu },
	{ "container's information", .tables = 1, .prepare = with_container, .run = info },
	{ "container's map", SCATTERED, .tables = 1, .prepare = with_container, .run = map },
	{ "container's unmap", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_container, .run = unmap, .takes_away = true },
	{ "container's unmap of a part", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_first_version, .run = unmap_half },
	{ "container's dirty log", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_container, .run = start_log },
	{ "container's dirty bitmap", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_log, .run = read_log },
	{ "container's unmap with bitmap", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_log, .run = unmap_bitmap },
	{ "change process", .tables = 1, .prepare = with_file_of_another,
	  .run = change_process },
};

const unsigned int ncontainer_commands = ARRAY_LEN(container_commands);
