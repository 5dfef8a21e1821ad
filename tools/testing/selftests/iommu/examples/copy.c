// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_COPY. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 from = alloc_ioas(iommufd), to = alloc_ioas(iommufd);
	__u64 iova = map_anywhere(iommufd, from, alloc_memory(4 * MIB), 4 * MIB);
	struct iommu_ioas_copy copy = {
		.size = sizeof(copy),
		.flags = IOMMU_IOAS_MAP_READABLE,
		.dst_ioas_id = to,
		.src_ioas_id = from,
		.src_iova = iova + 1 * MIB,
		.length = 2 * MIB,
	};
	struct iommu_ioas_unmap all = {
		.size = sizeof(all),
		.ioas_id = from,
		.length = ~0ULL,
	};

	/* The middle of it, for reading only, where the kernel likes. */
	check(!ioctl(iommufd, IOMMU_IOAS_COPY, &copy), "IOMMU_IOAS_COPY");

	/* The copy does not depend on the original. */
	check(!ioctl(iommufd, IOMMU_IOAS_UNMAP, &all), "IOMMU_IOAS_UNMAP");
	check(all.length == 4 * MIB, "bytes unmapped in the source");
	all.ioas_id = to;
	all.length = ~0ULL;
	check(!ioctl(iommufd, IOMMU_IOAS_UNMAP, &all), "IOMMU_IOAS_UNMAP");
	check(all.length == 2 * MIB, "bytes unmapped in the destination");
	return 0;
}
