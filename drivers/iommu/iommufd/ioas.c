// SPDX-License-Identifier: GPL-2.0
/*
 * The IOAS object, its settings, and what it tells about its IOVAs.
 *
 * Locks: ioas->mutex, then ioas->domains_rwsem, then ioas->iova_rwsem. No user memory
 * is touched under any of them, except by pinning.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "access.h"
#include "area.h"
#include "ctx.h"
#include "fdinfo.h"
#include "ioas.h"
#include "ioctl.h"
#include "mapping.h"
#include "mirror.h"
#include "vfio_compat.h"

static void ioas_destroy(struct iommufd_object *obj)
{
	struct iommufd_ioas *ioas = iommufd_ioas_from_obj(obj);
	unsigned long unmapped;

	iommufd_vfio_compat_forget(ioas);
	/* Nobody else can reach the IOAS, so nothing can be busy. */
	WARN_ON(iommufd_mapping_remove(ioas, 0, ULONG_MAX, &unmapped));
	iommufd_iova_destroy(&ioas->iova);
	xa_destroy(&ioas->accesses);
	mutex_destroy(&ioas->mutex);
}

const struct iommufd_object_class iommufd_ioas_class = {
	.name = "IOAS",
	.show = iommufd_fdinfo_ioas,
	.destroy = ioas_destroy,
};

/**
 * iommufd_ioas_new - Make an empty IOAS
 * @ictx: context that will own it
 *
 * Return: the unpublished IOAS or ERR_PTR(-ENOMEM).
 */
struct iommufd_ioas *iommufd_ioas_new(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas;

	ioas = iommufd_object_new(ictx, &iommufd_ioas_class, struct iommufd_ioas);
	if (IS_ERR(ioas))
		return ioas;

	mutex_init(&ioas->mutex);
	INIT_LIST_HEAD(&ioas->hwpts);
	init_rwsem(&ioas->domains_rwsem);
	INIT_LIST_HEAD(&ioas->mirrors);
	ioas->huge_pages = true;
	init_rwsem(&ioas->iova_rwsem);
	iommufd_iova_init(&ioas->iova);
	xa_init_flags(&ioas->accesses, XA_FLAGS_ACCOUNT);
	return ioas;
}

/**
 * iommufd_ioas_huge_size - The alignment beyond which IOVAs gain nothing
 *
 * Return: bytes, a power of two.
 */
unsigned long iommufd_ioas_huge_size(void)
{
	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) ? PMD_SIZE : PAGE_SIZE;
}

/**
 * iommufd_ioas_huge_pages - May IOPTEs be larger than PAGE_SIZE?
 * @ioas: the IOAS
 *
 * Return: the setting of IOMMU_OPTION_HUGE_PAGES.
 */
bool iommufd_ioas_huge_pages(struct iommufd_ioas *ioas)
{
	guard(rwsem_read)(&ioas->domains_rwsem);
	return ioas->huge_pages;
}

/**
 * iommufd_ioas_set_huge_pages - Change IOMMU_OPTION_HUGE_PAGES
 * @ioas: the IOAS
 * @huge_pages: new value
 *
 * Context: Process context. Takes domains_rwsem and iova_rwsem for write.
 * Return: 0; -EINVAL: turned off while mappings are in a domain, or there is a dirty log;
 * -EADDRINUSE: turned off while a mapping is not page aligned.
 */
int iommufd_ioas_set_huge_pages(struct iommufd_ioas *ioas, bool huge_pages)
{
	int ret;

	guard(rwsem_write)(&ioas->domains_rwsem);
	guard(rwsem_write)(&ioas->iova_rwsem);

	if (huge_pages == ioas->huge_pages)
		return 0;
	if (!huge_pages) {
		if (ioas->dirty_log)
			return -EINVAL;
		if (!list_empty(&ioas->mirrors) && iommufd_area_first(ioas, 0, ULONG_MAX))
			return -EINVAL;
		ret = iommufd_ioas_raise_alignment(ioas, PAGE_SIZE);
		if (ret)
			return ret;
	}
	ioas->huge_pages = huge_pages;
	iommufd_ioas_update_alignment(ioas);
	return 0;
}

/**
 * iommufd_ioas_raise_alignment - Demand that mappings are aligned
 * @ioas: the IOAS
 * @alignment: bytes, a power of two up to PAGE_SIZE
 *
 * Context: Holds iova_rwsem for write.
 * Return: 0, or -EADDRINUSE when there are mappings that are not.
 */
int iommufd_ioas_raise_alignment(struct iommufd_ioas *ioas, unsigned long alignment)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->iova_rwsem);

	if (alignment <= ioas->iova.alignment)
		return 0;
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX)
		if (!iommufd_area_aligned(area, alignment))
			return -EADDRINUSE;
	ioas->iova.alignment = alignment;
	return 0;
}

