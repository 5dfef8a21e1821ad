// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl probe": what a VMM does with a device, step by step with the time of each:
 * bind, an IOAS, attach, map, unmap, detach. The device is told to do nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "iommuctl.h"
#include "memory.h"
#include "probe.h"
#include "progress.h"
#include "report.h"

#define DEFAULT_SIZE (256ULL << 20)
#define IOVA (4ULL << 30)

static int open_iommu(struct probe *probe)
{
	probe->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return probe->iommu < 0 ? -errno : 0;
}

static int open_device(struct probe *probe)
{
	probe->fd = open(probe->dev->cdev, O_RDWR | O_CLOEXEC);
	return probe->fd < 0 ? -errno : 0;
}

static int bind_device(struct probe *probe)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = probe->iommu,
	};

	if (ioctl(probe->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	probe->dev_id = bind.out_devid;
	return 0;
}

static int alloc_ioas(struct probe *probe)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(probe->iommu, IOMMU_IOAS_ALLOC, &alloc))
		return -errno;
	probe->ioas_id = alloc.out_ioas_id;
	return 0;
}

static int attach_device(struct probe *probe)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = probe->ioas_id,
	};

	return ioctl(probe->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno : 0;
}

/*
 * The pages are made before the clock runs: a VMM's guest has touched them, or it will. What
 * cannot succeed is not tried, lest the machine be short of memory for it.
 */
static int get_memory(struct probe *probe)
{
	if (probe->size > memlock_limit() || probe->size > memory_available())
		return -ENOMEM;
	probe->memory = mmap(NULL, probe->size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (probe->memory == MAP_FAILED)
		return -errno;
	madvise(probe->memory, probe->size, MADV_HUGEPAGE);
	return madvise(probe->memory, probe->size, MADV_POPULATE_WRITE) ? -errno : 0;
}

static int map_memory(struct probe *probe)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = probe->ioas_id,
		.user_va = (unsigned long)probe->memory,
		.length = probe->size,
		.iova = IOVA,
	};

	return ioctl(probe->iommu, IOMMU_IOAS_MAP, &map) ? -errno : 0;
}

static int unmap_memory(struct probe *probe)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = probe->ioas_id,
		.iova = IOVA,
		.length = probe->size,
	};

	return ioctl(probe->iommu, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

static int detach_device(struct probe *probe)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return ioctl(probe->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) ? -errno : 0;
}

static int close_device(struct probe *probe)
{
	int fd = probe->fd;

	probe->fd = -1;
	return close(fd) ? -errno : 0;
}

static const struct step {
	enum probe_step step;
	const char *text;
	int (*run)(struct probe *probe);
} steps[] = {
	{ PROBE_OPEN_IOMMU, "open /dev/iommu", open_iommu },
	{ PROBE_OPEN_DEVICE, "open device", open_device },
	{ PROBE_BIND, "bind", bind_device },
	{ PROBE_OTHER, "allocate IOAS", alloc_ioas },
	{ PROBE_ATTACH, "attach", attach_device },
	{ PROBE_MEMORY, "get memory", get_memory },
	{ PROBE_MAP, "map", map_memory },
	{ PROBE_OTHER, "unmap", unmap_memory },
	{ PROBE_OTHER, "detach", detach_device },
	{ PROBE_OTHER, "close device", close_device },
};

static long long nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Each line comes out when its step is done: mapping a large guest takes a while. */
static int run_step(struct probe *probe, const struct step *step)
{
	struct json_object *object = append_object(add_array(report_root(), "steps"));
	long long start = nanoseconds(), took;
	int ret;

	progress_begin("at the step \"%s\"", step->text);
	ret = step->run(probe);
	progress_end();
	took = nanoseconds() - start;
	add_string(object, "step", step->text);
	add_number(object, "ns", took);
	add_number(object, "errno", -ret);
	if (ret)
		return probe_explain(probe, step->step, step->text, -ret);
	say("  %-16s %10.3f ms", step->text, took / 1e6);
	return EXIT_FINE;
}

static int probe_device(struct probe *probe)
{
	int code = EXIT_FINE;
	size_t i;

	say("%s, group %d, %s, %llu MiB", probe->dev->name, probe->dev->group,
	    probe->dev->cdev, probe->size >> 20);
	add_string(report_root(), "device", probe->dev->name);
	add_number(report_root(), "bytes", probe->size);
	for (i = 0; i < ARRAY_SIZE(steps) && !code; i++)
		code = run_step(probe, &steps[i]);
	/* What a failed step left behind goes with the process. */
	return code;
}

static int find_device(struct probe *probe, const char *text)
{
	char name[NAME_LEN];

	if (!full_address(text, name))
		set_name(name, text);
	probe->dev = device_find(&probe->devices, name);
	if (!probe->dev)
		return complain(EXIT_NO_DEVICE, "there is no device %s", name);
	if (probe->dev->cdev[0])
		return EXIT_FINE;
	if (!file_exists("/dev/iommu"))
		return probe_explain(probe, PROBE_OPEN_IOMMU, "", ENOENT);
	complain(EXIT_NO, "%s has no file in /dev/vfio/devices; it is on %s", name,
		 probe->dev->driver[0] ? probe->dev->driver : "no driver");
	if (strstr(probe->dev->driver, "vfio"))
		mend("VFIO is not the one that came with iommufd: see 'iommuctl check'");
	else
		mend("iommuctl bind %s", name);
	return EXIT_NO;
}

int probe_command(const struct options *options)
{
	unsigned long long mask = sysconf(_SC_PAGESIZE) - 1;
	struct probe probe = {
		.size = ((options->size ? options->size : DEFAULT_SIZE) + mask) & ~mask,
	};
	int ret, code;

	ret = devices_load(&probe.devices);
	if (ret)
		code = complain(EXIT_TROUBLE, "cannot read sysfs: %s", strerror(-ret));
	else
		code = find_device(&probe, options->args[0]);
	if (!code)
		code = probe_device(&probe);
	devices_free(&probe.devices);
	return code;
}
