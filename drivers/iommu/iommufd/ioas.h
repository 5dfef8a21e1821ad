/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IOAS object.
 */
#ifndef __IOMMUFD_IOAS_H
#define __IOMMUFD_IOAS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include "internal.h"
#include "iova.h"
#include "object.h"

/**
 * struct iommufd_ioas - One I/O address space
 * @obj: users are HWPTs and accesses
 * @mutex: serialises the choice and creation of page tables; protects @hwpts
 * @hwpts: paging HWPTs of this IOAS, struct iommufd_hwpt
 * @domains_rwsem: which domains mirror this IOAS. For read: mappings come and go; for
 *		   write: no mapping is half-way. Protects @mirrors and @huge_pages
 * @mirrors: struct iommufd_mirror
 * @huge_pages: IOPTEs above PAGE_SIZE may be used
 * @dirty_log: there is a dirty log, see dirty_log.c. Changes under @domains_rwsem
 * @iova_rwsem: protects @iova and the state of all areas
 * @iova: areas, reserved and allowed ranges, alignment
 * @accesses: id -> struct iommufd_access attached to this IOAS. Changes under
 *	      @iova_rwsem held for write; its own lock is enough to look
 */
struct iommufd_ioas {
	struct iommufd_object obj;

	struct mutex mutex; /* protects @hwpts */
	struct list_head hwpts;

	struct rw_semaphore domains_rwsem;
	struct list_head mirrors;
	bool huge_pages;
	bool dirty_log;

	struct rw_semaphore iova_rwsem;
	struct iommufd_iova_space iova;
	struct xarray accesses;
};

extern const struct iommufd_object_class iommufd_ioas_class;

static inline struct iommufd_ioas *iommufd_ioas_from_obj(struct iommufd_object *obj)
{
	return container_of(obj, struct iommufd_ioas, obj);
}

/* Look up an IOAS for the length of a system call. */
static inline struct iommufd_ioas *iommufd_ioas_get(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj = iommufd_object_get(ictx, id, &iommufd_ioas_class);

	return IS_ERR(obj) ? ERR_CAST(obj) : iommufd_ioas_from_obj(obj);
}

DEFINE_FREE(iommufd_ioas_put, struct iommufd_ioas *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(&_T->obj))

struct iommufd_ioas *iommufd_ioas_new(struct iommufd_ctx *ictx);

unsigned long iommufd_ioas_huge_size(void);
bool iommufd_ioas_huge_pages(struct iommufd_ioas *ioas);
int iommufd_ioas_set_huge_pages(struct iommufd_ioas *ioas, bool huge_pages);
int iommufd_ioas_raise_alignment(struct iommufd_ioas *ioas, unsigned long alignment);
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas);

int iommufd_ioas_alloc(struct iommufd_cmd *cmd);
int iommufd_ioas_iova_ranges(struct iommufd_cmd *cmd);
int iommufd_ioas_allow_iovas(struct iommufd_cmd *cmd);

#endif
