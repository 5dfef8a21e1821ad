/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The dirty log of an IOAS: what anybody may have written to, for VFIO's containers.
 */
#ifndef __IOMMUFD_DIRTY_LOG_H
#define __IOMMUFD_DIRTY_LOG_H

#include "internal.h"

struct iommufd_area;
struct iommufd_mirror;

/* Pages that one area may have while there is a log, as type1 */
#define IOMMUFD_DIRTY_LOG_PAGES ((unsigned long)INT_MAX)

int iommufd_dirty_log_start(struct iommufd_ioas *ioas);
void iommufd_dirty_log_stop(struct iommufd_ioas *ioas);
int iommufd_dirty_log_add_area(struct iommufd_ioas *ioas, struct iommufd_area *area);
void iommufd_dirty_log_lose_mirror(struct iommufd_ioas *ioas);
void iommufd_dirty_log_mark(struct iommufd_area *area, unsigned long iova,
			    unsigned long last);
int iommufd_dirty_log_read(struct iommufd_ioas *ioas, unsigned long start,
			   unsigned long last, u8 __user *data,
			   const struct list_head *leaving);

#endif
