/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_INTERRUPTS_H
#define IOMMUCTL_INTERRUPTS_H

#include <stdbool.h>

bool interrupts_are_remapped(void);
bool interrupts_may_be_unsafe(void);

#endif
