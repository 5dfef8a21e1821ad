// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_MAP and IOMMU_IOAS_UNMAP. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = alloc_ioas(iommufd),
		.user_va = (__u64)(uintptr_t)alloc_memory(4 * MIB),
		.length = 4 * MIB,
		.iova = 16 * MIB,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = map.ioas_id,
		.iova = 16 * MIB,
		.length = 2 * MIB,
	};

	check(!ioctl(iommufd, IOMMU_IOAS_MAP, &map), "IOMMU_IOAS_MAP");

	/* A mapping goes as a whole: half of it is refused, and nothing happens. */
	check(ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap) && errno == ENOENT, "half an unmap");

	/* A larger range is fine. What was mapped in it comes back. */
	unmap.iova = 0;
	unmap.length = 64 * MIB;
	check(!ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap), "IOMMU_IOAS_UNMAP");
	check(unmap.length == 4 * MIB, "bytes unmapped");
	return 0;
}
