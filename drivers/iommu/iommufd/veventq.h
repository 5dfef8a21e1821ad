/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events of vIOMMUs. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_VEVENTQ_H
#define __IOMMUFD_VEVENTQ_H

struct iommufd_cmd;

int iommufd_veventq_alloc(struct iommufd_cmd *cmd);

#endif
