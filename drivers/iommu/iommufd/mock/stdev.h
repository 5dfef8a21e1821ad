/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands about mock devices that are bound to a context.
 */
#ifndef __IOMMUFD_MOCK_STDEV_H
#define __IOMMUFD_MOCK_STDEV_H

#include <linux/mutex.h>

#include "../object.h"

struct iommufd_cmd;
struct mock_dev;

/**
 * struct mock_stdev - One such device
 * @obj: nobody uses it
 * @mdev: the device, immutable
 * @idev: the same, bound. Immutable
 * @mutex: serialises what is done with @idev
 * @attached: it is attached
 */
struct mock_stdev {
	struct iommufd_object obj;
	struct mock_dev *mdev;
	struct iommufd_device *idev;
	struct mutex mutex; /* serialises attachment */
	bool attached;
};

struct mock_stdev *mock_stdev_get(struct iommufd_ctx *ictx, u32 id);

void mock_stdev_detach(struct mock_stdev *stdev);

DEFINE_FREE(mock_stdev_put, struct mock_stdev *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(&_T->obj))

int mock_stdev_create(struct iommufd_cmd *cmd);
int mock_stdev_create_flags(struct iommufd_cmd *cmd);
int mock_stdev_replace(struct iommufd_cmd *cmd);
int mock_stdev_fault(struct iommufd_cmd *cmd);
int mock_stdev_event(struct iommufd_cmd *cmd);
int mock_stdev_check_cache(struct iommufd_cmd *cmd);

#endif
