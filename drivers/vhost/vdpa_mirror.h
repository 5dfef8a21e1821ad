/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An address space of a vDPA device that translates by itself, kept equal to an IOAS.
 */
#ifndef _VHOST_VDPA_MIRROR_H
#define _VHOST_VDPA_MIRROR_H

#include <linux/types.h>
#include <linux/vdpa.h>

struct iommufd_ctx;
struct list_head;
struct vhost_vdpa_mirror;

/* A program plays the device, and maps files rather than physical memory. */
static inline bool vhost_vdpa_maps_files(const struct vdpa_device *vdpa)
{
	return vdpa->use_va && !vdpa->config->unbind_mm;
}

struct vhost_vdpa_mirror *vhost_vdpa_mirror_create(struct vdpa_device *vdpa, u32 asid,
						   struct iommufd_ctx *ictx, u32 ioas_id);
void vhost_vdpa_mirror_destroy(struct vhost_vdpa_mirror *mirror);
int vhost_vdpa_mirror_switch(struct vhost_vdpa_mirror *old, struct vhost_vdpa_mirror *new);
void vhost_vdpa_mirror_park(struct vhost_vdpa_mirror *mirror, struct list_head *parked);
void vhost_vdpa_mirror_unpark(struct list_head *parked);
int vhost_vdpa_mirror_stop(struct vhost_vdpa_mirror *mirror);
u32 vhost_vdpa_mirror_id(const struct vhost_vdpa_mirror *mirror);
u32 vhost_vdpa_mirror_ioas(const struct vhost_vdpa_mirror *mirror);
int vhost_vdpa_mirror_block(struct vdpa_device *vdpa, u32 asid);

#endif
