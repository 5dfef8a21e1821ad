/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_PIN_FILE_H
#define __IOMMUFD_PIN_FILE_H

#include "account.h"
#include "internal.h"

struct iommufd_pages *iommufd_pin_file_new(struct iommufd_ctx *ictx, int fd, u64 start,
					   unsigned long length, bool writable);

#endif
