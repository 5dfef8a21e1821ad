/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vDPA devices: made and removed by generic netlink, as the "vdpa" tool does, and opened
 * through vhost-vdpa. See util.h for __op() and op().
 */
#ifndef IOMMU_TEST_VDPA_H
#define IOMMU_TEST_VDPA_H

#include <linux/vhost.h>
#include <linux/vhost_iommufd.h>

#include "util.h"

/* Missing in the headers of Debian 12 */
#ifndef VHOST_VDPA_RESUME
#define VHOST_VDPA_RESUME _IO(VHOST_VIRTIO, 0x7e)
#endif

/* Make device @name of a parent: "vdpasim_blk" with @bus NULL, or an address with "pci". */
int __vdpa_add(const char *bus, const char *parent, const char *name);
/*
 * Make a disk, a simulated one with @bdf NULL. Else it is a virtio card behind the IOMMU, and
 * @bdf becomes its address. What had that name is removed. Fails where there is none to use.
 */
int __vdpa_add_disk(const char *name, char *bdf);
/* Remove it. Waits until its file is closed. */
int __vdpa_del(const char *name);
/* Open the vhost-vdpa file of a device. Gives the file descriptor. */
int __vdpa_open(const char *name);
/* The same and become the owner. */
int vdpa_open(const char *name);

/* *@pt becomes what it is attached to. The result of a success is the id of the device. */
int __vdpa_attach(int fd, int iommufd, __u32 asid, __u32 *pt);
/* Attach to an IOAS or die. */
void vdpa_attach(int fd, int iommufd, __u32 asid, __u32 pt);
int __vdpa_detach(int fd, __u32 asid);

/* IOTLB messages, vhost's own way to map. */
int __vdpa_message(int fd, __u32 asid, __u8 type, const void *va, __u64 length, __u64 iova);
int __vdpa_legacy_map(int fd, __u32 asid, const void *va, __u64 length, __u64 iova);

#endif
