/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_VFIO_COMPAT_H
#define __IOMMUFD_VFIO_COMPAT_H

#include "internal.h"

int iommufd_vfio_ioas(struct iommufd_cmd *cmd);
long iommufd_vfio_compat_ioctl(struct iommufd_ctx *ictx, unsigned int nr,
			       unsigned long arg);
void iommufd_vfio_compat_forget(struct iommufd_ioas *ioas);

#endif
