/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a vDPA device that translates by itself is told about a mapping of an IOAS.
 */
#ifndef _VHOST_VDPA_PIECES_H
#define _VHOST_VDPA_PIECES_H

#include <linux/types.h>

struct iommufd_access;
struct vhost_iotlb;

int vhost_vdpa_pieces_add(struct vhost_iotlb *iotlb, struct iommufd_access *access,
			  unsigned long iova, unsigned long length, int prot, bool files);
void vhost_vdpa_pieces_del(struct vhost_iotlb *iotlb, u64 start, u64 last);

#endif
