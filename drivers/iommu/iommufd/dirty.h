/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Dirty tracking: which memory devices have written to.
 */
#ifndef __IOMMUFD_DIRTY_H
#define __IOMMUFD_DIRTY_H

#include <linux/errno.h>
#include <linux/kconfig.h>

#include "internal.h"

struct device;
struct iommu_domain;
struct list_head;

#if IS_ENABLED(CONFIG_IOMMUFD_DRIVER)
bool iommufd_dirty_offered(struct device *dev);
int iommufd_dirty_set(struct iommufd_cmd *cmd);
int iommufd_dirty_get(struct iommufd_cmd *cmd);
int iommufd_dirty_track(struct iommufd_ioas *ioas, struct iommu_domain *domain, bool enable);
int iommufd_dirty_collect(struct iommufd_ioas *ioas, struct iommu_domain *domain,
			  unsigned long start, unsigned long last, u8 __user *data,
			  const struct list_head *leaving);
#else
/*
 * A kernel that was built without iommufd has IOMMU drivers that clear dirty bits and
 * can not report them. Not to offer tracking there is the only way to lose no page.
 */
static inline bool iommufd_dirty_offered(struct device *dev)
{
	return false;
}

/* No page table can have been made with dirty tracking. */
static inline int iommufd_dirty_set(struct iommufd_cmd *cmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_dirty_get(struct iommufd_cmd *cmd)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_dirty_track(struct iommufd_ioas *ioas,
				      struct iommu_domain *domain, bool enable)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_dirty_collect(struct iommufd_ioas *ioas,
					struct iommu_domain *domain, unsigned long start,
					unsigned long last, u8 __user *data,
					const struct list_head *leaving)
{
	return -EOPNOTSUPP;
}
#endif

#endif
