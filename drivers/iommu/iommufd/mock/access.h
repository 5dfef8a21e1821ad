/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands about in-kernel users of an IOAS.
 */
#ifndef __IOMMUFD_MOCK_ACCESS_H
#define __IOMMUFD_MOCK_ACCESS_H

struct iommufd_cmd;

int mock_access_create(struct iommufd_cmd *cmd);
int mock_access_replace(struct iommufd_cmd *cmd);
int mock_access_pin(struct iommufd_cmd *cmd);
int mock_access_unpin(struct iommufd_cmd *cmd);
int mock_access_rw(struct iommufd_cmd *cmd);

#endif
