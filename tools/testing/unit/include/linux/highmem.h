/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_HIGHMEM_H
#define _UNIT_LINUX_HIGHMEM_H

#include <linux/mm.h>

/* Of pages that were pinned */
#define kmap_local_page(page) ((void *)(page))
#define kunmap_local(addr) ((void)(addr))

#endif
