// SPDX-License-Identifier: GPL-2.0
/* IOMMU_FAULT_QUEUE_ALLOC. */
#include <poll.h>

#include "example.h"

int main(void)
{
	int iommufd = open_iommu();
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	struct iommu_destroy destroy = { .size = sizeof(destroy) };
	struct iommu_hwpt_pgfault request;
	struct iommu_hwpt_page_response answer = { .code = IOMMUFD_PAGE_RESP_INVALID };
	struct pollfd poller = { .events = POLLIN };

	check(!ioctl(iommufd, IOMMU_FAULT_QUEUE_ALLOC, &alloc), "IOMMU_FAULT_QUEUE_ALLOC");

	/* A page table names the queue by its id; requests come through the file. */
	poller.fd = alloc.out_fault_fd;
	while (poll(&poller, 1, 0) > 0 &&
	       read(poller.fd, &request, sizeof(request)) == sizeof(request)) {
		if (!(request.flags & IOMMU_PGFAULT_FLAGS_LAST_PAGE))
			continue;
		answer.cookie = request.cookie;
		check(write(poller.fd, &answer, sizeof(answer)) == sizeof(answer), "answer");
	}

	/* The file uses the queue. */
	destroy.id = alloc.out_fault_id;
	check(ioctl(iommufd, IOMMU_DESTROY, &destroy) && errno == EBUSY, "early destroy");
	close(poller.fd);
	check(!ioctl(iommufd, IOMMU_DESTROY, &destroy), "IOMMU_DESTROY");
	return 0;
}
