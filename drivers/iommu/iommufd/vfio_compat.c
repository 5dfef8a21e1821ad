// SPDX-License-Identifier: GPL-2.0
/*
 * The VFIO container interface: an IOAS that stands for a container, and its commands.
 *
 * VFIO attaches a group that user space put on an iommufd to the compatibility IOAS of
 * the context. User space may choose that IOAS; otherwise VFIO has one made. The choice
 * is a plain pointer: the IOAS clears it when it goes.
 *
 * Locks: the lock of ictx->objects protects ictx->vfio_ioas and ictx->no_iommu.
 */
#include <linux/capability.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "ctx.h"
#include "hwpt.h"
#include "ioas.h"
#include "ioas_map.h"
#include "ioctl.h"
#include "mapping.h"
#include "object.h"
#include "vfio_compat.h"
#include "vfio_dirty.h"

/**
 * iommufd_vfio_compat_forget - An IOAS goes away
 * @ioas: the IOAS
 */
void iommufd_vfio_compat_forget(struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ictx = ioas->obj.ictx;

	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->vfio_ioas == ioas)
		ictx->vfio_ioas = NULL;
}

/**
 * iommufd_vfio_compat_ioas_get_id - The id of the compatibility IOAS
 * @ictx: the context
 * @out_ioas_id: set to the id
 *
 * Return: 0, or -ENODEV when there is none.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (!ictx->vfio_ioas)
		return -ENODEV;
	*out_ioas_id = ictx->vfio_ioas->obj.id;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu - Let a context serve devices without an IOMMU
 * @ictx: the context
 *
 * Return: 0, or -EINVAL when it has a compatibility IOAS.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->vfio_ioas)
		return -EINVAL;
	WRITE_ONCE(ictx->no_iommu, true);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/* Install and publish @ioas unless there is one already. */
static int install(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->no_iommu)
		return -EINVAL;
	if (ictx->vfio_ioas)
		return -EEXIST;
	ictx->vfio_ioas = ioas;
	__iommufd_object_publish(&ioas->obj);
	return 0;
}

/**
 * iommufd_vfio_compat_ioas_create - Make sure that there is a compatibility IOAS
 * @ictx: the context
 *
 * Return: 0; -EINVAL: the context serves devices without an IOMMU; -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_ioas_new(ictx);
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	ret = install(ictx, ioas);
	if (ret) {
		iommufd_object_abort(&ioas->obj);
		return ret == -EEXIST ? 0 : ret;
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

static int tell_ioas(struct iommufd_ctx *ictx, u32 __user *uptr)
{
	u32 id;

	return iommufd_vfio_compat_ioas_get_id(ictx, &id) ?: put_user(id, uptr);
}

static int select_ioas(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = iommufd_ioas_get(ictx, id);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	guard(spinlock)(&ictx->objects.xa_lock);
	ictx->vfio_ioas = ioas;
	return 0;
}

/**
 * iommufd_vfio_ioas - IOMMU_VFIO_IOAS
 * @cmd: struct iommu_vfio_ioas
 *
 * Return: 0; -EOPNOTSUPP: unknown operation; -ENODEV: none is selected; -ENOENT; -EFAULT.
 */
int iommufd_vfio_ioas(struct iommufd_cmd *cmd)
{
	struct iommu_vfio_ioas __user *uptr = cmd->uptr;
	struct iommu_vfio_ioas *arg = cmd->arg;

	switch (arg->op) {
	case IOMMU_VFIO_IOAS_GET:
		return tell_ioas(cmd->ictx, &uptr->ioas_id);
	case IOMMU_VFIO_IOAS_SET:
		return select_ioas(cmd->ictx, arg->ioas_id);
	case IOMMU_VFIO_IOAS_CLEAR: {
		guard(spinlock)(&cmd->ictx->objects.xa_lock);
		cmd->ictx->vfio_ioas = NULL;
		return 0;
	}
	default:
		return -EOPNOTSUPP;
	}
}

/* The compatibility IOAS for the length of a system call. */
static struct iommufd_ioas *get_compat_ioas(struct iommufd_ctx *ictx)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (!ictx->vfio_ioas || !refcount_inc_not_zero(&ictx->vfio_ioas->obj.short_users))
		return ERR_PTR(-ENODEV);
	return ictx->vfio_ioas;
}

static int all_coherent(struct iommufd_ioas *ioas)
{
	struct iommufd_hwpt *hwpt;

	guard(mutex)(&ioas->mutex);
	list_for_each_entry(hwpt, &ioas->hwpts, entry)
		if (!hwpt->enforce_cc)
			return 0;
	return 1;
}

static int check_extension(struct iommufd_ctx *ictx, unsigned long extension)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = NULL;

	switch (extension) {
	case VFIO_TYPE1_IOMMU:
	case VFIO_TYPE1v2_IOMMU:
	case VFIO_UNMAP_ALL:
		return !READ_ONCE(ictx->no_iommu);
	case VFIO_DMA_CC_IOMMU:
		ioas = get_compat_ioas(ictx);
		return IS_ERR(ioas) ? PTR_ERR(ioas) : all_coherent(ioas);
	case VFIO_NOIOMMU_IOMMU:
		return IS_ENABLED(CONFIG_VFIO_NOIOMMU);
	default:
		return 0;
	}
}

