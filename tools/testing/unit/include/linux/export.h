/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_EXPORT_H
#define _UNIT_LINUX_EXPORT_H

#include_next <linux/export.h>

#define EXPORT_SYMBOL_NS_GPL(symbol, namespace)

#endif
