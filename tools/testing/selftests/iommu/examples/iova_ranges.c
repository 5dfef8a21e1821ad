// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_IOVA_RANGES. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_ioas_iova_ranges query = {
		.size = sizeof(query),
		.ioas_id = alloc_ioas(iommufd),
	};
	struct iommu_iova_range *ranges;
	__u32 i;

	/* Ask how many there are, then for the ranges. */
	check(ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &query) && errno == EMSGSIZE,
	      "query of the number");
	ranges = calloc(query.num_iovas, sizeof(*ranges));
	query.allowed_iovas = (__u64)(uintptr_t)ranges;
	check(!ioctl(iommufd, IOMMU_IOAS_IOVA_RANGES, &query), "IOMMU_IOAS_IOVA_RANGES");

	for (i = 0; i < query.num_iovas; i++)
		printf("%#llx-%#llx\n", (unsigned long long)ranges[i].start,
		       (unsigned long long)ranges[i].last);
	printf("mappings are multiples of %llu bytes\n",
	       (unsigned long long)query.out_iova_alignment);
	free(ranges);
	return 0;
}
