/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_CAPABILITY_H
#define _UNIT_LINUX_CAPABILITY_H

#include <unit/process.h>

#endif
