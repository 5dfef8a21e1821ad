/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware queues of vIOMMUs. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_HW_QUEUE_H
#define __IOMMUFD_HW_QUEUE_H

struct iommufd_cmd;

int iommufd_hw_queue_alloc(struct iommufd_cmd *cmd);

#endif
