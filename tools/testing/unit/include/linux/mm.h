/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_MM_H
#define _UNIT_LINUX_MM_H

#include <linux/kernel.h>
#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define offset_in_page(p) ((unsigned long)(p) & ~PAGE_MASK)

struct page;
struct task_struct;
struct mm_struct;

/* A page is a number here, and lives nowhere. */
static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)page >> PAGE_SHIFT;
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return (struct page *)(pfn << PAGE_SHIFT);
}

/* Where user memory is pinned, the number is its address. */
#define FOLL_WRITE 1
int pin_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages);
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty);

unsigned long get_zeroed_page(gfp_t gfp);
#define __get_free_page(gfp) get_zeroed_page(gfp)
void free_page(unsigned long addr);

#endif
