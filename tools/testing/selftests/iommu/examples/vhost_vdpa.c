// SPDX-License-Identifier: GPL-2.0
/* VHOST_VDPA_IOMMUFD_ATTACH and _DETACH. Needs a vhost-vdpa device. */
#include <linux/vhost.h>
#include <linux/vhost_iommufd.h>

#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	int device = open_first("VHOST_VDPA", "/dev/vhost-vdpa-*", "no device is on vhost_vdpa");
	__u32 ioas_id = alloc_ioas(iommufd);
	struct vhost_vdpa_iommufd_attach attach = {
		.argsz = sizeof(attach),
		.iommufd = iommufd,
		.asid = 0,
		.pt_id = ioas_id,
	};
	struct vhost_vdpa_iommufd_detach detach = { .argsz = sizeof(detach), .asid = 0 };
	__u64 iova = map_anywhere(iommufd, ioas_id, alloc_memory(MIB), MIB);

	/* Before the device is started. */
	check(!ioctl(device, VHOST_SET_OWNER), "VHOST_SET_OWNER");
	check(!ioctl(device, VHOST_VDPA_IOMMUFD_ATTACH, &attach), "VHOST_VDPA_IOMMUFD_ATTACH");
	printf("device %u reaches IOVA %#llx\n", attach.out_dev_id, (unsigned long long)iova);

	/* Here virtqueues are set up and the device runs, with addresses of the IOAS. */

	/* Its DMA is blocked now. Closing the file ends the binding. */
	check(!ioctl(device, VHOST_VDPA_IOMMUFD_DETACH, &detach), "VHOST_VDPA_IOMMUFD_DETACH");
	close(device);
	return 0;
}
