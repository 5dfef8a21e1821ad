/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The set of holders of a pages object, and the holes between them.
 *
 *	struct iommufd_hole hole;
 *
 *	iommufd_holders_for_each_hole(&holders, &hole, first, last)
 *		pin(hole.first, hole.last);
 *	iommufd_holders_insert(&holders, holder);
 */
#ifndef __IOMMUFD_HOLDERS_H
#define __IOMMUFD_HOLDERS_H

#include <linux/interval_tree.h>
#include <linux/types.h>

/**
 * struct iommufd_holder - Somebody who needs a range of pages pinned
 * @node: page indices of the range, both inclusive, and the place in the tree
 */
struct iommufd_holder {
	struct interval_tree_node node;
};

/**
 * struct iommufd_holders - All holders of one pages object
 * @root: their tree; ranges may overlap in any way
 */
struct iommufd_holders {
	struct rb_root_cached root;
};

/**
 * struct iommufd_hole - A range that no holder touches, and the walk over them
 * @first: first page index of the hole
 * @last: last page index of the hole, inclusive
 */
struct iommufd_hole {
	unsigned long first;
	unsigned long last;
	/* private: where the walk goes on, and whether it has reached its end */
	unsigned long next;
	bool done;
};

void iommufd_holders_init(struct iommufd_holders *holders);
void iommufd_holders_insert(struct iommufd_holders *holders, struct iommufd_holder *holder);
void iommufd_holders_remove(struct iommufd_holders *holders, struct iommufd_holder *holder);
bool iommufd_holders_empty(const struct iommufd_holders *holders, unsigned long first,
			   unsigned long last);

void iommufd_hole_start(struct iommufd_hole *hole, unsigned long first);
bool iommufd_hole_next(struct iommufd_hole *hole, const struct iommufd_holders *holders,
		       unsigned long last);

/* Holders may not be added or removed within the loop. */
#define iommufd_holders_for_each_hole(holders, hole, from, to) \
	for (iommufd_hole_start(hole, from); iommufd_hole_next(hole, holders, to);)

#endif
