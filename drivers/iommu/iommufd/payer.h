/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who pays for the mappings of a context.
 */
#ifndef __IOMMUFD_PAYER_H
#define __IOMMUFD_PAYER_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "account.h"

/**
 * struct iommufd_payers - The payers of a context
 * @lock: protects @list; a leaf
 * @list: known to payer.c
 */
struct iommufd_payers {
	spinlock_t lock; /* protects @list */
	struct list_head list;
};

void iommufd_payer_init(struct iommufd_payers *payers);
struct iommufd_payer *iommufd_payer_get(struct iommufd_payers *payers,
					enum iommufd_account_mode mode);
void iommufd_payer_put(struct iommufd_payers *payers, struct iommufd_payer *payer);
void iommufd_payer_for_each(struct iommufd_payers *payers,
			    void (*fn)(const struct iommufd_payer *payer, void *data),
			    void *data);
void iommufd_payer_report(const struct iommufd_payer *payer, unsigned long npages);
bool iommufd_payer_is_current(const struct iommufd_payer *payer,
			      enum iommufd_account_mode mode);

#endif
