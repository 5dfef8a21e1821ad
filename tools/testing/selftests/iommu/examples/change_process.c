// SPDX-License-Identifier: GPL-2.0
/* IOMMU_IOAS_CHANGE_PROCESS. */
#include <sys/wait.h>

#include "example.h"

int main(void)
{
	int iommufd = open_iommu(), memfd = memfd_create("guest", 0), status;
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = alloc_ioas(iommufd),
		.length = 2 * MIB,
	};
	struct iommu_ioas_change_process heir = { .size = sizeof(heir) };

	check(memfd >= 0 && !ftruncate(memfd, 2 * MIB), "memfd");
	map.fd = memfd;
	check(!ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map), "IOMMU_IOAS_MAP_FILE");

	/* The new process has got the iommufd, here by fork, and pays from now on. */
	if (!fork())
		_exit(ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &heir) ? 1 : 0);
	check(wait(&status) > 0 && !status, "IOMMU_IOAS_CHANGE_PROCESS");
	printf("another process pays for IOVA %#llx\n", (unsigned long long)map.iova);
	return 0;
}
