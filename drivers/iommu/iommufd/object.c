// SPDX-License-Identifier: GPL-2.0
/*
 * Ids, the two counters, and removal.
 *
 * An id is reserved when construction starts and holds a zero entry of the XArray,
 * so that a half-made object can not be found; publish stores the pointer, which
 * takes no memory. Removal puts the zero entry back, waits for the threads that
 * already had the object, and frees the id last. Therefore an id names at most one
 * object at any moment, and a thread that found an object finds it whole.
 *
 * Locks: the XArray's own spinlock covers the step from "users is one" to "hidden".
 * It is a leaf.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "ctx.h"
#include "object.h"

/* How long DESTROY waits for threads that are inside a system call. */
#define SHORT_USERS_TIMEOUT (60 * HZ)

/**
 * __iommufd_object_new - Allocate an object and reserve its id
 * @ictx: context that will own it
 * @class: its kind
 * @size: bytes of the whole structure, which begins with struct iommufd_object
 *
 * Until iommufd_object_publish() nobody else can find the object.
 *
 * Context: Process context, may sleep.
 * Return: zeroed memory with its head filled in, or ERR_PTR(-ENOMEM).
 */
void *__iommufd_object_new(struct iommufd_ctx *ictx,
			   const struct iommufd_object_class *class, size_t size)
{
	struct iommufd_object *obj;

	obj = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);

	obj->class = class;
	obj->ictx = ictx;
	refcount_set(&obj->users, 1);
	refcount_set(&obj->short_users, 1);

	/* The range is also full when every id is taken, which reads as ENOMEM. */
	if (xa_alloc(&ictx->objects, &obj->id, XA_ZERO_ENTRY,
		     XA_LIMIT(1, INT_MAX), GFP_KERNEL_ACCOUNT)) {
		kfree(obj);
		return ERR_PTR(-ENOMEM);
	}
	__module_get(class->owner);
	return obj;
}

/**
 * iommufd_object_publish - Make a finished object visible under its id
 * @obj: fully constructed object
 *
 * Context: Process context. Can not fail: the slot was reserved.
 */
void iommufd_object_publish(struct iommufd_object *obj)
{
	guard(spinlock)(&obj->ictx->objects.xa_lock);
	__iommufd_object_publish(obj);
}

/**
 * __iommufd_object_publish - The same together with something else
 * @obj: fully constructed object
 *
 * Context: Holds objects.xa_lock of the context.
 */
void __iommufd_object_publish(struct iommufd_object *obj)
{
	lockdep_assert_held(&obj->ictx->objects.xa_lock);
	__xa_store(&obj->ictx->objects, obj->id, obj, GFP_NOWAIT);
}

/* The class may be unloaded once the last object of its module is gone. */
static void free_memory(struct iommufd_object *obj)
{
	struct module *owner = obj->class->owner;

	kfree(obj);
	module_put(owner);
}

static void free_object(struct iommufd_object *obj)
{
	xa_erase(&obj->ictx->objects, obj->id);
	free_memory(obj);
}

/**
 * iommufd_object_discard - Forget an object whose construction failed
 * @obj: object that was never published and has nothing to undo
 *
 * Context: Process context.
 */
void iommufd_object_discard(struct iommufd_object *obj)
{
	free_object(obj);
}

/**
 * iommufd_object_abort - Destroy a finished object that was never published
 * @obj: fully constructed object
 *
 * Context: Process context, may sleep.
 */
void iommufd_object_abort(struct iommufd_object *obj)
{
	obj->class->destroy(obj);
	iommufd_object_discard(obj);
}

/**
 * iommufd_object_get - Look an id up for the length of a system call
 * @ictx: context of the caller
 * @id: number user space gave
 * @class: wanted kind, or NULL for any
 *
 * Context: Process context.
 * Return: the object, to be returned with iommufd_object_put(), or ERR_PTR(-ENOENT)
 * when the id is unknown, not published yet, being destroyed or of another kind.
 */
struct iommufd_object *iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					  const struct iommufd_object_class *class)
{
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (!obj || (class && obj->class != class) ||
	    !refcount_inc_not_zero(&obj->short_users))
		obj = ERR_PTR(-ENOENT);
	xa_unlock(&ictx->objects);
	return obj;
}

