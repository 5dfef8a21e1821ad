// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_ALLOW_IOVAS. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd);
	struct iommu_iova_range below_4g = { .start = 1 * MIB, .last = 0xffffffff };
	struct iommu_ioas_allow_iovas allow = {
		.size = sizeof(allow),
		.ioas_id = ioas_id,
		.num_iovas = 1,
		.allowed_iovas = (__u64)(uintptr_t)&below_4g,
	};
	__u64 iova;

	/* For a device that can not address more than 32 bits. */
	check(!ioctl(iommufd, IOMMU_IOAS_ALLOW_IOVAS, &allow), "IOMMU_IOAS_ALLOW_IOVAS");

	iova = map_anywhere(iommufd, ioas_id, alloc_memory(4 * MIB), 4 * MIB);
	check(iova >= below_4g.start && iova + 4 * MIB - 1 <= below_4g.last, "IOVA");
	return 0;
}
