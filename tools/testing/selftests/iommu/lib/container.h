/* SPDX-License-Identifier: GPL-2.0 */
/* A VFIO container that one device is in: VFIO's own, or an iommufd in its place. */
#ifndef IOMMU_TEST_CONTAINER_H
#define IOMMU_TEST_CONTAINER_H

#include <linux/vfio.h>

#include "pci.h"

struct container {
	int fd;
	int group;
	int device;
};

/*
 * The device must be on vfio-pci and open nowhere. @path is "/dev/vfio/vfio" or
 * "/dev/iommu", @type VFIO_TYPE1_IOMMU or VFIO_TYPE1v2_IOMMU.
 */
int __container_open(struct container *c, const char *path, const char *bdf, int type);
/* Put another device into the container of @with. Both have to be closed. */
int __container_join(struct container *c, const struct container *with, const char *bdf);
void container_close(struct container *c);

/* Is "/dev/vfio/vfio" VFIO's own, with type1, and not another name of /dev/iommu? */
bool container_has_type1(void);

int __container_map(struct container *c, const void *va, __u64 length, __u64 iova);
/* The result of a success is the number of bytes unmapped. */
long __container_unmap(struct container *c, __u32 flags, __u64 iova, __u64 length);

/* A bitmap of the dirty pages of a range; a field that is 0 gets what is right. */
struct dirty_request {
	__u64 iova;
	__u64 length;
	__u64 page_size;
	__u64 bytes;
	__u32 argsz;
	void *bitmap;
};

int __dirty_log(struct container *c, __u32 flags);
int __dirty_get(struct container *c, struct dirty_request request);
/* The result of a success is the number of bytes unmapped. */
long __dirty_unmap(struct container *c, __u32 flags, struct dirty_request request);

#endif
