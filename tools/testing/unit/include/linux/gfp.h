/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_GFP_H
#define _UNIT_LINUX_GFP_H

#include_next <linux/gfp.h>

#ifndef GFP_KERNEL_ACCOUNT
#define GFP_KERNEL_ACCOUNT GFP_KERNEL
#endif

#endif
