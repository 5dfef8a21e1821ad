// SPDX-License-Identifier: GPL-2.0
/* IOMMU_HWPT_ALLOC. Needs a device. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = ioas_id };

	check(!ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc), "IOMMU_HWPT_ALLOC");

	/* The page table uses the IOAS. */
	check(ioctl(iommufd, IOMMU_DESTROY, &destroy) && errno == EBUSY, "destroy the IOAS");

	destroy.id = alloc.out_hwpt_id;
	check(!ioctl(iommufd, IOMMU_DESTROY, &destroy), "destroy the page table");
	close(device);
	return 0;
}
