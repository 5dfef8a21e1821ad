// SPDX-License-Identifier: GPL-2.0
/* Events of a guest's IOMMU. Needs an IOMMU driver that has vIOMMUs. */
#include <poll.h>

#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	__u32 ioas_id = alloc_ioas(iommufd), dev_id;
	int device = bind_device(iommufd, &dev_id);
	struct iommu_veventq_alloc alloc = {
		.size = sizeof(alloc),
		.viommu_id = alloc_viommu(iommufd, dev_id, ioas_id,
					  IOMMU_VIOMMU_TYPE_ARM_SMMUV3, NULL, 0),
		.type = IOMMU_VEVENTQ_TYPE_ARM_SMMUV3,
		.veventq_depth = 64,
	};
	struct pollfd pfd = { .events = POLLIN };
	struct {
		struct iommufd_vevent_header header;
		struct iommu_vevent_arm_smmuv3 event;
	} record;
	ssize_t n;

	check(!ioctl(iommufd, IOMMU_VEVENTQ_ALLOC, &alloc), "vEVENTQ");
	pfd.fd = alloc.out_veventq_fd;
	/* A monitor waits here. This one only looks. */
	poll(&pfd, 1, 0);
	n = read(pfd.fd, &record, sizeof(record));
	if (n >= (ssize_t)sizeof(record.header) &&
	    record.header.flags & IOMMU_VEVENTQ_FLAG_LOST_EVENTS)
		printf("events up to number %u are lost\n", record.header.sequence);
	else if (n == sizeof(record))
		printf("event %u: %#llx\n", record.header.sequence,
		       (unsigned long long)record.event.evt[0]);
	check(n >= 0, "read");
	close(pfd.fd);
	close(device);
	return 0;
}
