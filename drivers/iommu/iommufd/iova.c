// SPDX-License-Identifier: GPL-2.0
/*
 * Which IOVAs are free: reservations, the allowed list, and first-fit search.
 *
 * Spans sit in a red-black tree in which every node knows the largest gap in front
 * of a span of its subtree, so the lowest gap of a given size is found in one descent
 * and neither insertion nor removal takes memory. Reserved ranges are few and overlap,
 * hence an interval tree; each owner keeps its ranges on a list of its own and gives
 * them back by that list, so two owners can reserve the same range without knowing.
 *
 * This file is pure: no locks, no hardware. The owner serialises
 * (ioas->iova_rwsem, held for write by all functions that take a non-const space). It
 * also builds in user space, see tools/testing/unit.
 */
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "iova.h"

static unsigned long span_gap(struct iommufd_iova_span *span)
{
	return span->gap;
}

RB_DECLARE_CALLBACKS_MAX(static, gap_callbacks, struct iommufd_iova_span, rb,
			 unsigned long, max_gap, span_gap)

static struct iommufd_iova_span *to_span(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct iommufd_iova_span, rb);
}

static struct iommufd_iova_range *to_range(struct interval_tree_node *node)
{
	return node ? container_of(node, struct iommufd_iova_range, node) : NULL;
}

/* The tree functions take a pointer to a root that they only read. */
static struct iommufd_iova_range *first_range(const struct rb_root_cached *root,
					      unsigned long start, unsigned long last)
{
	return to_range(interval_tree_iter_first((struct rb_root_cached *)root,
						 start, last));
}

/**
 * iommufd_iova_init - Everything usable, nothing used, alignment 1
 * @space: the space
 */
void iommufd_iova_init(struct iommufd_iova_space *space)
{
	space->spans = RB_ROOT;
	space->reserved = RB_ROOT_CACHED;
	space->allowed = RB_ROOT_CACHED;
	space->alignment = 1;
}

static void free_ranges(struct rb_root_cached *root)
{
	struct iommufd_iova_range *range;

	while ((range = first_range(root, 0, ULONG_MAX))) {
		interval_tree_remove(&range->node, root);
		kfree(range);
		cond_resched();
	}
}

/**
 * iommufd_iova_destroy - Free the allowed list, and what is reserved for ever
 * @space: space without spans and without reservations that anybody will give back
 */
void iommufd_iova_destroy(struct iommufd_iova_space *space)
{
	free_ranges(&space->allowed);
	free_ranges(&space->reserved);
}

/* @span or its left neighbour changed. */
static void update_gap(struct iommufd_iova_span *span)
{
	struct iommufd_iova_span *prev;

	if (!span)
		return;
	prev = to_span(rb_prev(&span->rb));
	span->gap = span->start - (prev ? prev->last + 1 : 0);
	gap_callbacks.propagate(&span->rb, NULL);
}

/**
 * iommufd_iova_insert - Mark IOVAs as used
 * @space: the space
 * @span: new span, start and last filled in; it overlaps no other
 */
void iommufd_iova_insert(struct iommufd_iova_space *space, struct iommufd_iova_span *span)
{
	struct rb_node **link = &space->spans.rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		link = span->start < to_span(parent)->start ? &parent->rb_left :
							      &parent->rb_right;
	}

	/* Enter with no gap, which is right for every ancestor, and widen then. */
	span->gap = 0;
	span->max_gap = 0;
	rb_link_node(&span->rb, parent, link);
	rb_insert_augmented(&span->rb, &space->spans, &gap_callbacks);
	update_gap(span);
	update_gap(iommufd_iova_next(span));
}

/**
 * iommufd_iova_remove - Mark IOVAs as unused
 * @space: the space
 * @span: span in it
 */
void iommufd_iova_remove(struct iommufd_iova_space *space, struct iommufd_iova_span *span)
{
	struct iommufd_iova_span *next = iommufd_iova_next(span);

	rb_erase_augmented(&span->rb, &space->spans, &gap_callbacks);
	update_gap(next);
}

/**
 * iommufd_iova_first - The lowest span that touches a range
 * @space: the space
 * @start: first byte
 * @last: last byte, inclusive
 *
 * Return: the span or NULL.
 */
