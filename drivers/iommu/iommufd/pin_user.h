/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_PIN_USER_H
#define __IOMMUFD_PIN_USER_H

#include "account.h"
#include "internal.h"

struct iommufd_pages *iommufd_pin_user_new(unsigned long uaddr, bool writable,
					   enum iommufd_account_mode mode);

#endif
