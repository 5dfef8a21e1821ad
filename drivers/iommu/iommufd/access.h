/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In-kernel users of an IOAS. The interface for drivers is in <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_ACCESS_H
#define __IOMMUFD_ACCESS_H

#include <linux/iommufd.h>

#include "object.h"

/**
 * struct iommufd_access - One in-kernel user
 * @obj: users: the driver that created it
 * @ops: what the driver provides, immutable
 * @data: for @ops, immutable
 * @mutex: protects @ioas; held while pages are pinned
 * @ioas: the IOAS it is attached to, or NULL
 * @pins_lock: protects @pins
 * @pins: struct access_pin by IOVA
 */
struct iommufd_access {
	struct iommufd_object obj;
	const struct iommufd_access_ops *ops;
	void *data;

	struct mutex mutex; /* protects @ioas */
	struct iommufd_ioas *ioas;

	spinlock_t pins_lock; /* protects @pins */
	struct rb_root_cached pins;
};

struct iommufd_area;

unsigned long iommufd_access_alignment(struct iommufd_ioas *ioas);
struct iommufd_access *iommufd_access_next(struct iommufd_ioas *ioas, unsigned long *id);
void iommufd_access_notify(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length);
int iommufd_access_notify_map(struct iommufd_ioas *ioas, unsigned long iova,
			      unsigned long length);
void iommufd_access_mark_pinned(struct iommufd_ioas *ioas, struct iommufd_area *area);

#endif
