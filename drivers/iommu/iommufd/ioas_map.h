/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_IOAS_MAP_H
#define __IOMMUFD_IOAS_MAP_H

#include <uapi/linux/iommufd.h>

#include "internal.h"

struct iommufd_place;

#define IOMMUFD_IOAS_MAP_FLAGS                                     \
	(IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_WRITEABLE |    \
	 IOMMU_IOAS_MAP_READABLE)

int iommufd_ioas_map_user(struct iommufd_ioas *ioas, struct iommufd_place *place, int prot);

int iommufd_ioas_map(struct iommufd_cmd *cmd);
int iommufd_ioas_map_file(struct iommufd_cmd *cmd);
int iommufd_ioas_copy(struct iommufd_cmd *cmd);
int iommufd_ioas_unmap(struct iommufd_cmd *cmd);

#endif
