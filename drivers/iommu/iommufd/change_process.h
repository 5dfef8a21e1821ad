/* SPDX-License-Identifier: GPL-2.0 */
/* See change_process.c. */
#ifndef __IOMMUFD_CHANGE_PROCESS_H
#define __IOMMUFD_CHANGE_PROCESS_H

struct iommufd_cmd;

int iommufd_change_process(struct iommufd_cmd *cmd);

#endif
