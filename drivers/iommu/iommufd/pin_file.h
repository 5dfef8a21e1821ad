/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_PIN_FILE_H
#define __IOMMUFD_PIN_FILE_H

#include "account.h"
#include "internal.h"

struct iommufd_pages *iommufd_pin_file_new(int fd, u64 start, unsigned long length,
					   bool writable, enum iommufd_account_mode mode);

#endif
