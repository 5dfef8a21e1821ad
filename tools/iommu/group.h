/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_GROUP_H
#define IOMMUCTL_GROUP_H

#include "device.h"

/**
 * enum obstacle - Why user space cannot own a group
 * @OBSTACLE_NONE: It can
 * @OBSTACLE_DRIVER: A driver of the kernel does DMA with a member
 * @OBSTACLE_FIRMWARE: The firmware insists on an identity mapping for a member
 * @OBSTACLE_INTERRUPTS: Its devices could send any interrupt to the host
 * @OBSTACLE_NO_IOMMU: Nothing translates for the device
 */
enum obstacle {
	OBSTACLE_NONE,
	OBSTACLE_DRIVER,
	OBSTACLE_FIRMWARE,
	OBSTACLE_INTERRUPTS,
	OBSTACLE_NO_IOMMU,
};

struct device *group_next(const struct devices *devices, const struct device *dev, int group);
bool device_blocks(const struct device *dev);
enum obstacle group_obstacle(const struct devices *devices, int group);
void obstacle_text(const struct devices *devices, int group, char *text, size_t size);
void obstacle_mend(const struct devices *devices, int group, char *text, size_t size);
int complain_about_group(const struct devices *devices, int group);

#define group_for_each(devices, group, dev)				\
	for ((dev) = group_next(devices, NULL, group); (dev);		\
	     (dev) = group_next(devices, dev, group))

#endif
