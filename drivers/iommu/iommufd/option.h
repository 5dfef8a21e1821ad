/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __IOMMUFD_OPTION_H
#define __IOMMUFD_OPTION_H

#include "internal.h"

int iommufd_option(struct iommufd_cmd *cmd);

#endif
