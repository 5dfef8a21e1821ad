/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio driver in a few lines: split virtqueues of a vhost-vdpa device, one request at
 * a time, and the requests of a block device.
 */
#ifndef IOMMU_TEST_VQUEUE_H
#define IOMMU_TEST_VQUEUE_H

#include <linux/virtio_ring.h>

#include "util.h"

#define VQ_SIZE 16
#define SECTOR 512

/* A queue, whose rings and headers are in one page that the device knows as @iova. */
struct vqueue {
	int fd, kick, call;
	unsigned int index;
	char *page;
	__u64 iova;
	struct vring ring;
	__u16 used;
};

/* Part of a request. The device writes to it if @in. */
struct vpart {
	__u64 iova;
	__u32 length;
	bool in;
};

/* Negotiate: what every device has, and @features of those that it offers. */
void virtio_begin(int fd, __u64 features);
/* Between the two: the queues. */
void vqueue_setup(struct vqueue *vq, int fd, unsigned int index, void *page, __u64 iova);
void virtio_start(int fd);
/* All of that for a disk with its one queue. */
void blk_begin(struct vqueue *vq, int fd, void *page, __u64 iova);
void virtio_reset(int fd);
void vqueue_free(struct vqueue *vq);

/* Offer one request and wake the device up. */
void vqueue_submit(struct vqueue *vq, const struct vpart *parts, unsigned int n);
/* Wait until the device is done with a request: 0 or -ETIMEDOUT. */
int __vqueue_wait(struct vqueue *vq, unsigned int ms);

/* Ask a disk for data, for __vqueue_wait() to wait for. */
void blk_start_read(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length);
/* Read or write a disk. 0; -EIO: it says that it failed; -ETIMEDOUT: it says nothing. */
int __blk_read(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length);
int __blk_write(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length);
/*
 * Write a page of @byte to a disk and read it back to the page behind it. The disk knows
 * the two pages at @data as @iova. 0; -EBADMSG: something else was read; -EIO; -ETIMEDOUT.
 */
int __blk_works(struct vqueue *vq, char *data, __u64 iova, char byte);

#endif
