/* SPDX-License-Identifier: GPL-2.0 */
/* VFIO's own container with the type1 IOMMU driver, which iommufd is compared with */
#ifndef IOMMU_TEST_TYPE1_H
#define IOMMU_TEST_TYPE1_H

#include "util.h"

struct type1 {
	int container;
	int group;
};

/* Needs the group's devices on vfio-pci, and none of them open elsewhere. */
int __type1_open(struct type1 *type1, int group);
void type1_close(struct type1 *type1);
int __type1_map(struct type1 *type1, const void *va, __u64 length, __u64 iova);
/* The result of a success is the number of bytes unmapped. */
long __type1_unmap(struct type1 *type1, __u64 iova, __u64 length);

#endif
