// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is named by an address of the process that mapped it.
 *
 * Pinning works on behalf of that process for ever: a copy made, or a device attached,
 * by another process later reaches the same memory through the mm remembered here. The
 * mm is only grabbed, not used, so a mapping does not keep the process's memory alive;
 * pages that are pinned stay, others can not be pinned any more.
 *
 * Locks: pages->mutex around pin; takes the mmap lock of that mm for read.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "pages.h"
#include "pin_user.h"

/* Larger batches than 8192 pages gain nothing that can be measured. */
#define BATCH_PAGES 8192UL

static unsigned int gup_flags(const struct iommufd_pages *pages)
{
	return FOLL_LONGTERM | (pages->writable ? FOLL_WRITE : 0);
}

/* Pin up to @n pages from @uaddr on. Returns how many, at least one, or an errno. */
static long pin_batch(struct iommufd_pages *pages, unsigned long uaddr, unsigned long n,
		      struct page **list)
{
	struct mm_struct *mm = pages->payer->mm;
	int locked = 1;
	long ret;

	if (mm == current->mm) {
		ret = pin_user_pages_fast(uaddr, n, gup_flags(pages), list);
	} else {
		mmap_read_lock(mm);
		ret = pin_user_pages_remote(mm, uaddr, n, gup_flags(pages), list, &locked);
		if (locked)
			mmap_read_unlock(mm);
	}
	if (!ret)
		return -EFAULT;
	/* ERESTARTSYS and the like are for callers that can restart. */
	return ret < 0 && fatal_signal_pending(current) ? -EINTR : ret;
}

static int pin_batches(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last, struct page **list, unsigned long *pinned)
{
	unsigned long index = first;
	long n;
	int ret;

	while (index <= last) {
		/* pin_user_pages_fast() does not look when all pages are present. */
		if (fatal_signal_pending(current))
			return -EINTR;

		n = pin_batch(pages, pages->addr + index * PAGE_SIZE,
			      min(last - index + 1, BATCH_PAGES), list);
		if (n < 0)
			return n;
		ret = iommufd_extents_add_pages(&pages->extents, index, list, n);
		if (ret) {
			unpin_user_pages(list, n);
			return ret;
		}
		*pinned += n;
		index += n;
		cond_resched();
	}
	return 0;
}

static int user_pin(struct iommufd_pages *pages, unsigned long first, unsigned long last,
		    unsigned long *pinned)
{
	struct page **list __free(kvfree) =
		kvmalloc_array(min(last - first + 1, BATCH_PAGES), sizeof(*list),
			       GFP_KERNEL_ACCOUNT);
	int ret;

	if (!list)
		return -ENOMEM;
	if (!mmget_not_zero(pages->payer->mm))
		return -EFAULT;
	ret = pin_batches(pages, first, last, list, pinned);
	mmput(pages->payer->mm);
	return ret;
}

static void user_free(struct iommufd_pages *pages)
{
	kfree(pages);
}

static const struct iommufd_pin_ops user_pin_ops = {
	.name = "user",
	.pin = user_pin,
	.free = user_free,
};

/**
 * iommufd_pin_user_new - Describe the calling process's memory from an address on
 * @ictx: the context
 * @uaddr: first byte
 * @writable: devices may write
 *
 * Nothing is looked at and nothing pinned until somebody holds the pages.
 *
 * Context: Process context.
 * Return: the pages object with one reference, or ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pin_user_new(struct iommufd_ctx *ictx, unsigned long uaddr,
					   bool writable)
{
	struct iommufd_pages *pages = kzalloc(sizeof(*pages), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!pages)
		return ERR_PTR(-ENOMEM);

	pages->writable = writable;
	ret = iommufd_pages_init(pages, ictx, &user_pin_ops, uaddr);
	if (ret) {
		kfree(pages);
		return ERR_PTR(ret);
	}
	return pages;
}
