// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty pages of a VFIO container: VFIO_IOMMU_DIRTY_PAGES, and the bitmap that an unmap
 * can fill in.
 *
 * The interface and its errnos are those of type1; what counts as dirty is the business
 * of dirty_log.c. A bit stands for PAGE_SIZE, the smallest page size that a container
 * tells, and the caller clears the bitmap beforehand.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "area.h"
#include "ioas.h"
#include "mapping.h"
#include "vfio_dirty.h"

struct request {
	unsigned long start;
	unsigned long last;
	u8 __user *data;
};

/* A range of whole pages and a bitmap that is large enough for it. */
static int check_request(u64 iova, u64 size, const struct vfio_bitmap *bitmap,
			 struct request *request)
{
	u64 npages = size >> PAGE_SHIFT, last;

	if (!access_ok(bitmap->data, bitmap->size))
		return -EINVAL;
	if (bitmap->pgsize != PAGE_SIZE || !npages || (iova | size) & ~PAGE_MASK ||
	    check_add_overflow(iova, size - 1, &last) || last > ULONG_MAX)
		return -EINVAL;
	if (bitmap->size > IOMMUFD_VFIO_DIRTY_BYTES ||
	    bitmap->size < BITS_TO_U64(npages) * sizeof(u64))
		return -EINVAL;

	request->start = iova;
	request->last = last;
	request->data = (u8 __user *)bitmap->data;
	return 0;
}

static bool bisects(struct iommufd_ioas *ioas, const struct request *request)
{
	struct iommufd_area *first, *last;

	first = iommufd_area_first(ioas, request->start, request->start);
	last = iommufd_area_first(ioas, request->last, request->last);
	return (first && first->span.start != request->start) ||
	       (last && last->span.last != request->last);
}

static int get_bitmap(struct iommufd_ioas *ioas, u32 argsz, const void __user *uptr)
{
	struct vfio_iommu_type1_dirty_bitmap_get range;
	struct request request;
	int ret;

	if (argsz - sizeof(struct vfio_iommu_type1_dirty_bitmap) < sizeof(range))
		return -EINVAL;
	if (copy_from_user(&range, uptr + sizeof(struct vfio_iommu_type1_dirty_bitmap),
			   sizeof(range)))
		return -EFAULT;
	ret = check_request(range.iova, range.size, &range.bitmap, &request);
	if (ret)
		return ret;

	guard(rwsem_read)(&ioas->domains_rwsem);
	guard(rwsem_read)(&ioas->iova_rwsem);
	if (bisects(ioas, &request))
		return -EINVAL;
	return iommufd_dirty_log_read(ioas, request.start, request.last, request.data, NULL);
}

/**
 * iommufd_vfio_dirty_pages - VFIO_IOMMU_DIRTY_PAGES
 * @ioas: the compatibility IOAS
 * @uptr: struct vfio_iommu_type1_dirty_bitmap
 *
 * Context: Process context, may sleep.
 * Return: 0; -EACCES: the container is of type1's first version; -EFAULT; -EINVAL: not
 * exactly one flag, argsz too small, the log is off, something is not aligned, the page
 * size of the bitmap is not the smallest, the bitmap is too small or far too large, a
 * mapping sticks out of the range; -ENOMEM; errors of the IOMMU driver.
 */
long iommufd_vfio_dirty_pages(struct iommufd_ioas *ioas, void __user *uptr)
{
	struct vfio_iommu_type1_dirty_bitmap dirty;

	if (!iommufd_ioas_huge_pages(ioas))
		return -EACCES;
	if (copy_from_user(&dirty, uptr, sizeof(dirty)))
		return -EFAULT;
	if (dirty.argsz < sizeof(dirty))
		return -EINVAL;

	switch (dirty.flags) {
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_START:
		return iommufd_dirty_log_start(ioas);
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP:
		iommufd_dirty_log_stop(ioas);
		return 0;
	case VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP:
		return get_bitmap(ioas, dirty.argsz, uptr);
	default:
		return -EINVAL;
	}
}

/* In-kernel users are gone, so this is the last that can be known. */
static int look(struct iommufd_ioas *ioas, const struct list_head *areas, void *data)
{
	const struct request *request = data;

	guard(rwsem_read)(&ioas->iova_rwsem);
	return iommufd_dirty_log_read(ioas, request->start, request->last, request->data,
				      areas);
}

/**
 * iommufd_vfio_dirty_unmap - Unmap, and tell what was written to
 * @ioas: the compatibility IOAS
 * @unmap: the range, with VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP and no other flag
 * @data: struct vfio_bitmap
 * @unmapped: set to the number of bytes that were mapped
 *
 * What a device writes while this runs may be missed: it has no business there.
 *
 * Context: Process context, may sleep for long.
 * Return: 0; -EFAULT; -EINVAL as above; errors of iommufd_mapping_remove_after().
 */
int iommufd_vfio_dirty_unmap(struct iommufd_ioas *ioas,
			     const struct vfio_iommu_type1_dma_unmap *unmap,
			     const void __user *data, unsigned long *unmapped)
{
	struct vfio_bitmap bitmap;
	struct request request;
	int ret;

	if (copy_from_user(&bitmap, data, sizeof(bitmap)))
		return -EFAULT;
	ret = check_request(unmap->iova, unmap->size, &bitmap, &request);
	if (ret)
		return ret;
	/* Before in-kernel users are asked to let go; the log is looked at again. */
	scoped_guard(rwsem_read, &ioas->domains_rwsem)
		if (!ioas->dirty_log)
			return -EINVAL;
	return iommufd_mapping_remove_after(ioas, request.start, request.last, unmapped,
					    look, &request);
}
