// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU_IOAS_CHANGE_PROCESS: another process inherits the mappings of a context.
 *
 * A VMM that replaces itself by a newer one hands over the iommufd. The new process pays
 * from then on, and the old one can go. Only memory of files can be inherited: an
 * address means nothing in the new process.
 *
 * One pages object after the other changes its payer. What has changed is written down,
 * and changes back, in spite of any limit, when a later one can not follow.
 *
 * Locks: ioas->iova_rwsem for read, then pages->mutex, for one IOAS after the other.
 */
#include <linux/list.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "change_process.h"
#include "ctx.h"
#include "ioas.h"
#include "ioctl.h"
#include "pages.h"

/* A pages object with a new payer, and the one before. */
struct change {
	struct list_head entry;
	struct iommufd_pages *pages;
	struct iommufd_payer *old;
};

static void end_change(struct change *change)
{
	iommufd_payer_put(&change->pages->ictx->payers, change->old);
	iommufd_pages_put(change->pages);
	kfree(change);
}

static void finish(struct list_head *changes, bool undo)
{
	struct change *change, *tmp;

	list_for_each_entry_safe_reverse(change, tmp, changes, entry) {
		if (undo)
			iommufd_pages_change_payer(change->pages, &change->old, true);
		end_change(change);
	}
}

static int change_pages(struct iommufd_ctx *ictx, struct iommufd_pages *pages,
			struct list_head *changes)
{
	struct change *change;
	int ret;

	/* As is the case after the first of several areas of the same memory. */
	scoped_guard(mutex, &pages->mutex)
		if (iommufd_payer_is_current(pages->payer, READ_ONCE(ictx->account_mode)))
			return 0;
	change = kmalloc(sizeof(*change), GFP_KERNEL_ACCOUNT);
	if (!change)
		return -ENOMEM;

	change->old = iommufd_payer_get(&ictx->payers, READ_ONCE(ictx->account_mode));
	if (IS_ERR(change->old)) {
		ret = PTR_ERR(change->old);
		kfree(change);
		return ret;
	}
	change->pages = pages;
	iommufd_pages_get(pages);
	ret = iommufd_pages_change_payer(pages, &change->old, false);
	if (ret)
		end_change(change);
	else
		list_add_tail(&change->entry, changes);
	return ret;
}

static int change_ioas(struct iommufd_ioas *ioas, struct list_head *changes)
{
	struct iommufd_area *area;
	int ret;

	guard(rwsem_read)(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		if (!area->pages->ops->any_process)
			return -EINVAL;
		if (area->state != IOMMUFD_AREA_MAPPED)
			return -EBUSY;
		ret = change_pages(ioas->obj.ictx, area->pages, changes);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * iommufd_change_process - IOMMU_IOAS_CHANGE_PROCESS
 * @cmd: struct iommu_ioas_change_process
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL: there is a mapping of an address; -EBUSY: something is being mapped
 * or unmapped; -ENOMEM: no memory, or more than the RLIMIT_MEMLOCK of the caller. After
 * an error everybody pays what they paid before.
 */
int iommufd_change_process(struct iommufd_cmd *cmd)
{
	struct iommufd_object *obj;
	LIST_HEAD(changes);
	int ret = 0;
	u32 id = 0;

	while (!ret && (obj = iommufd_object_get_next(cmd->ictx, id, &iommufd_ioas_class))) {
		id = obj->id;
		ret = change_ioas(iommufd_ioas_from_obj(obj), &changes);
		iommufd_object_put(obj);
	}
	finish(&changes, ret);
	return ret;
}
