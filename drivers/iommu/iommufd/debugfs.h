/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contexts in debugfs.
 */
#ifndef __IOMMUFD_DEBUGFS_H
#define __IOMMUFD_DEBUGFS_H

#include "internal.h"

void iommufd_debugfs_init(void);
void iommufd_debugfs_exit(void);

void iommufd_debugfs_add(struct iommufd_ctx *ictx);
void iommufd_debugfs_remove(struct iommufd_ctx *ictx);

#endif
