/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_INTERVAL_TREE_H
#define _UNIT_LINUX_INTERVAL_TREE_H

#include KERNEL_INTERVAL_TREE_H

#endif
