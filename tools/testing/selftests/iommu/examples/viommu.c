// SPDX-License-Identifier: GPL-2.0
/* A guest's IOMMU and a device behind it. Needs an IOMMU driver that has vIOMMUs. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	struct iommu_hwpt_alloc parent = {
		.size = sizeof(parent),
		.flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};
	struct iommu_viommu_alloc viommu = {
		.size = sizeof(viommu),
		.type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3,
		.dev_id = dev_id,
	};
	/* The guest's stream id for the device */
	struct iommu_vdevice_alloc vdevice = {
		.size = sizeof(vdevice),
		.dev_id = dev_id,
		.virt_id = 0x10,
	};
	/* A command of the guest: forget all that was cached of stream 0x10. */
	struct iommu_viommu_arm_smmuv3_invalidate command = { .cmd = { 0x10ULL << 32 | 0x3 } };
	struct iommu_hwpt_invalidate invalidate = {
		.size = sizeof(invalidate),
		.data_uptr = (__u64)(uintptr_t)&command,
		.data_type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.entry_len = sizeof(command),
		.entry_num = 1,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &parent) && errno == EOPNOTSUPP)
		skip("this IOMMU can not nest");
	viommu.hwpt_id = parent.out_hwpt_id;
	if (ioctl(iommufd, IOMMU_VIOMMU_ALLOC, &viommu) && errno == EOPNOTSUPP)
		skip("the driver of this IOMMU has no vIOMMUs");
	check(viommu.out_viommu_id, "vIOMMU");

	vdevice.viommu_id = viommu.out_viommu_id;
	check(!ioctl(iommufd, IOMMU_VDEVICE_ALLOC, &vdevice), "vDEVICE");

	/* From here on the guest's commands go through as they are. */
	invalidate.hwpt_id = viommu.out_viommu_id;
	check(!ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &invalidate), "invalidate");
	close(device);
	return 0;
}
