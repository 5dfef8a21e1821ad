/* SPDX-License-Identifier: GPL-2.0 */
/* Reading page faults from a queue, and answering them. */
#ifndef IOMMU_TEST_FAULT_H
#define IOMMU_TEST_FAULT_H

#include <linux/iommufd.h>

#include "util.h"

#define RECORD sizeof(struct iommu_hwpt_pgfault)
#define ANSWER sizeof(struct iommu_hwpt_page_response)
#define SUCCESS IOMMUFD_PAGE_RESP_SUCCESS
#define INVALID IOMMUFD_PAGE_RESP_INVALID

/* read() and write() of @n bytes */
long __fault_read(int queue, void *data, size_t n);
long __fault_write(int queue, const void *data, size_t n);
/* One answer */
long __fault_respond(int queue, __u32 cookie, __u32 code);

#endif
