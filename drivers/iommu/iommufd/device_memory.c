// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of devices as the target of other devices: peer-to-peer DMA.
 *
 * A process that has mapped a BAR of a device can map it in an IOAS as it does with
 * other memory, by its address. Such memory is not pinned, for it belongs to the device
 * and not to the memory management. Instead its driver says when it goes away: when
 * memory decoding is turned off, before a reset or low power, and before the device is
 * closed. Then it is taken out of every page table and flushed before the driver goes
 * on. This is for good. The areas stay in their IOAS, can be unmapped and copied, and
 * lead nowhere: what is at these addresses later may be in another state, or another
 * device, and only user space knows whether peers shall reach it; it maps anew.
 *
 * A device counts its revocations. A pages object knows the count of the time before it
 * looked at the device, so one that came too late is revoked from the start.
 *
 * Only devices bound to the same context are reached this way, and the context's own
 * process could already do to them whatever its devices can.
 *
 * Locks: memory->lock is inside of all locks of iommufd and of the driver's locks, as
 * the driver revokes while it holds off accesses by processors. iommufd_switch_rwsem is
 * inside of it. registry is a leaf.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "area.h"
#include "ctx.h"
#include "device_memory.h"
#include "mapping.h"

/**
 * struct iommufd_device_memory - The memory of one bound device
 * @refs: one of the bound device, one of each pages object
 * @ictx: the context, only to compare
 * @lock: protects what follows
 * @revocations: how often the memory went away
 * @windows: where it is mapped, struct window by domain and IOVA. As many as a program
 *	     likes to pay for
 */
struct iommufd_device_memory {
	refcount_t refs;
	const struct iommufd_ctx *ictx;

	struct mutex lock; /* protects what follows */
	u64 revocations;
	struct rb_root windows;
};

/* One area in one domain. */
struct window {
	struct rb_node node;
	struct iommu_domain *domain;
	unsigned long iova;
	unsigned long length;
};

static int compare(const struct window *a, const struct window *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	if (a->iova != b->iova)
		return a->iova < b->iova ? -1 : 1;
	return 0;
}

static bool comes_before(struct rb_node *a, const struct rb_node *b)
{
	return compare(rb_entry(a, struct window, node), rb_entry(b, struct window, node)) < 0;
}

static int compare_key(const void *key, const struct rb_node *node)
{
	return compare(key, rb_entry(node, struct window, node));
}

/* @phys is where byte 0 of @pages would be; @revocations those of the time of its making */
struct memory_pages {
	struct iommufd_pages pages;
	struct iommufd_device_memory *memory;
	phys_addr_t phys;
	u64 revocations;
};

/*
 * VT-d gives a domain an entry before it knows what to flush for it, and takes it away
 * after it has forgotten; it may even free the topmost tables. For write while domains are
 * attached and detached, for read from here, where the locks of the IOAS can not be taken.
 */
DECLARE_RWSEM(iommufd_switch_rwsem);

/* struct device -> struct iommufd_device_memory of bound devices */
static DEFINE_XARRAY(registry);

/* The one driver; its module is there as long as a VMA with these operations. */
static const struct vm_operations_struct *provider_vm_ops;
static iommufd_device_memory_fn_t provider_find;

/**
 * iommufd_device_memory_provide - Let memory of devices be mapped
 * @vm_ops: operations of the VMAs that map it
 * @find: tells what a VMA with these operations maps, see iommufd_device_memory_fn_t
 *
 * There is one such driver. Both NULL: it goes away, and no such VMA exists any more.
 *
 * Context: Process context.
 */
void iommufd_device_memory_provide(const struct vm_operations_struct *vm_ops,
				   iommufd_device_memory_fn_t find)
{
	provider_find = find;
	/* Paired with the load in find_memory(). */
	smp_store_release(&provider_vm_ops, vm_ops);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_provide, IOMMUFD);

static void put_memory(struct iommufd_device_memory *memory)
{
	if (!refcount_dec_and_test(&memory->refs))
		return;
	WARN_ON(!RB_EMPTY_ROOT(&memory->windows));
	mutex_destroy(&memory->lock);
	kfree(memory);
}

static struct iommufd_device_memory *get_memory(struct device *dev)
{
	struct iommufd_device_memory *memory;

