// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users of an IOAS: they come, move to another one and go, and are asked to let
 * go of what is unmapped.
 *
 * What they do with the memory in between is in access_pages.c; those that want all of it
 * and not a part are in access_follow.c.
 *
 * Locks: access->mutex, then ioas->domains_rwsem, then ioas->iova_rwsem. Drivers are
 * called back without any.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "access.h"
#include "ctx.h"
#include "fdinfo.h"
#include "ioas.h"
#include "object.h"
#include "trace.h"

static void access_destroy(struct iommufd_object *obj)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);

	WARN_ON(!RB_EMPTY_ROOT(&access->pins.rb_root));
	mutex_destroy(&access->mutex);
}

static void access_show(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_access *access = container_of(obj, struct iommufd_access, obj);

	/* It is held while pages are pinned. */
	if (!iommufd_fdinfo_lock(&access->mutex)) {
		seq_puts(m, " busy");
		return;
	}
	if (access->ioas)
		seq_printf(m, " ioas=%u", access->ioas->obj.id);
	mutex_unlock(&access->mutex);
}

static const struct iommufd_object_class access_class = {
	.name = "access",
	.show = access_show,
	.destroy = access_destroy,
};

/**
 * iommufd_access_create - Become an in-kernel user
 * @ictx: context the user is bound to
 * @ops: callbacks, valid until iommufd_access_destroy() returns
 * @data: for the callbacks
 * @id: set to the id under which user space sees the access
 *
 * Context: Process context, may sleep.
 * Return: the access or ERR_PTR(-ENOMEM).
 */
struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops,
					     void *data, u32 *id)
{
	struct iommufd_access *access;

	access = iommufd_object_new(ictx, &access_class, struct iommufd_access);
	if (IS_ERR(access))
		return access;

	access->ops = ops;
	access->data = data;
	mutex_init(&access->mutex);
	spin_lock_init(&access->pins_lock);
	access->pins = RB_ROOT_CACHED;
	iommufd_ctx_get(ictx);
	WARN_ON(iommufd_object_use(&access->obj));
	*id = access->obj.id;
	iommufd_object_publish(&access->obj);
	return access;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_create, IOMMUFD);

static int join(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	int ret;

	guard(rwsem_read)(&ioas->domains_rwsem);
	guard(rwsem_write)(&ioas->iova_rwsem);

	if (access->ops->needs_pin_pages) {
		ret = iommufd_ioas_raise_alignment(ioas, PAGE_SIZE);
		if (ret)
			return ret;
	}
	ret = xa_insert(&ioas->accesses, access->obj.id, access, GFP_KERNEL_ACCOUNT);
	if (ret)
		iommufd_ioas_update_alignment(ioas);
	return ret;
}

/* After this no unmap of @ioas looks for the access. */
static void leave(struct iommufd_access *access, struct iommufd_ioas *ioas)
{
	scoped_guard(rwsem_read, &ioas->domains_rwsem) {
		guard(rwsem_write)(&ioas->iova_rwsem);
		xa_erase(&ioas->accesses, access->obj.id);
		iommufd_ioas_update_alignment(ioas);
	}
	iommufd_object_unuse(&ioas->obj);
}

/* Make @ioas the IOAS of the access; returns the old one in *@old. */
static int change_ioas(struct iommufd_access *access, struct iommufd_ioas *ioas,
		       bool replace, struct iommufd_ioas **old)
{
	int ret;

	guard(mutex)(&access->mutex);
	*old = access->ioas;
	if (!replace && WARN_ON(access->ioas))
		return -EINVAL;
	if (replace && !access->ioas)
		return -ENOENT;
	if (access->ioas == ioas)
		return 0;

	ret = iommufd_object_use(&ioas->obj);
	if (ret)
		return ret;
	ret = join(access, ioas);
	if (ret) {
		iommufd_object_unuse(&ioas->obj);
		return ret;
	}
	access->ioas = ioas;
	return 0;
}

/* Ask the driver to let go of a range. */
static void call_unmap(struct iommufd_access *access, struct iommufd_ioas *ioas,
		       unsigned long iova, unsigned long length)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_access_unmap_enabled());

	if (!access->ops->unmap)
		return;
	access->ops->unmap(access->data, iova, length);
	trace_iommufd_access_unmap(ioas, access->obj.id, iova, length,
				   iommufd_trace_ns(begin));
}

