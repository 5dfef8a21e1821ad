/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages objects: the memory behind a mapping, and holding it.
 */
#ifndef __IOMMUFD_PAGES_H
#define __IOMMUFD_PAGES_H

#include <linux/mutex.h>
#include <linux/refcount.h>

#include "account.h"
#include "extent.h"
#include "holders.h"
#include "internal.h"

struct file;

/**
 * struct iommufd_pin_ops - One source of memory
 * @name: what its addresses are, in a word
 * @pin: NULL for memory of devices, see device_memory.c. Else pin each of the pages from
 *	 index @first to @last, both inclusive, and tell the store where they are. *@pinned
 *	 counts how many were pinned and stored, also after an error; the caller undoes
 *	 those. Called with pages->mutex held.
 * @free: last reference dropped; free what embeds @pages
 * @file: the file that @pages are of. Optional
 * @any_process: the memory is nobody's, so it makes no difference who pays for it
 */
struct iommufd_pin_ops {
	const char *name;
	int (*pin)(struct iommufd_pages *pages, unsigned long first, unsigned long last,
		   unsigned long *pinned);
	void (*free)(struct iommufd_pages *pages);
	struct file *(*file)(const struct iommufd_pages *pages);
	bool any_process;
};

/**
 * struct iommufd_pages - The memory of one MAP, as a row of pages
 * @refs: areas, and creators of areas, that refer to it
 * @ictx: the context of all those areas. Immutable
 * @ops: where the memory comes from, immutable
 * @addr: where the page with index 0 is, or would be, in its source, in bytes. A multiple
 *	  of 2 MiB, so that chunks of the store and large folios have common borders.
 *	  Immutable
 * @writable: pinned for writing, immutable
 * @payer: who is charged for pinned pages, referenced. Changes, under @mutex, only with
 *	   ops->any_process
 * @mutex: protects the members below it
 * @holders: who needs which pages pinned
 * @extents: where those pages are
 */
struct iommufd_pages {
	refcount_t refs;
	struct iommufd_ctx *ictx;
	const struct iommufd_pin_ops *ops;
	unsigned long addr;
	bool writable;
	struct iommufd_payer *payer;

	struct mutex mutex; /* protects what follows */
	struct iommufd_holders holders;
	struct iommufd_extents extents;
};

int iommufd_pages_init(struct iommufd_pages *pages, struct iommufd_ctx *ictx,
		       const struct iommufd_pin_ops *ops, unsigned long addr);
void iommufd_pages_get(struct iommufd_pages *pages);
void iommufd_pages_put(struct iommufd_pages *pages);

int iommufd_pages_hold(struct iommufd_pages *pages, struct iommufd_holder *holder);
void iommufd_pages_release(struct iommufd_pages *pages, struct iommufd_holder *holder);
int iommufd_pages_change_payer(struct iommufd_pages *pages, struct iommufd_payer **payer,
			       bool force);

DEFINE_FREE(iommufd_pages_put, struct iommufd_pages *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_pages_put(_T))

#endif
