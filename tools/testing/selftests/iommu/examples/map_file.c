// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_MAP_FILE. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = alloc_ioas(iommufd),
		.start = 1 * MIB,
		.length = 2 * MIB,
	};
	int memfd = memfd_create("guest", MFD_CLOEXEC);

	check(memfd >= 0 && !ftruncate(memfd, 4 * MIB), "memfd");
	map.fd = memfd;
	check(!ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map), "IOMMU_IOAS_MAP_FILE");

	/* The mapping keeps the file. */
	close(memfd);
	printf("file is at IOVA %#llx\n", (unsigned long long)map.iova);

	/* Beyond the end of the file there is nothing to map. */
	map.fd = memfd_create("small", MFD_CLOEXEC);
	check(ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map) && errno == EINVAL, "empty file");
	return 0;
}
