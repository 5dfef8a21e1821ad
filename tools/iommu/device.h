/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_DEVICE_H
#define IOMMUCTL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "sysfs.h"

#define NO_GROUP (-1)

/**
 * struct device - A device as sysfs shows it
 * @name: PCI address, or the name on another bus
 * @path: Directory in sysfs
 * @bus: Name of the bus, "pci" nearly always
 * @driver: Driver it is bound to, or empty
 * @override: Only driver that may bind to it, or empty
 * @iommu: IOMMU that translates for it, or empty
 * @cdev: File in /dev/vfio/devices that opens it, or empty
 * @physfn: Of which physical function it is a virtual one, or empty
 * @vendor: PCI vendor
 * @product: PCI device number
 * @class: PCI class code, 24 bits
 * @group: IOMMU group or NO_GROUP
 */
struct device {
	char name[NAME_LEN];
	char path[2 * NAME_LEN + 64];
	char bus[NAME_LEN];
	char driver[NAME_LEN];
	char override[NAME_LEN];
	char iommu[NAME_LEN];
	char cdev[NAME_LEN + 24];
	char physfn[NAME_LEN];
	unsigned int vendor, product, class;
	int group;
};

/**
 * struct devices - Devices, ordered by group and name; those without a group come last
 * @dev: The devices
 * @n: How many
 */
struct devices {
	struct device *dev;
	size_t n;
};

int devices_load(struct devices *devices);
void devices_free(struct devices *devices);
struct device *device_find(const struct devices *devices, const char *name);
void device_refresh(struct device *dev);
bool device_is_bridge(const struct device *dev);
bool device_can_move(const struct device *dev);
const char *device_class_name(const struct device *dev);
bool full_address(const char *text, char *name);

#endif
