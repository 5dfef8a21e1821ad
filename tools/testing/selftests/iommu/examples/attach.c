// SPDX-License-Identifier: GPL-2.0
/* Bind a device, attach it to an IOAS, replace, detach. Needs a device. */
#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = ioas_id,
	};
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	/* Mapped before or after: the device sees it once it is attached. */
	map_anywhere(iommufd, ioas_id, alloc_memory(4 * MIB), 4 * MIB);
	check(!ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "attach");
	printf("the kernel made page table %u for IOAS %u\n", attach.pt_id, ioas_id);

	/* Attaching again moves the device without a moment in between. */
	attach.pt_id = alloc_ioas(iommufd);
	check(!ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "replace");

	/* Its DMA is blocked now. Closing the file unbinds it. */
	check(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), "detach");
	close(device);
	return 0;
}
