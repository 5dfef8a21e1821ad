/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_IOVA_BITMAP_H
#define _UNIT_LINUX_IOVA_BITMAP_H

/* As if CONFIG_IOMMUFD_DRIVER were set */
#include <linux/types.h>

struct iova_bitmap;

typedef int (*iova_bitmap_fn_t)(struct iova_bitmap *bitmap, unsigned long iova, size_t length,
				void *opaque);

struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size, u64 *data);
void iova_bitmap_free(struct iova_bitmap *bitmap);
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque, iova_bitmap_fn_t fn);
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t length);

#endif