/* The driver gives up its pins of the old IOAS while unmaps there still find it. */
static void drop_old(struct iommufd_access *access, struct iommufd_ioas *old)
{
	call_unmap(access, old, 0, ULONG_MAX);
	leave(access, old);
}

/**
 * iommufd_access_attach - Attach to an IOAS
 * @access: access that is not attached
 * @ioas_id: id of the IOAS
 *
 * Context: Process context, may sleep. The caller serialises with the other calls that
 * change the attachment.
 * Return: 0; -ENOENT: no such IOAS; -EINVAL: attached already; -EADDRINUSE: mappings
 * there are not page aligned; -ENOMEM.
 */
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(access->obj.ictx, ioas_id);
	struct iommufd_ioas *old;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	return change_ioas(access, ioas, false, &old);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_attach, IOMMUFD);

/**
 * iommufd_access_replace - Move to another IOAS
 * @access: attached access
 * @ioas_id: id of the new IOAS; the present one is allowed
 *
 * The driver's unmap is called for everything; it may still unpin what it has pinned
 * in the old IOAS.
 *
 * Context: as iommufd_access_attach(). The caller holds no lock that unmap takes.
 * Return: 0; -ENOENT: not attached or no such IOAS; -EADDRINUSE; -ENOMEM. After an
 * error the access is where it was.
 */
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(access->obj.ictx, ioas_id);
	struct iommufd_ioas *old;
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	ret = change_ioas(access, ioas, true, &old);
	if (!ret && old != ioas)
		drop_old(access, old);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_replace, IOMMUFD);

static struct iommufd_ioas *take_ioas(struct iommufd_access *access)
{
	struct iommufd_ioas *ioas;

	guard(mutex)(&access->mutex);
	ioas = access->ioas;
	access->ioas = NULL;
	return ioas;
}

/**
 * iommufd_access_detach - Detach from the IOAS
 * @access: attached access
 *
 * Context: as iommufd_access_replace().
 */
void iommufd_access_detach(struct iommufd_access *access)
{
	struct iommufd_ioas *old = take_ioas(access);

	if (!WARN_ON(!old))
		drop_old(access, old);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_detach, IOMMUFD);

/**
 * iommufd_access_destroy - Cease to be an in-kernel user
 * @access: not to be used afterwards
 *
 * When it returns, unmap is not running and will not be called again.
 *
 * Context: as iommufd_access_replace().
 */
void iommufd_access_destroy(struct iommufd_access *access)
{
	struct iommufd_ctx *ictx = access->obj.ictx;
	struct iommufd_ioas *old = take_ioas(access);

	if (old)
		drop_old(access, old);
	WARN_ON(!iommufd_object_unuse_and_retire(&access->obj));
	iommufd_ctx_put(ictx);
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_destroy, IOMMUFD);

/**
 * iommufd_access_alignment - What the accesses of an IOAS demand
 * @ioas: the IOAS
 *
 * Context: Holds ioas->iova_rwsem.
 * Return: bytes, a power of two.
 */
unsigned long iommufd_access_alignment(struct iommufd_ioas *ioas)
{
	struct iommufd_access *access;
	unsigned long id;

	lockdep_assert_held(&ioas->iova_rwsem);
	xa_for_each(&ioas->accesses, id, access)
		if (access->ops->needs_pin_pages)
			return PAGE_SIZE;
	return 1;
}

/**
 * iommufd_access_next - Walk through the accesses of an IOAS
 * @ioas: the IOAS
 * @id: where to go on; 0 to begin
 *
 * Context: Process context, no locks held.
 * Return: an access, kept from destruction until iommufd_object_put(), or NULL.
 */
struct iommufd_access *iommufd_access_next(struct iommufd_ioas *ioas, unsigned long *id)
{
	struct iommufd_access *access;

	guard(spinlock)(&ioas->accesses.xa_lock);
	do {
		access = xa_find(&ioas->accesses, id, ULONG_MAX, XA_PRESENT);
		(*id)++;
	} while (access && !refcount_inc_not_zero(&access->obj.short_users));
	return access;
}

/**
 * iommufd_access_notify - Ask all users to let go of a range
 * @ioas: the IOAS
 * @iova: first byte
 * @length: bytes
 *
 * Context: Process context, no locks held.
 */
void iommufd_access_notify(struct iommufd_ioas *ioas, unsigned long iova,
			   unsigned long length)
{
	struct iommufd_access *access;
	unsigned long id = 0;

	while ((access = iommufd_access_next(ioas, &id))) {
		call_unmap(access, ioas, iova, length);
		iommufd_object_put(&access->obj);
	}
}
