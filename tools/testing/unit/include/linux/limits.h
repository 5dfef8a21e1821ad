/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_LIMITS_H
#define _UNIT_LINUX_LIMITS_H

#include <limits.h>

#endif
