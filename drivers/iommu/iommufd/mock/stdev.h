/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands about mock devices that are bound to a context.
 */
#ifndef __IOMMUFD_MOCK_STDEV_H
#define __IOMMUFD_MOCK_STDEV_H

struct iommufd_cmd;

int mock_stdev_create(struct iommufd_cmd *cmd);
int mock_stdev_create_flags(struct iommufd_cmd *cmd);
int mock_stdev_replace(struct iommufd_cmd *cmd);
int mock_stdev_fault(struct iommufd_cmd *cmd);
int mock_stdev_check_cache(struct iommufd_cmd *cmd);

#endif
