/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_PIN_USER_H
#define __IOMMUFD_PIN_USER_H

#include "internal.h"

struct iommufd_pages *iommufd_pin_user_new(struct iommufd_ctx *ictx, unsigned long uaddr,
					   bool writable);

#endif
