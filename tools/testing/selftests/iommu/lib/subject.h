/* SPDX-License-Identifier: GPL-2.0 */
/* What maps memory for a device: VFIO's type1 container, and iommufd in two ways. */
#ifndef IOMMU_TEST_SUBJECT_H
#define IOMMU_TEST_SUBJECT_H

#include "type1.h"
#include "vfio.h"

#define SUBJECT_IOVA GIB(4)

struct memory {
	void *va;
	size_t length;
	/* The memory is this file; -1 when it has no file */
	int fd;
};

struct subject {
	int (*open)(struct subject *subject, const char *bdf);
	int (*map)(struct subject *subject, const struct memory *memory);
	long (*unmap)(struct subject *subject, const struct memory *memory);
	void (*close)(struct subject *subject);
	/* State of type1 */
	struct type1 type1;
	int device;
	/* State of iommufd */
	struct vdev dev;
	int iommufd;
	__u32 ioas;
};

extern struct subject subject_type1;
extern struct subject subject_iommufd;
/* IOMMU_IOAS_MAP_FILE */
extern struct subject subject_file;

#endif
