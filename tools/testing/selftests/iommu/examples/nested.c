// SPDX-License-Identifier: GPL-2.0
/* A nested page table and IOMMU_HWPT_INVALIDATE. Needs VT-d with nesting. */
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
	/* The guest's table lies in its memory, which the IOAS maps. */
	struct iommu_hwpt_vtd_s1 guest = {
		.pgtbl_addr = map_anywhere(iommufd, ioas_id, alloc_memory(1 * MIB), 1 * MIB),
		.addr_width = 48,
	};
	struct iommu_hwpt_alloc nested = {
		.size = sizeof(nested),
		.dev_id = dev_id,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = sizeof(guest),
		.data_uptr = (__u64)(uintptr_t)&guest,
	};
	struct iommu_hwpt_vtd_s1_invalidate everything = { .npages = ~0ULL };
	struct iommu_hwpt_invalidate invalidate = {
		.size = sizeof(invalidate),
		.data_uptr = (__u64)(uintptr_t)&everything,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_VTD_S1,
		.entry_len = sizeof(everything),
		.entry_num = 1,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &parent) && errno == EOPNOTSUPP)
		skip("this IOMMU can not nest");
	check(parent.out_hwpt_id, "parent");

	nested.pt_id = parent.out_hwpt_id;
	check(!ioctl(iommufd, IOMMU_HWPT_ALLOC, &nested), "nested page table");

	/* After the guest has changed its table: */
	invalidate.hwpt_id = nested.out_hwpt_id;
	check(!ioctl(iommufd, IOMMU_HWPT_INVALIDATE, &invalidate), "invalidate");
	check(invalidate.entry_num == 1, "requests carried out");
	close(device);
	return 0;
}
