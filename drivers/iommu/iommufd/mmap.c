// SPDX-License-Identifier: GPL-2.0
/*
 * mmap() of the context: registers that a driver hands to a guest.
 *
 * A driver registers a region for an object and tells user space its offset. The region
 * is mapped as a whole. A mapping is a user of the object, so neither the object nor what
 * is mapped goes away under it; and it keeps the file, and with that the context.
 *
 * Locks: the one of ictx->mmaps; inside it only that of ictx->objects.
 */
#include <linux/cleanup.h>
#include <linux/iommufd.h>
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "ctx.h"
#include "mmap.h"
#include "object.h"

/**
 * struct region - What can be mapped
 * @owner: its users are the mappings, among others. Immutable
 * @phys: where it is, immutable
 * @npages: how much, immutable
 * @pgoff: its offset in the file in pages, immutable
 */
struct region {
	struct iommufd_object *owner;
	phys_addr_t phys;
	unsigned long npages;
	unsigned long pgoff;
};

/**
 * iommufd_mmap_init - Prepare a new context
 * @ictx: the context
 */
void iommufd_mmap_init(struct iommufd_ctx *ictx)
{
	mt_init_flags(&ictx->mmaps, MT_FLAGS_ALLOC_RANGE);
}

/**
 * iommufd_mmap_exit - A context goes, all objects of which are gone
 * @ictx: the context
 */
void iommufd_mmap_exit(struct iommufd_ctx *ictx)
{
	WARN_ON(!mtree_empty(&ictx->mmaps));
	mtree_destroy(&ictx->mmaps);
}

/**
 * _iommufd_alloc_mmap - Let user space map something
 * @ictx: the context
 * @owner: object it belongs to; can not be destroyed while it is mapped
 * @phys: where it is, page aligned
 * @length: bytes, whole pages
 * @offset: set to what user space has to give to mmap()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL: not whole pages; -ENOMEM.
 */
int _iommufd_alloc_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			phys_addr_t phys, size_t length, unsigned long *offset)
{
	struct region *region __free(kfree) = NULL;
	int ret;

	if (!length || !PAGE_ALIGNED(phys) || !PAGE_ALIGNED(length))
		return -EINVAL;
	region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		return -ENOMEM;
	region->owner = owner;
	region->phys = phys;
	region->npages = length >> PAGE_SHIFT;
	/* Not at 0, which a caller that forgot the offset would use. */
	ret = mtree_alloc_range(&ictx->mmaps, &region->pgoff, region, region->npages, 1,
				ULONG_MAX >> PAGE_SHIFT, GFP_KERNEL_ACCOUNT);
	if (ret)
		return -ENOMEM;
	*offset = no_free_ptr(region)->pgoff << PAGE_SHIFT;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(_iommufd_alloc_mmap, IOMMUFD);

/**
 * _iommufd_destroy_mmap - Undo _iommufd_alloc_mmap()
 * @ictx: the context
 * @owner: the object, which is being destroyed and therefore not mapped
 * @offset: as it was set
 *
 * Context: Process context, may sleep.
 */
void _iommufd_destroy_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			   unsigned long offset)
{
	struct region *region = mtree_load(&ictx->mmaps, offset >> PAGE_SHIFT);

	if (WARN_ON(!region || region->owner != owner))
		return;
	/* mtree_erase() does not say when it fails for want of memory. */
	mtree_store_range(&ictx->mmaps, region->pgoff, region->pgoff + region->npages - 1,
			  NULL, GFP_KERNEL | __GFP_NOFAIL);
	kfree(region);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_destroy_mmap, IOMMUFD);

static void vma_open(struct vm_area_struct *vma)
{
	struct region *region = vma->vm_private_data;

	/* The mapping it is a copy of is a user. */
	WARN_ON(iommufd_object_use(region->owner));
}

static void vma_close(struct vm_area_struct *vma)
{
	struct region *region = vma->vm_private_data;

	iommufd_object_unuse(region->owner);
}

static const struct vm_operations_struct vm_ops = {
	.open = vma_open,
	.close = vma_close,
};

/* Find the region and become a user of its owner. */
static struct region *use_region(struct iommufd_ctx *ictx, unsigned long pgoff,
				 unsigned long npages)
{
	struct region *region;

	/* An owner that is on its way out takes its region out under this lock. */
	guard(spinlock)(&ictx->mmaps.ma_lock);
	region = mtree_load(&ictx->mmaps, pgoff);
	if (!region || region->pgoff != pgoff || region->npages != npages)
		return NULL;
	return iommufd_object_use_published(region->owner) ? NULL : region;
}

/**
 * iommufd_mmap - mmap() of an iommufd
 * @file: the iommufd
 * @vma: the mapping to be
 *
 * Context: Process context. Holds the mmap lock.
 * Return: 0; -EINVAL: not shared; -EPERM: to be executed; -ENXIO: offset and length are
 * not those of a region; -ENOMEM.
 */
int iommufd_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct iommufd_ctx *ictx = file->private_data;
	struct region *region;
	int ret;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	region = use_region(ictx, vma->vm_pgoff, vma_pages(vma));
	if (!region)
		return -ENXIO;

	vma->vm_private_data = region;
	vma->vm_ops = &vm_ops;
	vm_flags_mod(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	ret = io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(region->phys),
				 region->npages << PAGE_SHIFT, vma->vm_page_prot);
	/* There is no close() after an error. */
	if (ret)
		iommufd_object_unuse(region->owner);
	return ret;
}
