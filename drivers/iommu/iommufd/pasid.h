/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PASIDs of devices. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_PASID_H
#define __IOMMUFD_PASID_H

#include <linux/iommu.h>

#include "internal.h"

struct seq_file;

int iommufd_pasid_use_hwpt(struct iommufd_device *idev, ioasid_t nr,
			   struct iommufd_hwpt *hwpt, bool replace,
			   struct iommufd_dropped *dropped);
void iommufd_pasid_detach(struct iommufd_device *idev, ioasid_t nr);
void iommufd_pasid_detach_all(struct iommufd_device *idev);
void iommufd_pasid_show(struct iommufd_device *idev, struct seq_file *m);

#endif
