/* SPDX-License-Identifier: GPL-2.0 */
/*
 * QEMU's "edu" device: a DMA engine that copies between memory and a buffer of 4 KiB
 * inside of the device, addressing 28 bits. A transfer starts 100 ms after the command.
 */
#ifndef IOMMU_TEST_EDU_H
#define IOMMU_TEST_EDU_H

#include "vfio.h"

#define EDU_BUFFER KIB(4)
/* First address the device can not reach */
#define EDU_LIMIT (1ULL << 28)

/* Start a transfer of @length bytes and return at once. */
void edu_start_read(struct vdev *dev, __u64 iova, unsigned int length);
void edu_start_write(struct vdev *dev, __u64 iova, unsigned int length);
/* Wait until the engine is idle, whether or not the IOMMU let the transfer pass. */
void edu_wait(struct vdev *dev);

/* Read at @src, write to @dst. */
void edu_copy(struct vdev *dev, __u64 src, __u64 dst, unsigned int length);

#endif
