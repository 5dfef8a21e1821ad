/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VDUSE: vDPA devices that a program plays. Here a disk of 1 MiB, played by a child
 * process, that does as it is told also when that is wrong.
 */
#ifndef IOMMU_TEST_VDUSE_H
#define IOMMU_TEST_VDUSE_H

#include "process.h"

/* How the disk takes it that its IOTLB has changed */
enum vduse_manners {
	/* Lets go of all files, and says so: the way it should be */
	VDUSE_HONEST = 'h',
	/* Says that it failed */
	VDUSE_REFUSING = 'r',
	/* Says that it let go, and keeps what it has */
	VDUSE_KEEPING = 'k',
};

/* The device, which is the process's to play. Gives the file of /dev/vduse/NAME. */
int __vduse_create(const char *name, void *config, size_t size);
int __vduse_destroy(const char *name);

/* Begin to play a disk. __vdpa_add("vduse", name) makes a vDPA device of it. */
void vduse_disk_start(struct child *disk, const char *name);
/* From now on, it behaves like that. */
void vduse_disk_set(struct child *disk, enum vduse_manners manners);
/* End, regularly, once the vDPA device is gone. */
void vduse_disk_end(struct child *disk, const char *name);

#endif
