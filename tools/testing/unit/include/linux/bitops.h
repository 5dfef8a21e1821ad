/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_BITOPS_H
#define _UNIT_LINUX_BITOPS_H

#include_next <linux/bitops.h>

/* Nobody else is there. */
#define set_bit_le(nr, addr) ({						\
	unsigned long __nr = (nr);					\
									\
	((unsigned char *)(addr))[__nr / 8] |= 1 << __nr % 8;		\
})

#endif
