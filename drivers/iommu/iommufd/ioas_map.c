// SPDX-License-Identifier: GPL-2.0
/*
 * The commands that change the mappings of an IOAS: map, copy, unmap.
 *
 * They check what user space gave and describe the memory; where it goes, pinning and
 * page tables are the business of mapping.c.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "ctx.h"
#include "device_memory.h"
#include "ioas.h"
#include "ioas_map.h"
#include "ioctl.h"
#include "mapping.h"
#include "pages.h"
#include "pin_file.h"
#include "pin_user.h"

static int map_prot(u32 flags, int *prot)
{
	*prot = IOMMU_CACHE;
	if (flags & IOMMU_IOAS_MAP_READABLE)
		*prot |= IOMMU_READ;
	if (flags & IOMMU_IOAS_MAP_WRITEABLE)
		*prot |= IOMMU_WRITE;
	return *prot & (IOMMU_READ | IOMMU_WRITE) ? 0 : -EINVAL;
}

static void free_areas(struct list_head *areas)
{
	struct iommufd_area *area, *tmp;

	list_for_each_entry_safe(area, tmp, areas, entry)
		iommufd_area_free(area);
}

/* @place->addr is an address in the source of the pages object. */
static int map_pages(struct iommufd_ioas *ioas, struct iommufd_pages *pages,
		     struct iommufd_place *place, int prot)
{
	struct iommufd_area *area;
	LIST_HEAD(areas);
	int ret;

	area = iommufd_area_new(pages, place->addr - pages->addr, place->length, prot);
	if (IS_ERR(area))
		return PTR_ERR(area);

	list_add(&area->entry, &areas);
	ret = iommufd_mapping_add(ioas, &areas, place);
	if (ret)
		free_areas(&areas);
	return ret;
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
 * errors of iommufd_device_memory_pages() and iommufd_mapping_add().
 */
int iommufd_ioas_map_user(struct iommufd_ioas *ioas, struct iommufd_place *place, int prot)
{
	unsigned long end;

	if (check_add_overflow(place->addr, place->length, &end))
		return -EOVERFLOW;

	struct iommufd_pages *pages __free(iommufd_pages_put) =
		iommufd_device_memory_pages(ioas->obj.ictx, place, prot);
	if (!pages)
		pages = iommufd_pin_user_new(ioas->obj.ictx, place->addr,
					     prot & IOMMU_WRITE);
	return IS_ERR(pages) ? PTR_ERR(pages) : map_pages(ioas, pages, place, prot);
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

/**
 * iommufd_ioas_map_file - IOMMU_IOAS_MAP_FILE
 * @cmd: struct iommu_ioas_map_file
 *
 * Return: 0; -EOVERFLOW: a number is out of range; -EINVAL: no direction, length 0 or
 * something misaligned; -ENOENT; and the errors of iommufd_pin_file_new() and
 * iommufd_mapping_add().
 */
int iommufd_ioas_map_file(struct iommufd_cmd *cmd)
{
	struct iommu_ioas_map_file *arg = cmd->arg;
	struct iommufd_place place = {
		.fixed = arg->flags & IOMMU_IOAS_MAP_FIXED_IOVA,
		.iova = arg->iova,
		.length = arg->length,
		.addr = arg->start,
	};
	unsigned long last;
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
	if (!place.length)
		return -EINVAL;
	if (arg->start > ULONG_MAX || check_add_overflow(place.addr, place.length - 1, &last))
		return -EOVERFLOW;

	struct iommufd_pages *pages __free(iommufd_pages_put) =
		iommufd_pin_file_new(cmd->ictx, arg->fd, arg->start, place.length,
				     prot & IOMMU_WRITE);
	if (IS_ERR(pages))
		return PTR_ERR(pages);
	ret = map_pages(ioas, pages, &place, prot);
	if (!ret)
		arg->iova = place.iova;
	return ret;
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