struct iommufd_iova_span *iommufd_iova_first(const struct iommufd_iova_space *space,
					     unsigned long start, unsigned long last)
{
	struct rb_node *rb = space->spans.rb_node;
	struct iommufd_iova_span *best = NULL;

	while (rb) {
		struct iommufd_iova_span *span = to_span(rb);

		if (span->last >= start) {
			best = span;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return best && best->start <= last ? best : NULL;
}

/**
 * iommufd_iova_next - The span that follows in address order
 * @span: span in a space
 *
 * Return: the span or NULL.
 */
struct iommufd_iova_span *iommufd_iova_next(const struct iommufd_iova_span *span)
{
	return to_span(rb_next(&span->rb));
}

static struct iommufd_iova_range *new_range(unsigned long start, unsigned long last)
{
	struct iommufd_iova_range *range = kzalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);

	if (range) {
		range->node.start = start;
		range->node.last = last;
	}
	return range;
}

/**
 * iommufd_iova_reserve - Keep mappings out of a range
 * @space: the space
 * @res: whose reservation it is
 * @start: first byte
 * @last: last byte, inclusive
 *
 * Return: 0; -EADDRINUSE when a span or an allowed range is there; -ENOMEM.
 */
int iommufd_iova_reserve(struct iommufd_iova_space *space,
			 struct iommufd_iova_reservation *res,
			 unsigned long start, unsigned long last)
{
	struct iommufd_iova_range *range;

	if (iommufd_iova_first(space, start, last) ||
	    first_range(&space->allowed, start, last))
		return -EADDRINUSE;

	range = new_range(start, last);
	if (!range)
		return -ENOMEM;
	range->owner = res->owner;
	interval_tree_insert(&range->node, &space->reserved);
	list_add(&range->entry, &res->ranges);
	return 0;
}

/**
 * iommufd_iova_unreserve - Give all ranges of one reservation back
 * @space: the space
 * @res: the reservation, empty afterwards
 */
void iommufd_iova_unreserve(struct iommufd_iova_space *space,
			    struct iommufd_iova_reservation *res)
{
	struct iommufd_iova_range *range, *tmp;

	list_for_each_entry_safe(range, tmp, &res->ranges, entry)
		interval_tree_remove(&range->node, &space->reserved);
	iommufd_iova_list_free(&res->ranges);
}

/**
 * iommufd_iova_first_reserved - The lowest reserved range that touches a range
 * @space: the space
 * @start: first byte
 * @last: last byte, inclusive
 *
 * Return: the reserved range or NULL.
 */
const struct iommufd_iova_range *
iommufd_iova_first_reserved(const struct iommufd_iova_space *space, unsigned long start,
			    unsigned long last)
{
	return first_range(&space->reserved, start, last);
}

/**
 * iommufd_iova_next_usable - Walk the ranges that are not reserved
 * @space: the space
 * @cursor: 0 at the start of the walk; ULONG_MAX once its end is reached
 * @start: set to the first byte of the range
 * @last: set to the last byte of the range, inclusive
 *
 * Mappings and the allowed list play no role.
 *
 * Return: false when there is none left.
 */
bool iommufd_iova_next_usable(const struct iommufd_iova_space *space,
			      unsigned long *cursor, unsigned long *start,
			      unsigned long *last)
{
	while (*cursor != ULONG_MAX) {
		struct iommufd_iova_range *range;

		range = first_range(&space->reserved, *cursor, ULONG_MAX);
		if (range && range->node.start <= *cursor) {
			if (check_add_overflow(range->node.last, 1UL, cursor))
				*cursor = ULONG_MAX;
			continue;
		}

		*start = *cursor;
		*last = range ? range->node.start - 1 : ULONG_MAX;
		*cursor = range ? range->node.start : ULONG_MAX;
		return true;
	}
	return false;
}

/**
 * iommufd_iova_list_add - Collect a range for iommufd_iova_allow()
 * @list: list under construction
 * @start: first byte
 * @last: last byte, inclusive
 *
 * Return: 0 or -ENOMEM.
 */
int iommufd_iova_list_add(struct list_head *list, unsigned long start, unsigned long last)
{
	struct iommufd_iova_range *range = new_range(start, last);

	if (!range)
		return -ENOMEM;
	list_add_tail(&range->entry, list);
	return 0;
}

/**
 * iommufd_iova_list_free - Free a list of ranges that are in no tree
 * @list: the list, empty afterwards
 */
void iommufd_iova_list_free(struct list_head *list)
{
	struct iommufd_iova_range *range, *tmp;

	list_for_each_entry_safe(range, tmp, list, entry) {
		kfree(range);
		cond_resched();
	}
	INIT_LIST_HEAD(list);
}

/**
 * iommufd_iova_allow - Replace the allowed list
 * @space: the space
 * @list: new ranges; an empty list allows everything. The space owns the ranges after
 *	  success and @list is empty then; after an error nothing has changed.
 *
 * Return: 0; -EINVAL when ranges overlap each other; -EADDRINUSE when one touches a
 * reserved range.
 */
int iommufd_iova_allow(struct iommufd_iova_space *space, struct list_head *list)
{
	struct rb_root_cached allowed = RB_ROOT_CACHED;
	struct iommufd_iova_range *range;

	list_for_each_entry(range, list, entry) {
		if (first_range(&allowed, range->node.start, range->node.last))
			return -EINVAL;
		if (iommufd_iova_is_reserved(space, range->node.start, range->node.last))
			return -EADDRINUSE;
		interval_tree_insert(&range->node, &allowed);
		cond_resched();
	}

	free_ranges(&space->allowed);
	space->allowed = allowed;
	INIT_LIST_HEAD(list);
	return 0;
}

/**
 * iommufd_iova_check - May a mapping have these IOVAs?
 * @space: the space
 * @iova: first byte
 * @length: bytes, not 0
 *
 * The allowed list does not bind a caller who names the IOVA.
 *
 * Return: 0; -EINVAL when @iova is misaligned or a reserved range is touched;
 * -EOVERFLOW when the end is beyond ULONG_MAX; -EEXIST when a span is touched.
 */
int iommufd_iova_check(const struct iommufd_iova_space *space, unsigned long iova,
		       unsigned long length)
{
	unsigned long last;

	if (iova & (space->alignment - 1))
		return -EINVAL;
	if (check_add_overflow(iova, length - 1, &last))
		return -EOVERFLOW;
	if (iommufd_iova_is_reserved(space, iova, last))
		return -EINVAL;
	if (iommufd_iova_first(space, iova, last))
		return -EEXIST;
	return 0;
}

static bool has_gap(struct rb_node *rb, unsigned long length)
{
	return rb && to_span(rb)->max_gap >= length;
}

/* The lowest span of a subtree that has such a gap. */
static struct iommufd_iova_span *leftmost_gap(struct rb_node *rb, unsigned long length)
{
	while (has_gap(rb->rb_left, length) || to_span(rb)->gap < length)
		rb = has_gap(rb->rb_left, length) ? rb->rb_left : rb->rb_right;
	return to_span(rb);
}

/* The lowest span after @span with at least @length free bytes in front of it. */
static struct iommufd_iova_span *next_gap(struct iommufd_iova_span *span,
					  unsigned long length)
{
	struct rb_node *rb = &span->rb, *parent;

	while (!has_gap(rb->rb_right, length)) {
		/* The next one in order is the first ancestor that we are left of. */
		while ((parent = rb_parent(rb)) && rb == parent->rb_right)
			rb = parent;
		if (!parent)
			return NULL;
		if (to_span(parent)->gap >= length)
			return to_span(parent);
		rb = parent;
	}
	return leftmost_gap(rb->rb_right, length);
}

/* Move @at up to the lowest address with @length bytes free of spans. */
static bool skip_spans(const struct iommufd_iova_space *space, unsigned long length,
		       unsigned long *at)
{
	struct iommufd_iova_span *next = iommufd_iova_first(space, *at, ULONG_MAX);
	struct iommufd_iova_span *gap;

	if (!next || (next->start > *at && next->start - *at >= length))
		return true;

	gap = next_gap(next, length);
	if (gap) {
		*at = gap->start - gap->gap;
		return true;
	}
	next = to_span(rb_last(&space->spans));
	return !check_add_overflow(next->last, 1UL, at);
}

/* Move @at up to the lowest address that lies @offset above a multiple of @step. */
static bool align_up(unsigned long step, unsigned long offset, unsigned long *at)
{
	unsigned long up = (offset - *at) & (step - 1);

	return !check_add_overflow(*at, up, at);
}

/* First fit within [@at, @last]. */
static bool find_in(const struct iommufd_iova_space *space, unsigned long at,
		    unsigned long last, unsigned long length, unsigned long step,
		    unsigned long offset, unsigned long *iova)
{
	for (;;) {
		struct iommufd_iova_range *range;
		unsigned long before;

		if (!align_up(step, offset, &at) || at > last || last - at < length - 1)
			return false;

		range = first_range(&space->reserved, at, at + length - 1);
		if (range) {
			if (check_add_overflow(range->node.last, 1UL, &at))
				return false;
			continue;
		}

		before = at;
		if (!skip_spans(space, length, &at))
			return false;
		if (at == before) {
			*iova = at;
			return true;
		}
	}
}

/**
 * iommufd_iova_find - Choose IOVAs for a mapping
 * @space: the space
 * @addr: address of the memory; the IOVA gets the same offset within its page
 * @length: bytes, not 0
 * @huge: size of a huge page in bytes; more alignment than that is not useful
 * @iova: set to the first byte
 *
 * The lowest address wins among those that are aligned as far as the memory itself is.
 * IOVA 0 is never chosen.
 *
 * Return: 0; -EOVERFLOW when @length is absurd; -EINVAL when @addr and @length can not
 * have the alignment of the space; -ENOSPC.
 */
int iommufd_iova_find(const struct iommufd_iova_space *space, unsigned long addr,
		      unsigned long length, unsigned long huge, unsigned long *iova)
{
	unsigned long align, step, offset = offset_in_page(addr);
	struct iommufd_iova_range *range;

	if (length >= ULONG_MAX / 2)
		return -EOVERFLOW;

	align = min(roundup_pow_of_two(length), huge);
	if (addr)
		align = min(align, addr & -addr);
	if (align < space->alignment)
		return -EINVAL;
	step = max(align, PAGE_SIZE);

	range = first_range(&space->allowed, 0, ULONG_MAX);
	if (!range)
		return find_in(space, PAGE_SIZE, ULONG_MAX - PAGE_SIZE, length, step,
			       offset, iova) ? 0 : -ENOSPC;

	for (; range; range = to_range(interval_tree_iter_next(&range->node, 0, ULONG_MAX))) {
		if (find_in(space, max(range->node.start, 1UL), range->node.last, length,
			    step, offset, iova))
			return 0;
		cond_resched();
	}
	return -ENOSPC;
}
