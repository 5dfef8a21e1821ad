/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_IOVA_BITMAP_H
#define _UNIT_LINUX_IOVA_BITMAP_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include KERNEL_IOVA_BITMAP_H

#endif
