// SPDX-License-Identifier: GPL-2.0
/* IOMMU_OPTION. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_HUGE_PAGES,
		.op = IOMMU_OPTION_OP_GET,
		.object_id = alloc_ioas(iommufd),
	};

	check(!ioctl(iommufd, IOMMU_OPTION, &option), "IOMMU_OPTION");
	check(option.val64 == 1, "large page table entries are on at first");

	option.op = IOMMU_OPTION_OP_SET;
	option.val64 = 0;
	check(!ioctl(iommufd, IOMMU_OPTION, &option), "IOMMU_OPTION");
	return 0;
}
