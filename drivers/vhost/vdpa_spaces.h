/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The address spaces of a vDPA device that translates by itself.
 */
#ifndef _VHOST_VDPA_SPACES_H
#define _VHOST_VDPA_SPACES_H

#include <linux/types.h>

struct vhost_vdpa_iommufd;
struct vhost_vdpa_iommufd_attach;

int vhost_vdpa_spaces_bind(struct vhost_vdpa_iommufd *vi);
void vhost_vdpa_spaces_unbind(struct vhost_vdpa_iommufd *vi);
void vhost_vdpa_spaces_restore(struct vhost_vdpa_iommufd *vi);
int vhost_vdpa_spaces_attach(struct vhost_vdpa_iommufd *vi,
			     struct vhost_vdpa_iommufd_attach *cmd);
int vhost_vdpa_spaces_detach(struct vhost_vdpa_iommufd *vi, u32 asid);

#endif
