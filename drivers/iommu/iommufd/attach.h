/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups and their page table. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_ATTACH_H
#define __IOMMUFD_ATTACH_H

#include "internal.h"

int iommufd_attach_group(struct iommufd_device *idev, struct iommufd_hwpt *hwpt,
			 bool replace, struct iommufd_dropped *dropped);

#endif
