/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the examples of Documentation/userspace-api/iommufd.rst, and of vhost-iommufd.rst
 * beside it, share.
 *
 * An example exits with 0 when all went as it says, with 1 when not, and with 4 when
 * this machine has not got what it needs.
 */
#ifndef IOMMU_EXAMPLE_H
#define IOMMU_EXAMPLE_H

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#define SKIP 4
#define MIB (1UL << 20)

static inline void check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static inline void skip(const char *why)
{
	printf("%s\n", why);
	exit(SKIP);
}

static inline int open_iommu(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		skip("no /dev/iommu; is the module loaded?");
	check(fd >= 0, "/dev/iommu");
	return fd;
}

static inline void *alloc_memory(size_t length)
{
	void *mem = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	check(mem != MAP_FAILED, "mmap");
	return mem;
}

static inline __u32 alloc_ioas(int iommufd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	check(!ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "IOMMU_IOAS_ALLOC");
	return alloc.out_ioas_id;
}

/* Map memory for reading and writing where the kernel likes; returns the IOVA. */
static inline __u64 map_anywhere(int iommufd, __u32 ioas_id, void *mem, size_t length)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = ioas_id,
		.user_va = (__u64)(uintptr_t)mem,
		.length = length,
	};

	check(!ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");
	return map.iova;
}

/* The file that a variable of the environment names, or the first of that pattern. */
static inline int open_first(const char *variable, const char *pattern, const char *none)
{
	const char *path = getenv(variable);
	glob_t found;
	int fd;

	if (!path) {
		if (glob(pattern, 0, NULL, &found))
			skip(none);
		path = found.gl_pathv[0];
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	check(fd >= 0, path);
	return fd;
}

static inline int open_device(void)
{
	return open_first("VFIO_CDEV", "/dev/vfio/devices/vfio*",
			  "no device is bound to vfio-pci");
}

/* Open a device and make it one of the context. */
static inline int bind_device(int iommufd, __u32 *dev_id)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = iommufd,
	};
	int device = open_device();

	check(!ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind), "VFIO_DEVICE_BIND_IOMMUFD");
	*dev_id = bind.out_devid;
	return device;
}

/* For an Arm guest: a vIOMMU on a new nest parent. Does not return if there can be none. */
static inline __u32 alloc_viommu(int iommufd, __u32 dev_id, __u32 ioas_id, __u32 type,
				 void *data, __u32 length)
{
	struct iommu_hwpt_alloc parent = {
		.size = sizeof(parent),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};
	struct iommu_viommu_alloc viommu = {
		.size = sizeof(viommu),
		.type = type,
		.dev_id = dev_id,
		.data_len = length,
		.data_uptr = (__u64)(uintptr_t)data,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &parent) && errno == EOPNOTSUPP)
		skip("this IOMMU can not nest");
	viommu.hwpt_id = parent.out_hwpt_id;
	if (ioctl(iommufd, IOMMU_VIOMMU_ALLOC, &viommu) && errno == EOPNOTSUPP)
		skip("the driver of this IOMMU has no vIOMMUs");
	check(viommu.out_viommu_id, "vIOMMU");
	return viommu.out_viommu_id;
}

#endif
