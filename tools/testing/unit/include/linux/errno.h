/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_ERRNO_H
#define _UNIT_LINUX_ERRNO_H

#include <errno.h>

#endif
