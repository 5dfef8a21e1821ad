// SPDX-License-Identifier: GPL-2.0
/*
 * What a vDPA device that translates by itself is told about a mapping of an IOAS: the
 * pieces of a vhost_iotlb.
 *
 * A device of the kernel gets physical addresses, a piece for each run of pages that
 * follow one another. A device that a program plays (VDUSE) gets one piece, and with it
 * the file that the memory is of. The program has the whole file then, with the rights it
 * was opened with, so memory that is of no file can not be had this way, nor a mapping
 * that allows less than its file does.
 *
 * Either way the pages are pinned.
 *
 * Locks: the caller's, around the vhost_iotlb.
 */
#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

#include "vdpa_pieces.h"

/* As many as there are pointers in a page */
#define PIN_PAGES (PAGE_SIZE / sizeof(struct page *))

/*
 * VDUSE takes this for memory of its own where it finds a file in place of that. There is
 * none so far up, and its struct page would have an address that nobody can use.
 */
#define NO_MEMORY BIT_ULL(63)

/* Pages that follow one another in both address spaces */
struct run {
	u64 iova;
	u64 phys;
	u64 size;
	u32 perm;
};

static int add_run(struct vhost_iotlb *iotlb, const struct run *run)
{
	if (!run->size)
		return 0;
	return vhost_iotlb_add_range(iotlb, run->iova, run->iova + run->size - 1, run->phys,
				     run->perm);
}

/* Continue @run by one page, or begin a new one. */
static int add_page(struct vhost_iotlb *iotlb, struct run *run, u64 iova, u64 phys)
{
	int ret;

	if (run->size && run->phys + run->size == phys) {
		run->size += PAGE_SIZE;
		return 0;
	}
	ret = add_run(iotlb, run);
	run->iova = iova;
	run->phys = phys;
	run->size = PAGE_SIZE;
	return ret;
}

static int add_runs(struct vhost_iotlb *iotlb, struct run *run, u64 iova,
		    struct page **pages, unsigned long n)
{
	unsigned long i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = add_page(iotlb, run, iova + (i << PAGE_SHIFT), page_to_phys(pages[i]));
	return ret;
}

/*
 * Pin [@iova, @iova + @length) bit by bit; *@pinned says how far it came. Runs are added
 * if @files is not set.
 */
static int pin_range(struct vhost_iotlb *iotlb, struct iommufd_access *access,
		     unsigned long iova, unsigned long length, u32 perm, bool files,
		     unsigned long *pinned)
{
	unsigned int flags = perm & VHOST_MAP_WO ? IOMMUFD_ACCESS_RW_WRITE : 0;
	struct page **pages __free(kfree) = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	struct run run = { .perm = perm };
	int ret = 0;

	if (!pages)
		return -ENOMEM;

	while (!ret && *pinned < length) {
		unsigned long at = iova + *pinned;
		unsigned long n = min(length - *pinned, PIN_PAGES << PAGE_SHIFT);

		ret = iommufd_access_pin_pages(access, at, n, pages, flags);
		if (ret)
			return ret;
		*pinned += n;
		if (!files)
			ret = add_runs(iotlb, &run, at, pages, n >> PAGE_SHIFT);
	}
	return ret ?: add_run(iotlb, &run);
}

static int add_file(struct vhost_iotlb *iotlb, struct iommufd_access *access,
		    unsigned long iova, unsigned long length, u32 perm)
{
	struct vdpa_map_file *map_file = kmalloc(sizeof(*map_file), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!map_file)
		return -ENOMEM;
	map_file->file = iommufd_access_get_file(access, iova, &map_file->offset);
	if (IS_ERR(map_file->file)) {
		ret = PTR_ERR(map_file->file);
		goto free;
	}
	ret = -EPERM;
	if (perm == VHOST_MAP_RW || !(map_file->file->f_mode & FMODE_WRITE))
		ret = vhost_iotlb_add_range_ctx(iotlb, iova, iova + length - 1, NO_MEMORY,
						perm, map_file);
	if (!ret)
		return 0;
	fput(map_file->file);
free:
	kfree(map_file);
	return ret;
}

static u32 perm_of(int prot)
{
	return (prot & IOMMU_READ ? VHOST_MAP_RO : 0) | (prot & IOMMU_WRITE ? VHOST_MAP_WO : 0);
}

/**
 * vhost_vdpa_pieces_add - Pin a mapping of an IOAS and describe it
 * @iotlb: gets the pieces
 * @access: the device, attached to the IOAS
 * @iova: where the mapping begins
 * @length: bytes of it
 * @prot: its IOMMU_READ and IOMMU_WRITE
 * @files: describe it by its file
 *
 * Context: Process context, may sleep for long.
 * Return: 0; -EOPNOTSUPP: the memory is not of a file; -EPERM: the file is open for more
 * than @prot; -ENOMEM; errors of iommufd_access_pin_pages(). After an error nothing is
 * pinned, and no piece has been added.
 */
int vhost_vdpa_pieces_add(struct vhost_iotlb *iotlb, struct iommufd_access *access,
			  unsigned long iova, unsigned long length, int prot, bool files)
{
	unsigned long pinned = 0;
	u32 perm = perm_of(prot);
	int ret;

	ret = pin_range(iotlb, access, iova, length, perm, files, &pinned);
	if (!ret && files)
		ret = add_file(iotlb, access, iova, length, perm);
	if (!ret)
		return 0;
	vhost_vdpa_pieces_del(iotlb, iova, iova + length - 1);
	if (pinned)
		iommufd_access_unpin_pages(access, iova, pinned);
	return ret;
}

/**
 * vhost_vdpa_pieces_del - Remove the description of what lies in a range
 * @iotlb: where from
 * @start: first IOVA
 * @last: last IOVA, inclusive. No piece sticks out of the range
 *
 * The pages stay pinned.
 *
 * Context: Process context.
 */
void vhost_vdpa_pieces_del(struct vhost_iotlb *iotlb, u64 start, u64 last)
{
	struct vhost_iotlb_map *map;

	while ((map = vhost_iotlb_itree_first(iotlb, start, last))) {
		struct vdpa_map_file *map_file = map->opaque;

		if (map_file)
			fput(map_file->file);
		kfree(map_file);
		vhost_iotlb_map_free(iotlb, map);
	}
}
