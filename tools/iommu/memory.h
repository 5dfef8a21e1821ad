/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_MEMORY_H
#define IOMMUCTL_MEMORY_H

#include <stdbool.h>

#define NO_LIMIT (~0ULL)

unsigned long long memory_available(void);
bool memlock_is_waived(void);
unsigned long long memlock_limit(void);
unsigned long long memlock_used(void);

#endif
