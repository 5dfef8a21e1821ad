// SPDX-License-Identifier: GPL-2.0
/* Dirty tracking. Needs a device whose IOMMU has it. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	__u64 iova = map_anywhere(iommufd, ioas_id, alloc_memory(1 * MIB), 1 * MIB);
	__u64 bitmap[1 * MIB / 4096 / 64] = { 0 };
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc),
		.flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
		.dev_id = dev_id,
		.pt_id = ioas_id,
	};
	struct iommu_hwpt_set_dirty_tracking on = {
		.size = sizeof(on),
		.flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	};
	struct iommu_hwpt_get_dirty_bitmap get = {
		.size = sizeof(get),
		.iova = iova,
		.length = 1 * MIB,
		.page_size = 4096,
		.data = (__u64)(uintptr_t)bitmap,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &alloc) && errno == EOPNOTSUPP)
		skip("no dirty tracking here");
	check(alloc.out_hwpt_id, "IOMMU_HWPT_ALLOC");

	on.hwpt_id = alloc.out_hwpt_id;
	get.hwpt_id = alloc.out_hwpt_id;
	check(!ioctl(iommufd, IOMMU_HWPT_SET_DIRTY_TRACKING, &on), "start");
	check(!ioctl(iommufd, IOMMU_HWPT_GET_DIRTY_BITMAP, &get), "read and clear");
	check(!bitmap[0], "nothing is attached, so nothing is dirty");
	close(device);
	return 0;
}
