/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PASIDs of mock devices.
 */
#ifndef __IOMMUFD_MOCK_PASID_H
#define __IOMMUFD_MOCK_PASID_H

struct iommufd_cmd;

int mock_pasid_attach(struct iommufd_cmd *cmd);
int mock_pasid_replace(struct iommufd_cmd *cmd);
int mock_pasid_detach(struct iommufd_cmd *cmd);
int mock_pasid_check(struct iommufd_cmd *cmd);

#endif
