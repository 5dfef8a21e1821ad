/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address space of a vDPA device that translates by itself, kept equal to an IOAS.
 */
#ifndef _VHOST_VDPA_MIRROR_H
#define _VHOST_VDPA_MIRROR_H

#include <linux/types.h>

struct iommufd_ctx;
struct vdpa_device;
struct vhost_vdpa_mirror;

struct vhost_vdpa_mirror *vhost_vdpa_mirror_create(struct vdpa_device *vdpa, u32 asid,
						   struct iommufd_ctx *ictx, u32 ioas_id);
void vhost_vdpa_mirror_destroy(struct vhost_vdpa_mirror *mirror);
int vhost_vdpa_mirror_switch(struct vhost_vdpa_mirror *old, struct vhost_vdpa_mirror *new);
int vhost_vdpa_mirror_stop(struct vhost_vdpa_mirror *mirror);
u32 vhost_vdpa_mirror_id(const struct vhost_vdpa_mirror *mirror);
u32 vhost_vdpa_mirror_ioas(const struct vhost_vdpa_mirror *mirror);
int vhost_vdpa_mirror_block(struct vdpa_device *vdpa, u32 asid);

#endif