/**
 * iommufd_object_get_used - Keep an object in memory for a while
 * @obj: object that has a lasting user, directly or through another object
 *
 * Context: Any. To be returned with iommufd_object_put().
 */
void iommufd_object_get_used(struct iommufd_object *obj)
{
	refcount_inc(&obj->short_users);
}

/**
 * iommufd_object_put - Return what iommufd_object_get() gave
 * @obj: the object; the caller must not touch it afterwards
 *
 * Context: Any. The caller keeps the context alive.
 */
void iommufd_object_put(struct iommufd_object *obj)
{
	/* The waiter may free @obj as soon as the count is zero. */
	struct iommufd_ctx *ictx = obj->ictx;

	if (refcount_dec_and_test(&obj->short_users))
		wake_up_all(&ictx->retire_wait);
}

/**
 * iommufd_object_use - Become a lasting user
 * @obj: object the caller may look at: by iommufd_object_get(), or because a lock
 *	 of the caller keeps it from being freed
 *
 * Context: Any.
 * Return: 0, or -ENOENT when the object is already being destroyed.
 */
int iommufd_object_use(struct iommufd_object *obj)
{
	return refcount_inc_not_zero(&obj->users) ? 0 : -ENOENT;
}

/**
 * iommufd_object_use_published - Become a lasting user of an object found elsewhere
 * @obj: object whose memory the caller knows to exist
 *
 * One that is not published yet may still fail, and does not ask then who uses it.
 *
 * Context: Any. Takes the lock of ictx->objects.
 * Return: 0; -ENOENT: not published, or being destroyed.
 */
int iommufd_object_use_published(struct iommufd_object *obj)
{
	struct xarray *objects = &obj->ictx->objects;

	guard(spinlock)(&objects->xa_lock);
	if (xa_load(objects, obj->id) != obj)
		return -ENOENT;
	return iommufd_object_use(obj);
}

/**
 * iommufd_object_unuse - End what iommufd_object_use() began
 * @obj: the object. It may be destroyed by another thread at once.
 *
 * Context: Any.
 */
void iommufd_object_unuse(struct iommufd_object *obj)
{
	refcount_dec(&obj->users);
}

/**
 * iommufd_object_claim - Hide an object unless somebody uses it
 * @obj: published object
 *
 * From here on nobody finds it or becomes its user.
 *
 * Context: Any. Holds the lock of ictx->objects.
 * Return: true if the caller has to call iommufd_object_free_claimed() or
 * iommufd_object_bury_claimed().
 */
bool iommufd_object_claim(struct iommufd_object *obj)
{
	struct xarray *objects = &obj->ictx->objects;

	lockdep_assert_held(&objects->xa_lock);
	if (!refcount_dec_if_one(&obj->users))
		return false;
	__xa_store(objects, obj->id, XA_ZERO_ENTRY, 0);
	return true;
}

static bool short_users_left(struct iommufd_object *obj, long timeout)
{
	if (refcount_dec_and_test(&obj->short_users))
		return false;
	return !wait_event_timeout(obj->ictx->retire_wait,
				   !refcount_read(&obj->short_users), timeout);
}

static void destroy_and_free(struct iommufd_object *obj)
{
	obj->class->destroy(obj);
	free_object(obj);
}

/**
 * iommufd_object_free_claimed - Destroy an object that nobody can find or use any more
 * @obj: claimed object
 *
 * Context: Process context, may sleep until concurrent system calls are done with the
 * object. The caller holds no lock those could want.
 */
void iommufd_object_free_claimed(struct iommufd_object *obj)
{
	short_users_left(obj, MAX_SCHEDULE_TIMEOUT);
	destroy_and_free(obj);
}

/**
 * iommufd_object_bury_claimed - Destroy an object but leave its id taken
 * @obj: claimed object
 *
 * For objects that go before user space destroys them: the id never comes to mean
 * another object that user space would then destroy.
 *
 * Context: as iommufd_object_free_claimed().
 */
void iommufd_object_bury_claimed(struct iommufd_object *obj)
{
	short_users_left(obj, MAX_SCHEDULE_TIMEOUT);
	obj->class->destroy(obj);
	free_memory(obj);
}

/**
 * iommufd_object_retire - Destroy an object unless somebody uses it
 * @obj: object that the caller knows to exist
 *
 * Context: Process context, may sleep until concurrent system calls are done with
 * the object. The caller holds no lock those could want.
 * Return: false when it has lasting users and stays.
 */
