/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vDEVICEs. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_VDEVICE_H
#define __IOMMUFD_VDEVICE_H

#include "internal.h"

int iommufd_vdevice_alloc(struct iommufd_cmd *cmd);
void iommufd_vdevice_unbind(struct iommufd_device *idev);

#endif
