// SPDX-License-Identifier: GPL-2.0
/* A queue that the IOMMU reads in the guest's memory. Needs a Tegra241 or the like. */
#include <sys/mman.h>

#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	struct iommu_viommu_tegra241_cmdqv regs = { 0 };
	/* The queue is in one page, and so contiguous. */
	__u64 iova = map_anywhere(iommufd, ioas_id, alloc_memory(1 * MIB), 1 * MIB);
	struct iommu_hw_queue_alloc queue = {
		.size = sizeof(queue),
		.viommu_id = alloc_viommu(iommufd, dev_id, ioas_id,
					  IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV, &regs,
					  sizeof(regs)),
		.type = IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV,
		.nesting_parent_iova = iova,
		.length = 4096,
	};
	void *page;

	check(!ioctl(iommufd, IOMMU_HW_QUEUE_ALLOC, &queue), "HW queue");
	/* The registers with which the guest says that there is something in the queue */
	page = mmap(NULL, regs.out_vintf_mmap_length, PROT_READ | PROT_WRITE, MAP_SHARED,
		    iommufd, regs.out_vintf_mmap_offset);
	check(page != MAP_FAILED, "mmap");
	munmap(page, regs.out_vintf_mmap_length);
	close(device);
	return 0;
}
