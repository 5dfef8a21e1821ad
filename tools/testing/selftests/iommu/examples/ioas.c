// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_ALLOC and IOMMU_DESTROY. */
#include "example.h"

int main(void)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	int iommufd = open_iommu();

	check(!ioctl(iommufd, IOMMU_IOAS_ALLOC, &alloc), "IOMMU_IOAS_ALLOC");

	destroy.id = alloc.out_ioas_id;
	check(!ioctl(iommufd, IOMMU_DESTROY, &destroy), "IOMMU_DESTROY");

	/* The id is gone. */
	check(ioctl(iommufd, IOMMU_DESTROY, &destroy) && errno == ENOENT, "second destroy");
	return 0;
}
