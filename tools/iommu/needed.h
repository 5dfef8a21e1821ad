/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_NEEDED_H
#define IOMMUCTL_NEEDED_H

#include <stdbool.h>
#include <stddef.h>

struct device;

bool machine_needs(const struct device *dev, char *why, size_t size);

#endif
