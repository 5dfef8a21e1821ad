// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>

#include "fault.h"

long __fault_read(int queue, void *data, size_t n)
{
	ssize_t ret = read(queue, data, n);

	return ret < 0 ? -errno : ret;
}

long __fault_write(int queue, const void *data, size_t n)
{
	ssize_t ret = write(queue, data, n);

	return ret < 0 ? -errno : ret;
}

long __fault_respond(int queue, __u32 cookie, __u32 code)
{
	struct iommu_hwpt_page_response response = { .cookie = cookie, .code = code };

	return __fault_write(queue, &response, sizeof(response));
}
