/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects: things with an id inside a context, and the one way to remove them.
 *
 * Two counters decide how long an object lives.
 *
 * @users counts what depends on the object for longer than one system call: an
 * attached device on its HWPT, an HWPT on its IOAS. It starts at 1, and an object
 * can be destroyed only while it is 1.
 *
 * @short_users counts threads that look at the object within one system call. They
 * never make destruction fail: it hides the id, so that no new ones come, and waits
 * for those that are inside.
 */
#ifndef __IOMMUFD_OBJECT_H
#define __IOMMUFD_OBJECT_H

#include <linux/err.h>
#include <linux/iommufd.h>

#include "internal.h"

struct seq_file;

/**
 * struct iommufd_object_class - One kind of object
 * @name: for messages
 * @show: print more about it as " key=value", for fdinfo. The caller is a short user and
 *	  wants to wait for nothing. Optional
 * @owner: module with @destroy if that is not iommufd; stays loaded with its objects
 * @destroy: undo all that construction did, but for the id and the memory. Called
 *	     once, without locks, when nobody can reach the object any more.
 */
struct iommufd_object_class {
	const char *name;
	struct module *owner;
	void (*show)(struct iommufd_object *obj, struct seq_file *m);
	void (*destroy)(struct iommufd_object *obj);
};

void *__iommufd_object_new(struct iommufd_ctx *ictx,
			   const struct iommufd_object_class *class, size_t size);
/* The head may be nested, as in eventq.obj, but has to come first. */
#define iommufd_object_new_at(ictx, class, type, member)             \
	((type *)__iommufd_object_new(ictx, class, sizeof(type) +    \
				BUILD_BUG_ON_ZERO(offsetof(type, member))))
#define iommufd_object_new(ictx, class, type) \
	iommufd_object_new_at(ictx, class, type, obj)

void iommufd_object_publish(struct iommufd_object *obj);
void __iommufd_object_publish(struct iommufd_object *obj);
void iommufd_object_discard(struct iommufd_object *obj);
void iommufd_object_abort(struct iommufd_object *obj);

struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  const struct iommufd_object_class *class);
void iommufd_object_get_used(struct iommufd_object *obj);
void iommufd_object_put(struct iommufd_object *obj);

int iommufd_object_use(struct iommufd_object *obj);
int iommufd_object_use_published(struct iommufd_object *obj);
void iommufd_object_unuse(struct iommufd_object *obj);

bool iommufd_object_claim(struct iommufd_object *obj);
bool iommufd_object_retire(struct iommufd_object *obj);
bool iommufd_object_unuse_and_claim(struct iommufd_object *obj);
void iommufd_object_free_claimed(struct iommufd_object *obj);
void iommufd_object_bury_claimed(struct iommufd_object *obj);
bool iommufd_object_unuse_and_retire(struct iommufd_object *obj);
int iommufd_object_destroy_id(struct iommufd_ctx *ictx, u32 id);
void iommufd_object_destroy_all(struct iommufd_ctx *ictx);
struct iommufd_object *iommufd_object_get_next(struct iommufd_ctx *ictx, u32 id,
					       const struct iommufd_object_class *class);

/* For an object under construction, before its class's destroy would apply. */
DEFINE_FREE(iommufd_object_discard, void *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_discard(_T))
DEFINE_FREE(iommufd_object_put, void *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_put(_T))

#endif
