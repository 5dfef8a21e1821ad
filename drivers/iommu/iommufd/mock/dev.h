/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices behind the mock IOMMU.
 */
#ifndef __IOMMUFD_MOCK_DEV_H
#define __IOMMUFD_MOCK_DEV_H

#include <linux/mutex.h>
#include <linux/platform_device.h>

#include "iommufd_test.h"

struct iopf_fault;

/**
 * struct mock_dev - One device, in a group of its own
 * @pdev: as the rest of the kernel sees it; no driver binds to it
 * @flags: MOCK_FLAGS_DEVICE_*
 * @mutex: protects @faults, also while one is being reported
 * @faults: page faults are on
 */
struct mock_dev {
	struct platform_device pdev;
	u32 flags;
	struct mutex mutex; /* protects @faults */
	bool faults;
};

static inline struct mock_dev *mock_dev_from(struct device *dev)
{
	return container_of(dev, struct mock_dev, pdev.dev);
}

struct mock_dev *mock_dev_create(u32 flags);
void mock_dev_destroy(struct mock_dev *mdev);
bool mock_dev_is(struct device *dev);
int mock_dev_report(struct mock_dev *mdev, struct iopf_fault *event);

#endif
