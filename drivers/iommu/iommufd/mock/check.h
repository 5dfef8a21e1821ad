/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands that look at page tables and pins, or act as a device would.
 */
#ifndef __IOMMUFD_MOCK_CHECK_H
#define __IOMMUFD_MOCK_CHECK_H

struct iommufd_cmd;

int mock_check_map(struct iommufd_cmd *cmd);
int mock_check_refs(struct iommufd_cmd *cmd);
int mock_check_iotlb(struct iommufd_cmd *cmd);
int mock_check_set_dirty(struct iommufd_cmd *cmd);

#endif
