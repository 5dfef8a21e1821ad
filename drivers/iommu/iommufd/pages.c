// SPDX-License-Identifier: GPL-2.0
/*
 * Holding memory: pin what no other holder has, unpin what nobody needs any more.
 *
 * This is the only place where pages become pinned or unpinned and the only one that
 * charges for them. The rule is that of holders.h: a page is pinned, stored in the
 * extents and charged exactly while a holder covers it. Release comes after every
 * domain and device has lost the pages; that order is the duty of the callers, who
 * unmap and flush first.
 *
 * Locks: pages->mutex, held while pages are pinned. It nests inside ioas->iova_rwsem,
 * for read where pages are pinned and for write where an area is cut, and outside of
 * all locks of the memory management.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "ctx.h"
#include "device_memory.h"
#include "pages.h"
#include "trace.h"

/**
 * iommufd_pages_init - Fill in the part that all sources share
 * @pages: zeroed, with writable already set
 * @ictx: the context, which says what to charge. It outlives @pages
 * @ops: the source
 * @addr: first byte of interest in the source; earlier ones can not be used
 *
 * The calling process becomes the payer.
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM; then there is nothing to undo.
 */
int iommufd_pages_init(struct iommufd_pages *pages, struct iommufd_ctx *ictx,
		       const struct iommufd_pin_ops *ops, unsigned long addr)
{
	pages->payer = iommufd_payer_get(&ictx->payers, READ_ONCE(ictx->account_mode));
	if (IS_ERR(pages->payer))
		return PTR_ERR(pages->payer);
	refcount_set(&pages->refs, 1);
	pages->ictx = ictx;
	pages->ops = ops;
	pages->addr = round_down(addr, IOMMUFD_CHUNK_PAGES * PAGE_SIZE);
	mutex_init(&pages->mutex);
	iommufd_holders_init(&pages->holders);
	iommufd_extents_init(&pages->extents);
	return 0;
}

/**
 * iommufd_pages_get - Take a reference
 * @pages: of which the caller has one, or whose area the caller keeps by a lock
 */
void iommufd_pages_get(struct iommufd_pages *pages)
{
	refcount_inc(&pages->refs);
}

/**
 * iommufd_pages_put - Drop a reference
 * @pages: not to be used afterwards
 *
 * Context: Process context, may sleep.
 */
void iommufd_pages_put(struct iommufd_pages *pages)
{
	if (!refcount_dec_and_test(&pages->refs))
		return;

	WARN_ON(!iommufd_holders_empty(&pages->holders, 0, ULONG_MAX));
	iommufd_extents_destroy(&pages->extents);
	iommufd_payer_put(&pages->ictx->payers, pages->payer);
	mutex_destroy(&pages->mutex);
	pages->ops->free(pages);
}

static void unpin_range(struct iommufd_pages *pages, unsigned long first, unsigned long last)
{
	while (first <= last) {
		unsigned long pfn, n;

		n = iommufd_extents_run(&pages->extents, first, last, &pfn);
		if (WARN_ON(!n))
			return;
		unpin_user_page_range_dirty_lock(pfn_to_page(pfn), n, pages->writable);
		first += n;
		cond_resched();
	}
}

/* Forget the chunks around [first, last] that no holder touches. */
static void prune(struct iommufd_pages *pages, unsigned long first, unsigned long last)
{
	unsigned long head = round_down(first, IOMMUFD_CHUNK_PAGES);
	unsigned long tail = last | (IOMMUFD_CHUNK_PAGES - 1);

	if (head < first && iommufd_holders_empty(&pages->holders, head, first - 1))
		first = head;
	if (tail > last && iommufd_holders_empty(&pages->holders, last + 1, tail))
		last = tail;
	iommufd_extents_erase(&pages->extents, first, last);
}

/*
 * Unpin every page of the range that no holder covers. Of [first, last] all such pages
 * are pinned up to @pinned_last, and none beyond.
 */
static void release_holes(struct iommufd_pages *pages, unsigned long first,
			  unsigned long last, unsigned long pinned_last)
{
	struct iommufd_hole hole;

	iommufd_holders_for_each_hole(&pages->holders, &hole, first, last) {
		if (hole.first <= pinned_last)
			unpin_range(pages, hole.first, min(hole.last, pinned_last));
		prune(pages, hole.first, hole.last);
	}
}

static unsigned long count_holes(struct iommufd_pages *pages, unsigned long first,
				 unsigned long last)
{
	struct iommufd_hole hole;
	unsigned long npages = 0;

	iommufd_holders_for_each_hole(&pages->holders, &hole, first, last)
		npages += hole.last - hole.first + 1;
	return npages;
}

/* Pieces of memory in the holes of the range, all of whose pages are in the store. */
static unsigned long count_runs(struct iommufd_pages *pages, unsigned long first,
				unsigned long last)
{
	struct iommufd_hole hole;
	unsigned long runs = 0;

	iommufd_holders_for_each_hole(&pages->holders, &hole, first, last) {
		unsigned long index = hole.first, pfn, n;

		while (index <= hole.last) {
			n = iommufd_extents_run(&pages->extents, index, hole.last, &pfn);
			if (WARN_ON(!n))
				return runs;
			index += n;
			runs++;
			cond_resched();
		}
	}
	return runs;
}