/**
 * iommufd_ioas_update_alignment - Demand no more than is needed now
 * @ioas: the IOAS
 *
 * Context: Holds domains_rwsem, and iova_rwsem for write.
 */
void iommufd_ioas_update_alignment(struct iommufd_ioas *ioas)
{
	unsigned long alignment = ioas->huge_pages ? 1 : PAGE_SIZE;
	struct iommufd_mirror *mirror;

	lockdep_assert_held(&ioas->domains_rwsem);
	lockdep_assert_held_write(&ioas->iova_rwsem);

	list_for_each_entry(mirror, &ioas->mirrors, entry)
		alignment = max(alignment, 1UL << __ffs(mirror->domain->pgsize_bitmap));
	ioas->iova.alignment = max(alignment, iommufd_access_alignment(ioas));
}

/**
 * iommufd_ioas_alloc - IOMMU_IOAS_ALLOC
 * @cmd: struct iommu_ioas_alloc
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_ioas_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_alloc *arg = cmd->arg;
	struct iommufd_ioas *ioas = iommufd_ioas_new(cmd->ictx);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	arg->out_ioas_id = ioas->obj.id;
	cmd->new_obj = &ioas->obj;
	return 0;
}

/* Fill up to @room entries; returns how many ranges there are. */
static u32 list_ranges(struct iommufd_ioas *ioas, struct iommu_iova_range *ranges,
		       u32 room, u64 *alignment)
{
	unsigned long cursor = 0, start, last;
	u32 n = 0;

	guard(rwsem_read)(&ioas->iova_rwsem);
	while (iommufd_iova_next_usable(&ioas->iova, &cursor, &start, &last)) {
		if (n < room) {
			ranges[n].start = start;
			ranges[n].last = last;
		}
		n++;
	}
	*alignment = ioas->iova.alignment;
	return n;
}

/**
 * iommufd_ioas_iova_ranges - IOMMU_IOAS_IOVA_RANGES
 * @cmd: struct iommu_ioas_iova_ranges
 *
 * Return: 0; -ENOENT; -EFAULT; -ENOMEM; -EMSGSIZE: there are more ranges than the
 * caller has room for. As many as fit, and the number, are written all the same.
 */
int iommufd_ioas_iova_ranges(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_iova_ranges *arg = cmd->arg;
	u32 room, total = 0, capacity = arg->num_iovas;
	u64 alignment;

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	/* The answer may grow between two looks. */
	do {
		room = min(capacity, max(total, list_ranges(ioas, NULL, 0, &alignment)));
		struct iommu_iova_range *ranges __free(kvfree) =
			kvcalloc(room, sizeof(*ranges), GFP_KERNEL_ACCOUNT);
		if (!ranges)
			return -ENOMEM;
		total = list_ranges(ioas, ranges, room, &alignment);
		if (copy_to_user(u64_to_user_ptr(arg->allowed_iovas), ranges,
				 min(room, total) * sizeof(*ranges)))
			return -EFAULT;
	} while (room < min(capacity, total));

	arg->num_iovas = total;
	arg->out_iova_alignment = alignment;
	if (total <= capacity)
		return 0;
	cmd->reply_on_error = true;
	return -EMSGSIZE;
}

static int copy_allowed(const struct iommu_ioas_allow_iovas *arg, struct list_head *list)
{
	struct iommu_iova_range __user *uptr = u64_to_user_ptr(arg->allowed_iovas);
	struct iommu_iova_range range;
	u32 i;
	int ret;

	for (i = 0; i < arg->num_iovas; i++) {
		if (copy_from_user(&range, uptr + i, sizeof(range)))
			return -EFAULT;
		if (range.start >= range.last || range.last > ULONG_MAX)
			return -EINVAL;
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = iommufd_iova_list_add(list, range.start, range.last);
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/**
 * iommufd_ioas_allow_iovas - IOMMU_IOAS_ALLOW_IOVAS
 * @cmd: struct iommu_ioas_allow_iovas
 *
 * Return: 0; -ENOENT; -EFAULT; -EINVAL: a range that does not ascend, or two that
 * overlap; -EADDRINUSE: a range is reserved; -ENOMEM; -EINTR: the caller is being
 * killed. After an error the old list stays.
 */
int iommufd_ioas_allow_iovas(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_allow_iovas *arg = cmd->arg;
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->ioas_id);
	LIST_HEAD(list);
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	ret = copy_allowed(arg, &list);
	if (!ret) {
		guard(rwsem_write)(&ioas->iova_rwsem);
		ret = iommufd_iova_allow(&ioas->iova, &list);
	}
	iommufd_iova_list_free(&list);
	return ret;
}