	guard(spinlock)(&registry.xa_lock);
	memory = xa_load(&registry, (unsigned long)dev);
	if (memory)
		refcount_inc(&memory->refs);
	return memory;
}

DEFINE_FREE(put_memory, struct iommufd_device_memory *, _T ? put_memory(_T) : (void)0)

/**
 * iommufd_device_memory_add - A device is bound
 * @ictx: the context
 * @dev: the device
 *
 * Context: Process context.
 * Return: 0; -EBUSY: it is bound already; -ENOMEM.
 */
int iommufd_device_memory_add(struct iommufd_ctx *ictx, struct device *dev)
{
	struct iommufd_device_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!memory)
		return -ENOMEM;
	refcount_set(&memory->refs, 1);
	memory->ictx = ictx;
	mutex_init(&memory->lock);
	memory->windows = RB_ROOT;
	ret = xa_insert(&registry, (unsigned long)dev, memory, GFP_KERNEL);
	if (ret)
		put_memory(memory);
	return ret;
}

static void close_window(struct iommufd_device_memory *memory, struct rb_node *node)
{
	struct window *window = rb_entry(node, struct window, node);

	WARN_ON(iommu_unmap(window->domain, window->iova, window->length) != window->length);
	rb_erase(node, &memory->windows);
	kfree(window);
}

/* Take the memory out of every page table. */
static void revoke(struct iommufd_device_memory *memory)
{
	struct rb_node *node;

	guard(mutex)(&memory->lock);
	guard(rwsem_read)(&iommufd_switch_rwsem);
	memory->revocations++;
	while ((node = rb_first(&memory->windows))) {
		close_window(memory, node);
		cond_resched();
	}
}

/**
 * iommufd_device_memory_remove - A device is about to be unbound
 * @dev: the device
 *
 * Context: Process context, may sleep.
 */
void iommufd_device_memory_remove(struct device *dev)
{
	struct iommufd_device_memory *memory = xa_erase(&registry, (unsigned long)dev);

	if (WARN_ON(!memory))
		return;
	revoke(memory);
	put_memory(memory);
}

/**
 * iommufd_device_memory_revoke - The memory of a device goes away
 * @dev: the device, bound or not
 *
 * When this returns no other device reaches it. The caller sees to it that its find
 * function tells of none from now on, until there is some again.
 *
 * Context: Process context, may sleep. The driver's own locks may be held.
 */
void iommufd_device_memory_revoke(struct device *dev)
{
	struct iommufd_device_memory *memory __free(put_memory) = get_memory(dev);

	if (memory)
		revoke(memory);
}
EXPORT_SYMBOL_NS_GPL(iommufd_device_memory_revoke, IOMMUFD);

static void memory_free(struct iommufd_pages *pages)
{
	struct memory_pages *mp = container_of(pages, struct memory_pages, pages);

	put_memory(mp->memory);
	kfree(mp);
}

/* Without a pin operation: see iommufd_pages_of_device(). */
static const struct iommufd_pin_ops memory_pin_ops = {
	.name = "device",
	.free = memory_free,
};

static bool vma_allows(struct vm_area_struct *vma, const struct iommufd_place *place, int prot)
{
	if (place->length > vma->vm_end - place->addr)
		return false;
	return (vma->vm_flags & VM_READ) &&
	       (!(prot & IOMMU_WRITE) || vma->vm_flags & VM_WRITE);
}

/* Fill in what there is behind a VMA of the driver. */
static int look_behind(struct iommufd_ctx *ictx, struct vm_area_struct *vma,
		       struct memory_pages *mp)
{
	struct device *dev = provider_find(vma, &mp->phys);
	struct iommufd_device_memory *memory;

	memory = dev ? get_memory(dev) : NULL;
	if (!memory)
		return -EFAULT;
	if (memory->ictx != ictx) {
		put_memory(memory);
		return -EFAULT;
	}
	mp->memory = memory;
	scoped_guard(mutex, &memory->lock)
		mp->revocations = memory->revocations;
	/* Look again: what goes away from here on has another count. */
	return provider_find(vma, &mp->phys) == dev ? 0 : -EFAULT;
}