bool iommufd_object_retire(struct iommufd_object *obj)
{
	struct xarray *objects = &obj->ictx->objects;
	bool claimed;

	xa_lock(objects);
	claimed = iommufd_object_claim(obj);
	xa_unlock(objects);
	if (claimed)
		iommufd_object_free_claimed(obj);
	return claimed;
}

/**
 * iommufd_object_unuse_and_claim - End a use, and hide the object if it was the last
 * @obj: not to be used afterwards, unless it was claimed
 *
 * Both happen in one step, so that no DESTROY comes between.
 *
 * Context: Any.
 * Return: true if the caller has to call iommufd_object_free_claimed().
 */
bool iommufd_object_unuse_and_claim(struct iommufd_object *obj)
{
	struct xarray *objects = &obj->ictx->objects;

	guard(spinlock)(&objects->xa_lock);
	refcount_dec(&obj->users);
	return iommufd_object_claim(obj);
}

/**
 * iommufd_object_unuse_and_retire - End a use, and the object if it was the last one
 * @obj: not to be used afterwards
 *
 * For devices and accesses, whose driver is a user for as long as they exist.
 *
 * Context: Process context, may sleep like iommufd_object_retire().
 * Return: false when it has other users and stays.
 */
bool iommufd_object_unuse_and_retire(struct iommufd_object *obj)
{
	bool claimed = iommufd_object_unuse_and_claim(obj);

	if (claimed)
		iommufd_object_free_claimed(obj);
	return claimed;
}

/* A system call has been inside for a minute: give the object back. */
static int unclaim(struct iommufd_object *obj)
{
	/* The last of them may have left after the time-out. */
	if (!refcount_inc_not_zero(&obj->short_users)) {
		destroy_and_free(obj);
		return 0;
	}

	pr_crit("iommufd: %s %u is stuck in a system call and can not be destroyed\n",
		obj->class->name, obj->id);
	refcount_set(&obj->users, 1);
	iommufd_object_publish(obj);
	return -EBUSY;
}

/**
 * iommufd_object_destroy_id - IOMMU_DESTROY
 * @ictx: context of the caller
 * @id: number user space gave
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOENT when there is no such object; -EBUSY when it has lasting users
 * or when a system call did not let go of it within a minute.
 */
int iommufd_object_destroy_id(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_object *obj;
	int ret = -ENOENT;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj)
		ret = iommufd_object_claim(obj) ? 0 : -EBUSY;
	xa_unlock(&ictx->objects);
	if (ret)
		return ret;

	if (short_users_left(obj, SHORT_USERS_TIMEOUT))
		return unclaim(obj);
	destroy_and_free(obj);
	return 0;
}

/**
 * iommufd_object_destroy_all - Destroy every object of a context, users first
 * @ictx: context whose last reference is gone
 *
 * Every pass removes at least the objects without users, whose own uses then end,
 * so the number of passes is the depth of the graph.
 *
 * Context: Process context, may sleep.
 */
void iommufd_object_destroy_all(struct iommufd_ctx *ictx)
{
	struct iommufd_object *obj;
	unsigned long first = 0, id;
	bool progress;

	/* Ids of buried objects are skipped. */
	while (xa_find(&ictx->objects, &first, ULONG_MAX, XA_PRESENT)) {
		progress = false;
		xa_for_each(&ictx->objects, id, obj)
			progress |= iommufd_object_retire(obj);
		if (WARN_ON(!progress))
			break;
		first = 0;
	}
	xa_destroy(&ictx->objects);
}

/**
 * iommufd_object_get_next - Walk the objects
 * @ictx: context of the caller
 * @id: look beyond this one; 0 at first
 * @class: the kind, or NULL for any
 *
 * Context: Process context.
 * Return: the next published object by id, to be returned with iommufd_object_put(), or
 * NULL.
 */
struct iommufd_object *iommufd_object_get_next(struct iommufd_ctx *ictx, u32 id,
					       const struct iommufd_object_class *class)
{
	struct iommufd_object *obj;
	unsigned long index;

	guard(spinlock)(&ictx->objects.xa_lock);
	xa_for_each_start(&ictx->objects, index, obj, id + 1UL)
		if ((!class || obj->class == class) &&
		    refcount_inc_not_zero(&obj->short_users))
			return obj;
	return NULL;
}