static int set_iommu(struct iommufd_ctx *ictx, unsigned long type)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = NULL;

	if (READ_ONCE(ictx->no_iommu)) {
		if (type != VFIO_NOIOMMU_IOMMU)
			return -EINVAL;
		return capable(CAP_SYS_RAWIO) ? 0 : -EPERM;
	}
	if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
		return -EINVAL;

	ioas = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	/* The first version can unmap parts, which needs small IOPTEs. */
	return type == VFIO_TYPE1_IOMMU ? iommufd_ioas_set_huge_pages(ioas, false) : 0;
}

/* Page sizes that a mapping may count on; none below that of the CPU are told. */
static u64 page_sizes(struct iommufd_ioas *ioas)
{
	struct iommufd_mirror *mirror;
	u64 sizes = U64_MAX;

	guard(rwsem_read)(&ioas->domains_rwsem);
	list_for_each_entry(mirror, &ioas->mirrors, entry)
		sizes &= mirror->domain->pgsize_bitmap;
	if (sizes & ~PAGE_MASK)
		sizes = (sizes & PAGE_MASK) | PAGE_SIZE;

	guard(rwsem_read)(&ioas->iova_rwsem);
	return max_t(u64, sizes, ioas->iova.alignment);
}

/* @migration is told, and copied, only where it applies. */
struct compat_caps {
	struct vfio_iommu_type1_info_cap_migration migration;
	struct vfio_iommu_type1_info_dma_avail avail;
	u32 pad;
	struct vfio_iommu_type1_info_cap_iova_range ranges;
};

static void fill_range(struct compat_caps *caps, u32 n, unsigned long start,
		       unsigned long last)
{
	caps->ranges.iova_ranges[n].start = start;
	caps->ranges.iova_ranges[n].end = last;
}

static u32 cap_offset(size_t member, size_t skip)
{
	return sizeof(struct vfio_iommu_type1_info) + member - skip;
}

static void fill_fixed_caps(struct compat_caps *caps, size_t skip)
{
	caps->migration.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION;
	caps->migration.header.version = 1;
	caps->migration.header.next = cap_offset(offsetof(struct compat_caps, avail), skip);
	caps->migration.pgsize_bitmap = PAGE_SIZE;
	caps->migration.max_dirty_bitmap_size = IOMMUFD_VFIO_DIRTY_BYTES;

	caps->avail.header.id = VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL;
	caps->avail.header.version = 1;
	caps->avail.header.next = cap_offset(offsetof(struct compat_caps, ranges), skip);
	/* There is no limit. */
	caps->avail.avail = U32_MAX;
}

/*
 * The capability chain. What follows struct vfio_iommu_type1_info are the bytes from
 * *@skip on: mappings that need not be page aligned can not be told apart in a bitmap of
 * pages, so they have no migration.
 */
static struct compat_caps *make_caps(struct iommufd_ioas *ioas, size_t *skip, size_t *size)
{
	unsigned long cursor = 0, start, last;
	struct compat_caps *caps;
	u32 total = 0, n = 0;

	guard(rwsem_read)(&ioas->iova_rwsem);
	while (iommufd_iova_next_usable(&ioas->iova, &cursor, &start, &last))
		total++;

	*size = struct_size(caps, ranges.iova_ranges, total);
	caps = kvzalloc(*size, GFP_KERNEL_ACCOUNT);
	if (!caps)
		return ERR_PTR(-ENOMEM);

	*skip = ioas->iova.alignment < PAGE_SIZE ? offsetof(struct compat_caps, avail) : 0;
	fill_fixed_caps(caps, *skip);
	caps->ranges.header.id = VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE;
	caps->ranges.header.version = 1;
	caps->ranges.nr_iovas = total;
	for (cursor = 0; iommufd_iova_next_usable(&ioas->iova, &cursor, &start, &last); n++)
		fill_range(caps, n, start, last);
	return caps;
}

static int get_info(struct iommufd_ctx *ictx, void __user *uptr)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_info, iova_pgsizes);
	struct vfio_iommu_type1_info info = { };
	size_t skip, caps_size;
	u32 argsz;

	if (copy_from_user(&info, uptr, minsz))
		return -EFAULT;
	argsz = info.argsz;
	if (argsz < minsz)
		return -EINVAL;

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	struct compat_caps *caps __free(kvfree) = make_caps(ioas, &skip, &caps_size);
	if (IS_ERR(caps))
		return PTR_ERR(no_free_ptr(caps));

	info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
	info.iova_pgsizes = page_sizes(ioas);
	caps_size -= skip;
	info.argsz = sizeof(info) + caps_size;
	if (argsz >= info.argsz) {
		info.cap_offset = sizeof(info);
		if (copy_to_user(uptr + sizeof(info), (void *)caps + skip, caps_size))
			return -EFAULT;
	}
	return copy_to_user(uptr, &info, min_t(size_t, argsz, sizeof(info))) ? -EFAULT : 0;
}

