/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In-kernel users of an IOAS. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include "internal.h"

unsigned long iommufd_access_alignment(struct iommufd_ioas *ioas);
void iommufd_access_notify(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length);

#endif
