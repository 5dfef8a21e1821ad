/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest's IOMMU is made of, on the mock IOMMU. See util.h for __op() and op(). */
#ifndef IOMMU_TEST_VIOMMU_H
#define IOMMU_TEST_VIOMMU_H

#include <linux/iommufd.h>

#include "mock.h"

/* A vIOMMU with all it needs: a mock device, and a nest parent on @ioas for it. */
struct mock_guest {
	struct mock_device dev;
	__u32 parent;
	__u32 viommu;
};

struct mock_guest mock_guest(int fd, __u32 ioas);

int __viommu_alloc(int fd, __u32 dev, __u32 parent, void *data, __u32 length, __u32 *id);
/* One that can do nothing but be there. */
int __viommu_alloc_bare(int fd, __u32 dev, __u32 parent, __u32 *id);
__u32 viommu_alloc(int fd, __u32 dev, __u32 parent);
int __vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id, __u32 *id);
__u32 vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id);
/* The result is the file. */
int __veventq_alloc(int fd, __u32 viommu, __u32 type, __u32 depth, __u32 *id);
int __hw_queue_alloc(int fd, __u32 viommu, __u32 index, __u64 iova, __u64 length, __u32 *id);
/* @base is a nest parent or a vIOMMU. */
int __nested_alloc(int fd, __u32 dev, __u32 base, __u32 flags, __u32 fault, __u32 *id);
/* @done is set to how many of @n requests were carried out, also after an error. */
int __invalidate(int fd, __u32 id, __u32 type, const void *reqs, __u32 length, __u32 n,
		 __u32 *done);

#endif
