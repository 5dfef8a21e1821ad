/* SPDX-License-Identifier: GPL-2.0 */
/* The commands of the mock IOMMU, one function each. See util.h for __op() and op(). */
#ifndef IOMMU_TEST_MOCK_H
#define IOMMU_TEST_MOCK_H

#include "../../../../../drivers/iommu/iommufd/mock/iommufd_test.h"
#include "util.h"

#define MOCK_PAGE KIB(2)
/* Where mappings for a mock device can begin */
#define MOCK_IOVA MIB(16)

/* A device that is bound and attached. */
struct mock_device {
	__u32 stdev;	/* destroying this unplugs it */
	__u32 idev;	/* the device as other commands name it */
	__u32 hwpt;	/* what it was attached to */
};

/* An iommufd in a kernel with the mock IOMMU; the calling test is skipped without. */
int mock_open(void);

int __mock_device(int fd, __u32 pt, __u32 flags, struct mock_device *dev);
struct mock_device mock_device(int fd, __u32 pt);
/* In the group of @peer, the number of a stdev. */
int __mock_device_in_group(int fd, __u32 pt, __u32 flags, __u32 peer,
			   struct mock_device *dev);
/* Can its writes be recorded? Kernels without CONFIG_IOMMUFD_DRIVER have nothing for that. */
bool mock_can_track(int fd, __u32 idev);
int __mock_replace(int fd, __u32 stdev, __u32 *pt);
/* The same for a PASID. */
int __mock_pasid_attach(int fd, __u32 stdev, __u32 pasid, __u32 pt);
int __mock_pasid_replace(int fd, __u32 stdev, __u32 pasid, __u32 pt);
int __mock_pasid_detach(int fd, __u32 stdev, __u32 pasid);
/* Does the device use this page table for the PASID? 0: none? */
int __mock_pasid_check(int fd, __u32 stdev, __u32 pasid, __u32 hwpt);
/* How often any PASID lost its page table and got no other at once, since boot */
unsigned long mock_pasids_blocked(void);
int __mock_reserve(int fd, __u32 ioas, __u64 start, __u64 length);
int __mock_memory_limit(int fd, __u32 limit);

/* From now on the page at @iova can be mapped @after more times, then once not. */
void mock_fail_map(__u64 iova, int after);

/* A nested page table, of which all entries of the IOTLB are IOMMU_TEST_IOTLB_DEFAULT. */
int __mock_nested(int fd, __u32 dev, __u32 parent, __u32 *id);
/* The same with a fault queue. */
int __mock_nested_fault(int fd, __u32 dev, __u32 parent, __u32 fault, __u32 *id);

/* Does the page table lead to this memory? */
int __mock_check_map(int fd, __u32 hwpt, const void *va, __u64 length, __u64 iova);
/* Is every page of this memory pinned exactly so often? */
int __mock_check_refs(int fd, const void *va, __u64 length, __u32 pins);
int __mock_check_iotlb(int fd, __u32 hwpt, __u32 entry, __u32 value);
/* What a device keeps of its guest's page tables; vIOMMUs can invalidate it. */
int __mock_check_cache(int fd, __u32 idev, __u32 entry, __u32 value);

/* Have an event for the guest that the device is attached through. */
int __mock_event(int fd, __u32 idev);
int __mock_dirty(int fd, __u32 hwpt, __u64 iova, __u64 length, __u64 page_size,
		 const void *bitmap, __u64 *marked);
int __mock_fault(int fd, __u32 idev, __u32 pasid, __u32 grpid, __u64 addr);
/* A page request that is not the last of its group; __mock_fault() is. */
int __mock_partial_fault(int fd, __u32 idev, __u32 pasid, __u32 grpid, __u64 addr);

/* Groups of page requests of all mock devices since boot, and how they were answered */
struct mock_page_faults {
	unsigned long raised, success, invalid, failure;
};

struct mock_page_faults mock_page_faults(void);

/* The result is the access, a file descriptor. */
int __mock_access(int fd, __u32 ioas, __u32 flags);
int __mock_access_replace(int fd, int access, __u32 ioas);
/* The result is the item. @va, unless NULL, is the memory that must be found there. */
int __mock_pin(int fd, int access, __u32 flags, __u64 iova, __u64 length, const void *va);
int __mock_unpin(int fd, int access, __u32 item);
int __mock_rw(int fd, int access, __u32 flags, __u64 iova, void *data, __u64 length);

#endif
