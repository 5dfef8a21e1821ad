/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls of /dev/iommu, one function each. See util.h for __op() and op(). */
#ifndef IOMMU_TEST_IOMMUFD_H
#define IOMMU_TEST_IOMMUFD_H

#include <linux/iommufd.h>

#include "util.h"

#define MAP_R IOMMU_IOAS_MAP_READABLE
#define MAP_W IOMMU_IOAS_MAP_WRITEABLE
#define MAP_RW (MAP_R | MAP_W)
#define MAP_FIXED_RW (MAP_RW | IOMMU_IOAS_MAP_FIXED_IOVA)

#define MAX_RANGES 32

struct ranges {
	unsigned int n;
	__u64 alignment;
	struct iommu_iova_range range[MAX_RANGES];
};

int iommufd_open(void);
int __iommufd_ioctl(int fd, unsigned long cmd, void *arg);

int __ioas_alloc(int fd, __u32 *id);
__u32 ioas_alloc(int fd);
int __destroy(int fd, __u32 id);

int __ioas_map(int fd, __u32 ioas, __u32 flags, const void *va, __u64 length, __u64 *iova);
/* Readable and writeable where the kernel likes. */
__u64 ioas_map(int fd, __u32 ioas, const void *va, __u64 length);
/* Readable and writeable at @iova. */
void ioas_map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova);
int __ioas_map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova);

/* Of a file, from @start on, at @iova. @flags are MAP_R and the like. */
int __ioas_map_file_at(int fd, __u32 ioas, __u32 flags, int file, __u64 start, __u64 length,
		       __u64 iova);

/* The result of a success is the number of bytes unmapped. */
long __ioas_unmap(int fd, __u32 ioas, __u64 iova, __u64 length);
long __ioas_unmap_all(int fd, __u32 ioas);

int __ioas_copy(int fd, __u32 flags, __u32 dst, __u32 src, __u64 length, __u64 *dst_iova,
		__u64 src_iova);
int __ioas_ranges(int fd, __u32 ioas, struct ranges *out);
int __ioas_allow(int fd, __u32 ioas, unsigned int n, const struct iommu_iova_range *range);

int __option_set(int fd, __u32 option, __u32 object, __u64 value);
/* The result of a success is the value. */
long __option_get(int fd, __u32 option, __u32 object);

/* The IOAS of the container commands. @op is IOMMU_VFIO_IOAS_SET and the like. */
int __vfio_ioas(int fd, __u16 op, __u32 *ioas);
/* Choose it. */
void vfio_ioas(int fd, __u32 ioas);

int __hwpt_alloc(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 *id);
/* The result of a success is the file of the queue. */
int __fault_alloc(int fd, __u32 *id);
int __hw_info(int fd, __u32 dev, void *data, __u32 length, struct iommu_hw_info *out);

bool ranges_equal(const struct ranges *a, const struct ranges *b);
/* Is every address of [@start, @last] in one of the ranges? */
bool ranges_contain(const struct ranges *r, __u64 start, __u64 last);

#endif
