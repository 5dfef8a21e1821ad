/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_FEATURES_H
#define IOMMUCTL_FEATURES_H

#include <stdbool.h>

#include "sysfs.h"

#define MAX_FEATURES 16

/**
 * struct iommu_unit - One IOMMU of the machine
 * @name: Name in /sys/class/iommu
 * @kind: "VT-d", "AMD-Vi", or what else the name says
 * @features: What it can do, in words
 * @n: How many of these
 */
struct iommu_unit {
	char name[NAME_LEN];
	char kind[NAME_LEN];
	const char *features[MAX_FEATURES];
	unsigned int n;
};

void iommu_unit_load(struct iommu_unit *unit, const char *name);
int iommu_units_visit(int (*visit)(const char *name, void *data), void *data);
bool iommu_units_exist(void);

#endif
