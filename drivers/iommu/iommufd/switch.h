/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeping maps and unmaps away while page tables are attached and detached.
 */
#ifndef __IOMMUFD_SWITCH_H
#define __IOMMUFD_SWITCH_H

#include "internal.h"

void iommufd_switch_begin(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other);
void iommufd_switch_end(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other);

#endif