static int map_dma(struct iommufd_ctx *ictx, void __user *uptr)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dma_map, size);
	struct vfio_iommu_type1_dma_map map;
	struct iommufd_place place = { .fixed = true };
	int prot = IOMMU_CACHE;

	if (copy_from_user(&map, uptr, minsz))
		return -EFAULT;
	if (map.argsz < minsz ||
	    map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
		return -EINVAL;
	if (map.flags & VFIO_DMA_MAP_FLAG_READ)
		prot |= IOMMU_READ;
	if (map.flags & VFIO_DMA_MAP_FLAG_WRITE)
		prot |= IOMMU_WRITE;

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (map.iova >= ULONG_MAX || map.size >= ULONG_MAX || map.vaddr > ULONG_MAX)
		return -EOVERFLOW;
	if (!map.size || map.size > ULONG_MAX - PAGE_SIZE)
		return -EINVAL;
	place.iova = map.iova;
	place.length = map.size;
	place.addr = map.vaddr;
	return iommufd_ioas_map_user(ioas, &place, prot);
}

/* The first version of type1 unmaps exactly what is asked for. */
static int cut_at(struct iommufd_ioas *ioas, unsigned long iova, unsigned long length)
{
	unsigned long end;
	int ret = 0;

	guard(rwsem_read)(&ioas->domains_rwsem);
	if (ioas->huge_pages)
		return 0;
	guard(rwsem_write)(&ioas->iova_rwsem);
	if (iova)
		ret = iommufd_area_split(ioas, iova);
	if (!ret && !check_add_overflow(iova, length, &end) && end)
		ret = iommufd_area_split(ioas, end);
	return ret;
}

static int unmap_range(struct iommufd_ioas *ioas, struct vfio_iommu_type1_dma_unmap *unmap,
		       unsigned long *unmapped)
{
	unsigned long last = ULONG_MAX;
	int ret;

	if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		if (unmap->iova || unmap->size)
			return -EINVAL;
		return iommufd_mapping_remove(ioas, 0, last, unmapped);
	}

	if (unmap->iova >= ULONG_MAX || unmap->size >= ULONG_MAX)
		return -EOVERFLOW;
	ret = cut_at(ioas, unmap->iova, unmap->size);
	if (ret)
		return ret;
	if (!unmap->size)
		return -EINVAL;
	if (check_add_overflow((unsigned long)unmap->iova, (unsigned long)unmap->size - 1,
			       &last))
		return -EOVERFLOW;
	return iommufd_mapping_remove(ioas, unmap->iova, last, unmapped);
}

static int unmap_dma(struct iommufd_ctx *ictx, void __user *uptr)
{
	const size_t minsz = offsetofend(struct vfio_iommu_type1_dma_unmap, size);
	struct vfio_iommu_type1_dma_unmap unmap;
	unsigned long unmapped = 0;
	int ret;

	if (copy_from_user(&unmap, uptr, minsz))
		return -EFAULT;
	if (unmap.argsz < minsz)
		return -EINVAL;
	if (unmap.flags == VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
		if (unmap.argsz < minsz + sizeof(struct vfio_bitmap))
			return -EINVAL;
	} else if (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL) {
		return -EINVAL;
	}

	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = get_compat_ioas(ictx);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	if (unmap.flags == VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP)
		ret = iommufd_vfio_dirty_unmap(ioas, &unmap, uptr + minsz, &unmapped);
	else
		ret = unmap_range(ioas, &unmap, &unmapped);
	if (ret)
		return ret;
	unmap.size = unmapped;
	return copy_to_user(uptr, &unmap, minsz) ? -EFAULT : 0;
}

static long dirty_pages(struct iommufd_ctx *ictx, void __user *uptr)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = get_compat_ioas(ictx);

	return IS_ERR(ioas) ? PTR_ERR(ioas) : iommufd_vfio_dirty_pages(ioas, uptr);
}

/**
 * iommufd_vfio_compat_ioctl - Commands of a VFIO container
 * @ictx: the context
 * @nr: command word
 * @arg: its argument
 *
 * They work on the compatibility IOAS. Bytes beyond what a command knows are ignored,
 * as VFIO does, and an unmap that finds nothing is a success.
 *
 * Context: Process context.
 * Return: what VFIO's type1 container returns; -ENODEV when there is no compatibility
 * IOAS; -ENOTTY for unknown commands.
 */
long iommufd_vfio_compat_ioctl(struct iommufd_ctx *ictx, unsigned int nr,
			       unsigned long arg)
{
	void __user *uptr = (void __user *)arg;

	switch (nr) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return check_extension(ictx, arg);
	case VFIO_SET_IOMMU:
		return set_iommu(ictx, arg);
	case VFIO_IOMMU_GET_INFO:
		return get_info(ictx, uptr);
	case VFIO_IOMMU_MAP_DMA:
		return map_dma(ictx, uptr);
	case VFIO_IOMMU_UNMAP_DMA:
		return unmap_dma(ictx, uptr);
	case VFIO_IOMMU_DIRTY_PAGES:
		return dirty_pages(ictx, uptr);
	default:
		return -ENOTTY;
	}
}
