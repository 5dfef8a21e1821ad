/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_PROBE_H
#define IOMMUCTL_PROBE_H

#include "device.h"

/**
 * struct probe - A device that is being tried
 * @devices: All devices there are
 * @dev: This one
 * @iommu: Descriptor of /dev/iommu
 * @fd: Descriptor of the device
 * @dev_id: The bound device in the iommufd
 * @ioas_id: The IOAS there
 * @memory: What is mapped
 * @size: How much of it
 */
struct probe {
	struct devices devices;
	struct device *dev;
	int iommu, fd;
	unsigned int dev_id, ioas_id;
	void *memory;
	unsigned long long size;
};

/**
 * enum probe_step - What failed, as far as causes differ
 * @PROBE_OPEN_IOMMU: Opening /dev/iommu
 * @PROBE_OPEN_DEVICE: Opening the device's file
 * @PROBE_BIND: Binding the device to the iommufd
 * @PROBE_ATTACH: Attaching it to an IOAS
 * @PROBE_MEMORY: Getting memory to map
 * @PROBE_MAP: Mapping it
 * @PROBE_OTHER: What fails only when the kernel is short of memory, or broken
 */
enum probe_step {
	PROBE_OPEN_IOMMU,
	PROBE_OPEN_DEVICE,
	PROBE_BIND,
	PROBE_ATTACH,
	PROBE_MEMORY,
	PROBE_MAP,
	PROBE_OTHER,
};

int probe_explain(const struct probe *probe, enum probe_step step, const char *text, int error);

#endif
