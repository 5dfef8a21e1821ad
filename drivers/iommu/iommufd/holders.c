// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages somebody needs, and which nobody does.
 *
 * A page is pinned exactly while at least one holder covers it. So whoever wants to
 * hold a range pins the holes in it and then inserts itself, and whoever lets go
 * removes itself and then unpins the holes that this left. No page has a counter.
 *
 * This file is pure: no locks, no pins, no memory. The owner serialises
 * (pages->mutex). It also builds in user space, see tools/testing/unit.
 */
#include <linux/limits.h>

#include "holders.h"

/* The tree functions take a pointer to a root that they only read. */
static struct interval_tree_node *first_node(const struct iommufd_holders *holders,
					     unsigned long first, unsigned long last)
{
	return interval_tree_iter_first((struct rb_root_cached *)&holders->root,
					first, last);
}

/**
 * iommufd_holders_init - Make an empty set
 * @holders: the set
 */
void iommufd_holders_init(struct iommufd_holders *holders)
{
	holders->root = RB_ROOT_CACHED;
}

/**
 * iommufd_holders_insert - Add a holder
 * @holders: the set
 * @holder: new member with its range filled in
 */
void iommufd_holders_insert(struct iommufd_holders *holders, struct iommufd_holder *holder)
{
	interval_tree_insert(&holder->node, &holders->root);
}

/**
 * iommufd_holders_remove - Take a holder out
 * @holders: the set
 * @holder: member of it
 */
void iommufd_holders_remove(struct iommufd_holders *holders, struct iommufd_holder *holder)
{
	interval_tree_remove(&holder->node, &holders->root);
}

/**
 * iommufd_holders_empty - Does no holder touch a range?
 * @holders: the set
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Return: true when every page of the range is unpinned.
 */
bool iommufd_holders_empty(const struct iommufd_holders *holders, unsigned long first,
			   unsigned long last)
{
	return !first_node(holders, first, last);
}

/**
 * iommufd_hole_start - Begin a walk over holes
 * @hole: state of the walk
 * @first: first page index of the range to look at
 */
void iommufd_hole_start(struct iommufd_hole *hole, unsigned long first)
{
	hole->next = first;
	hole->done = false;
}

static void step_over(struct iommufd_hole *hole, unsigned long covered_last)
{
	hole->done = covered_last == ULONG_MAX;
	hole->next = covered_last + 1;
}

/*
 * Is @index covered, and up to where at least? @to is the last index that any holder reaches
 * which begins at @index or before, whether many of them overlap or not.
 */
static bool covered(const struct iommufd_holders *holders, unsigned long index,
		    unsigned long *to)
{
	struct rb_node *rb = holders->root.rb_root.rb_node;
	bool any = false;

	*to = 0;
	while (rb) {
		struct interval_tree_node *node = rb_entry(rb, struct interval_tree_node, rb);

		if (node->start > index) {
			rb = rb->rb_left;
			continue;
		}
		any = true;
		*to = max(*to, node->last);
		if (rb->rb_left)
			*to = max(*to, rb_entry(rb->rb_left, struct interval_tree_node,
						rb)->__subtree_last);
		rb = rb->rb_right;
	}
	return any && *to >= index;
}

/**
 * iommufd_hole_next - The next hole, in ascending order
 * @hole: state of the walk; on success its first and last are the hole
 * @holders: the set
 * @last: last page index of the range to look at, inclusive
 *
 * Return: false when there is none left.
 */
bool iommufd_hole_next(struct iommufd_hole *hole, const struct iommufd_holders *holders,
		       unsigned long last)
{
	const struct interval_tree_node *node;
	unsigned long to;

	while (!hole->done && hole->next <= last) {
		if (covered(holders, hole->next, &to)) {
			step_over(hole, to);
			continue;
		}
		node = first_node(holders, hole->next, last);
		hole->first = hole->next;
		hole->last = node ? node->start - 1 : last;
		step_over(hole, hole->last);
		return true;
	}
	return false;
}