/**
 * iommufd_device_memory_pages - Describe memory of a device that the caller has mapped
 * @ictx: the context
 * @place: address and length
 * @prot: IOMMU_READ and the like
 *
 * Context: Process context, may sleep.
 * Return: the pages object with one reference; NULL: something else is mapped there;
 * ERR_PTR(-EFAULT): the device is not bound to @ictx, its memory can not be accessed now,
 * the range goes beyond the mapping, or the mapping is not for that direction;
 * ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_device_memory_pages(struct iommufd_ctx *ictx,
						  const struct iommufd_place *place,
						  int prot)
{
	/* Paired with the store in iommufd_device_memory_provide(). */
	const struct vm_operations_struct *vm_ops = smp_load_acquire(&provider_vm_ops);
	struct vm_area_struct *vma;
	unsigned long start;
	int ret = -EFAULT;

	if (!vm_ops)
		return NULL;
	struct memory_pages *mp __free(kfree) = kzalloc(sizeof(*mp), GFP_KERNEL_ACCOUNT);
	if (!mp)
		return ERR_PTR(-ENOMEM);

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, place->addr);
	if (!vma || vma->vm_ops != vm_ops) {
		mmap_read_unlock(current->mm);
		return NULL;
	}
	start = vma->vm_start;
	if (vma_allows(vma, place, prot))
		ret = look_behind(ictx, vma, mp);
	mmap_read_unlock(current->mm);
	if (ret) {
		if (mp->memory)
			put_memory(mp->memory);
		return ERR_PTR(ret);
	}

	mp->pages.writable = prot & IOMMU_WRITE;
	ret = iommufd_pages_init(&mp->pages, ictx, &memory_pin_ops, place->addr);
	if (ret) {
		put_memory(mp->memory);
		return ERR_PTR(ret);
	}
	/* May wrap around; adding an offset of the range wraps back. */
	mp->phys -= start - mp->pages.addr;
	return &no_free_ptr(mp)->pages;
}

static int map_pieces(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		      unsigned long length, unsigned long step, int prot)
{
	unsigned long done, n;
	int ret;

	for (done = 0; done < length; done += n) {
		n = min(length - done, step);
		cond_resched();
		ret = fatal_signal_pending(current) ? -EINTR :
		      iommu_map(domain, iova + done, phys + done, n, prot,
				GFP_KERNEL_ACCOUNT);
		if (ret) {
			if (done)
				iommu_unmap(domain, iova, done);
			return ret;
		}
	}
	return 0;
}

/**
 * iommufd_device_memory_map - Map an area of a device's memory
 * @domain: paging domain in which nothing is mapped at the area's IOVAs
 * @area: the area
 * @huge_pages: whether IOPTEs above PAGE_SIZE may be used
 *
 * Nothing is mapped, without an error, when the memory was revoked.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOMEM; errors of the driver.
 */
int iommufd_device_memory_map(struct iommu_domain *domain, struct iommufd_area *area,
			      bool huge_pages)
{
	struct memory_pages *mp = container_of(area->pages, struct memory_pages, pages);
	unsigned long length = iommufd_area_length(area), iova = area->span.start;
	int prot = (area->prot & ~IOMMU_CACHE) | IOMMU_MMIO, ret;
	phys_addr_t phys = mp->phys + iommufd_area_offset(area, iova);

	struct window *window __free(kfree) = kzalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);
	if (!window)
		return -ENOMEM;
	window->domain = domain;
	window->iova = iova;
	window->length = length;

	guard(mutex)(&mp->memory->lock);
	guard(rwsem_read)(&iommufd_switch_rwsem);
	if (mp->revocations != mp->memory->revocations)
		return 0;
	ret = map_pieces(domain, iova, phys, length, huge_pages ? length : PAGE_SIZE, prot);
	if (!ret)
		rb_add(&no_free_ptr(window)->node, &mp->memory->windows, comes_before);
	return ret;
}

/**
 * iommufd_device_memory_unmap - Unmap an area of a device's memory, and flush
 * @domain: the domain
 * @area: the area; it may have been revoked
 *
 * Context: Process context, may sleep.
 */
void iommufd_device_memory_unmap(struct iommu_domain *domain, struct iommufd_area *area)
{
	struct memory_pages *mp = container_of(area->pages, struct memory_pages, pages);
	struct window key = { .domain = domain, .iova = area->span.start };
	struct rb_node *node;

	guard(mutex)(&mp->memory->lock);
	guard(rwsem_read)(&iommufd_switch_rwsem);
	node = rb_find(&key, &mp->memory->windows, compare_key);
	if (node)
		close_window(mp->memory, node);
}
