// SPDX-License-Identifier: GPL-2.0
/*
 * The IOAS object, its settings, and its commands.
 *
 * Commands check what user space gave and translate it; what they ask for happens in
 * mapping.c and iova.c.
 *
 * Locks: ioas->mutex, then ioas->domains_rwsem, then ioas->iova_rwsem. No user memory
 * is touched under any of them, except by pinning.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "access.h"
#include "area.h"
#include "ctx.h"
#include "ioas.h"
#include "ioctl.h"
#include "mapping.h"
#include "pages.h"
#include "pin_user.h"
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
 * Return: 0; -EINVAL: turned off while mappings are in a domain; -EADDRINUSE: turned
 * off while a mapping is not page aligned.
 */
int iommufd_ioas_set_huge_pages(struct iommufd_ioas *ioas, bool huge_pages)
{
	int ret;

	guard(rwsem_write)(&ioas->domains_rwsem);
	guard(rwsem_write)(&ioas->iova_rwsem);

	if (huge_pages == ioas->huge_pages)
		return 0;
	if (!huge_pages) {
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

static int map_prot(u32 flags, int *prot)
{
	*prot = IOMMU_CACHE;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		*prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		*prot |= IOMMU_WRITE;
	return *prot & (IOMMU_READ | IOMMU_WRITE) ? 0 : -EINVAL;
}

/**
 * iommufd_ioas_map_user - Map memory of the calling process
 * @ioas: where to
 * @place: IOVA, or a wish; its addr is the user address, its length not 0. The iova is
 *	   set to what was used.
 * @prot: IOMMU_READ and the like
 *
 * Context: Process context, may sleep for long.
 * Return: 0; -EOVERFLOW: the memory wraps around the end of the address space; -ENOMEM;
 * errors of iommufd_mapping_add().
 */
int iommufd_ioas_map_user(struct iommufd_ioas *ioas, struct iommufd_place *place, int prot)
{
	enum iommufd_account_mode mode = READ_ONCE(ioas->obj.ictx->account_mode);
	struct iommufd_area *area;
	unsigned long end;
	LIST_HEAD(areas);
	int ret;

	if (check_add_overflow(place->addr, place->length, &end))
		return -EOVERFLOW;

	struct iommufd_pages *pages __free(iommufd_pages_put) =
		iommufd_pin_user_new(place->addr, place->length, prot & IOMMU_WRITE, mode);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	area = iommufd_area_new(pages, offset_in_page(place->addr), place->length, prot);
	if (IS_ERR(area))
		return PTR_ERR(area);

	list_add(&area->entry, &areas);
	ret = iommufd_mapping_add(ioas, &areas, place);
	if (ret)
		iommufd_area_free(area);
	return ret;
}

/**
 * iommufd_ioas_map - IOMMU_IOAS_MAP
 * @cmd: struct iommu_ioas_map
 *
 * Return: 0; -EOVERFLOW: a number is out of range; -EINVAL: no direction, length 0 or
 * something misaligned; -ENOENT; and the errors of iommufd_mapping_add().
 */
int iommufd_ioas_map(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_map *arg = cmd->arg;
	struct iommufd_place place = {
		.fixed = arg->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.iova = arg->iova,
		.length = arg->length,
		.addr = arg->user_va,
	};
	int prot, ret;

	if (arg->iova >= ULONG_MAX || arg->length >= ULONG_MAX)
		return -EOVERFLOW;
	ret = map_prot(arg->flags, &prot);
	if (ret)
		return ret;

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (!place.length || place.length > ULONG_MAX - PAGE_SIZE)
		return -EINVAL;
	if (arg->user_va > ULONG_MAX)
		return -EOVERFLOW;

	ret = iommufd_ioas_map_user(ioas, &place, prot);
	if (!ret)
		arg->iova = place.iova;
	return ret;
}

static void free_areas(struct list_head *areas)
{
	struct iommufd_area *area, *tmp;

	list_for_each_entry_safe(area, tmp, areas, entry)
		iommufd_area_free(area);
}

/* Make areas for the memory that @src maps at [start, last]. */
static int copy_areas(struct iommufd_ioas *src, unsigned long start, unsigned long last,
		      int prot, struct list_head *areas, unsigned long *addr)
{
	struct iommufd_area *area, *copy;

	guard(rwsem_read)(&src->iova_rwsem);
	if (!iommufd_area_covers(src, start, last))
		return -ENOENT;

	iommufd_area_for_each(area, src, start, last) {
		unsigned long from = max(area->span.start, start);
		unsigned long offset = iommufd_area_offset(area, from);

		if ((prot & IOMMU_WRITE) && !area->pages->writable)
			return -EPERM;
		copy = iommufd_area_new(area->pages, offset,
					min(area->span.last, last) - from + 1, prot);
		if (IS_ERR(copy))
			return PTR_ERR(copy);
		if (list_empty(areas))
			*addr = area->pages->addr + offset;
		list_add_tail(&copy->entry, areas);
	}
	return 0;
}

/**
 * iommufd_ioas_copy - IOMMU_IOAS_COPY
 * @cmd: struct iommu_ioas_copy
 *
 * Return: 0; -EOVERFLOW: a number is out of range; -EINVAL: no direction, length 0 or
 * something misaligned; -ENOENT: no such IOAS, or the source has a hole; -EPERM: to be
 * writable, but was not mapped so; and the errors of iommufd_mapping_add().
 */
int iommufd_ioas_copy(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_copy *arg = cmd->arg;
	struct iommufd_place place = {
		.fixed = arg->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.iova = arg->dst_iova,
		.length = arg->length,
	};
	unsigned long last;
	LIST_HEAD(areas);
	int prot, ret;

	if (arg->length >= ULONG_MAX || arg->src_iova >= ULONG_MAX ||
	    arg->dst_iova >= ULONG_MAX)
		return -EOVERFLOW;
	ret = map_prot(arg->flags, &prot);
	if (ret)
		return ret;

	struct iommufd_ioas *src __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->src_ioas_id);
	if (IS_ERR(src))
		return PTR_ERR(src);
	struct iommufd_ioas *dst __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->dst_ioas_id);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (!place.length)
		return -EINVAL;
	if (check_add_overflow((unsigned long)arg->src_iova, place.length - 1, &last))
		return -EOVERFLOW;

	ret = copy_areas(src, arg->src_iova, last, prot, &areas, &place.addr);
	if (!ret)
		ret = iommufd_mapping_add(dst, &areas, &place);
	if (ret) {
		free_areas(&areas);
		return ret;
	}
	arg->dst_iova = place.iova;
	return 0;
}

/**
 * iommufd_ioas_unmap - IOMMU_IOAS_UNMAP
 * @cmd: struct iommu_ioas_unmap
 *
 * Return: 0; -EOVERFLOW: a number is out of range; -EINVAL: length 0; -ENOENT: no such
 * IOAS, nothing mapped, or a mapping sticks out of the range; -EBUSY; -EDEADLOCK.
 */
int iommufd_ioas_unmap(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_unmap *arg = cmd->arg;
	bool all = !arg->iova && arg->length == U64_MAX;
	unsigned long last = ULONG_MAX, unmapped;
	int ret;

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->ioas_id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	if (!all) {
		if (arg->iova >= ULONG_MAX || arg->length >= ULONG_MAX)
			return -EOVERFLOW;
		if (!arg->length)
			return -EINVAL;
		if (check_add_overflow((unsigned long)arg->iova,
				       (unsigned long)arg->length - 1, &last))
			return -EOVERFLOW;
	}

	ret = iommufd_mapping_remove(ioas, arg->iova, last, &unmapped);
	if (!ret && !all && !unmapped)
		ret = -ENOENT;
	if (!ret)
		arg->length = unmapped;
	return ret;
}