/* Not inlined: nobody pays for what it counts while the event is off. */
static noinline void trace_pin(struct iommufd_pages *pages, unsigned long first,
			       unsigned long last, unsigned long npages, int ret, u64 begin)
{
	u64 ns = iommufd_trace_ns(begin);
	unsigned long runs = ret ? 0 : count_runs(pages, first, last);

	trace_iommufd_pin(pages, first, last, npages, runs, ret, ns);
}

static int pin_holes(struct iommufd_pages *pages, unsigned long first, unsigned long last)
{
	struct iommufd_hole hole;

	iommufd_holders_for_each_hole(&pages->holders, &hole, first, last) {
		unsigned long pinned = 0;
		int ret = pages->ops->pin(pages, hole.first, hole.last, &pinned);

		if (!ret)
			continue;
		/* The first page of all may have failed, and index 0 has no predecessor. */
		if (hole.first + pinned > first)
			release_holes(pages, first, hole.last, hole.first + pinned - 1);
		else
			prune(pages, hole.first, hole.last);
		return ret;
	}
	return 0;
}

/**
 * iommufd_pages_hold - Become a holder
 * @pages: the memory
 * @holder: new holder with its page range filled in, within @pages
 *
 * Afterwards all pages of the range are pinned and in pages->extents. Memory of devices
 * has no holders.
 *
 * Context: Process context, may sleep for long. Holds pages->mutex.
 * Return: 0; -ENOMEM: no memory or RLIMIT_MEMLOCK exceeded; -EFAULT: the memory is not
 * there, not writable as asked, or its process is gone; -EPERM: its file was sealed;
 * -EINTR: a fatal signal came.
 * After an error everything is as before.
 */
int iommufd_pages_hold(struct iommufd_pages *pages, struct iommufd_holder *holder)
{
	unsigned long first = holder->node.start, last = holder->node.last;
	u64 begin = iommufd_trace_begin(trace_iommufd_pin_enabled());
	unsigned long npages;
	int ret;

	lockdep_assert_held(&pages->mutex);
	if (iommufd_pages_of_device(pages))
		return 0;

	npages = count_holes(pages, first, last);
	ret = iommufd_account_charge(pages->payer, npages);
	if (ret) {
		iommufd_payer_report(pages->payer, npages);
	} else {
		ret = pin_holes(pages, first, last);
		if (ret)
			iommufd_account_uncharge(pages->payer, npages);
	}
	if (trace_iommufd_pin_enabled() && npages)
		trace_pin(pages, first, last, npages, ret, begin);
	if (!ret)
		iommufd_holders_insert(&pages->holders, holder);
	return ret;
}

/**
 * iommufd_pages_release - Stop being a holder
 * @pages: the memory
 * @holder: holder that no longer needs its pages: nothing maps them on its behalf
 *
 * Takes no memory and can not fail.
 *
 * Context: Process context, may sleep. Holds pages->mutex.
 */
void iommufd_pages_release(struct iommufd_pages *pages, struct iommufd_holder *holder)
{
	unsigned long first = holder->node.start, last = holder->node.last;
	unsigned long npages, runs = 0;
	u64 begin = 0;

	lockdep_assert_held(&pages->mutex);
	if (iommufd_pages_of_device(pages))
		return;

	iommufd_holders_remove(&pages->holders, holder);
	npages = count_holes(pages, first, last);
	if (trace_iommufd_unpin_enabled()) {
		runs = count_runs(pages, first, last);
		begin = ktime_get_ns();
	}
	release_holes(pages, first, last, last);
	if (!npages)
		return;
	iommufd_account_uncharge(pages->payer, npages);
	trace_iommufd_unpin(pages, first, last, npages, runs, 0, iommufd_trace_ns(begin));
}

/* Page indices are below this. */
#define INDEX_END (ULONG_MAX / PAGE_SIZE + 1)

/**
 * iommufd_pages_change_payer - Let somebody else pay for what is pinned, now and later
 * @pages: memory whose ops->any_process is set
 * @payer: who shall pay; afterwards, on success, who did until now
 * @force: whatever the limit
 *
 * Context: Process context, may sleep. Takes pages->mutex.
 * Return: 0; -ENOMEM without @force: the limit of @payer does not allow it.
 */
int iommufd_pages_change_payer(struct iommufd_pages *pages, struct iommufd_payer **payer,
			       bool force)
{
	unsigned long npages;
	int ret;

	guard(mutex)(&pages->mutex);
	npages = INDEX_END - count_holes(pages, 0, INDEX_END - 1);
	ret = iommufd_account_move(pages->payer, *payer, npages, force);
	if (ret)
		iommufd_payer_report(*payer, npages);
	else
		swap(pages->payer, *payer);
	return ret;
}
