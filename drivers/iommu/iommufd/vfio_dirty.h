/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dirty pages of a VFIO container.
 */
#ifndef __IOMMUFD_VFIO_DIRTY_H
#define __IOMMUFD_VFIO_DIRTY_H

#include <linux/vfio.h>

#include "dirty_log.h"
#include "internal.h"

/* Bytes of the largest bitmap that is accepted */
#define IOMMUFD_VFIO_DIRTY_BYTES \
	(ALIGN(IOMMUFD_DIRTY_LOG_PAGES, BITS_PER_TYPE(u64)) / BITS_PER_BYTE)

long iommufd_vfio_dirty_pages(struct iommufd_ioas *ioas, void __user *uptr);
int iommufd_vfio_dirty_unmap(struct iommufd_ioas *ioas,
			     const struct vfio_iommu_type1_dma_unmap *unmap,
			     const void __user *data, unsigned long *unmapped);

#endif
