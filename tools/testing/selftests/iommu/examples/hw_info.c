// SPDX-License-Identifier: GPL-2.0
/* IOMMU_GET_HW_INFO. Needs a device. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_hw_info_vtd vtd;
	struct iommu_hw_info info = {
		.size = sizeof(info),
		.data_len = sizeof(vtd),
		.data_uptr = (__u64)(uintptr_t)&vtd,
	};
	int device = bind_device(iommufd, &info.dev_id);

	check(!ioctl(iommufd, IOMMU_GET_HW_INFO, &info), "IOMMU_GET_HW_INFO");
	if (info.out_data_type == IOMMU_HW_INFO_TYPE_INTEL_VTD)
		printf("VT-d, cap %#llx, ecap %#llx\n", (unsigned long long)vtd.cap_reg,
		       (unsigned long long)vtd.ecap_reg);
	else
		printf("an IOMMU of type %u\n", info.out_data_type);
	close(device);
	return 0;
}
