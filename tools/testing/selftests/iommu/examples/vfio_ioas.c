// SPDX-License-Identifier: GPL-2.0
/* IOMMU_VFIO_IOAS, and a command of a VFIO container. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_vfio_ioas select = {
		.size = sizeof(select),
		.ioas_id = alloc_ioas(iommufd),
		.op = IOMMU_VFIO_IOAS_SET,
	};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (__u64)(uintptr_t)alloc_memory(1 * MIB),
		.iova = 0,
		.size = 1 * MIB,
	};

	/* From here on the file answers as a container does, on that IOAS. */
	check(!ioctl(iommufd, IOMMU_VFIO_IOAS, &select), "IOMMU_VFIO_IOAS");
	check(ioctl(iommufd, VFIO_GET_API_VERSION) == VFIO_API_VERSION, "API version");
	check(ioctl(iommufd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) == 1, "type1 v2");
	check(!ioctl(iommufd, VFIO_IOMMU_MAP_DMA, &map), "VFIO_IOMMU_MAP_DMA");
	return 0;
}
