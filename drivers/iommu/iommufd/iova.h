/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IOVA space of an IOAS: what is used, what is reserved, what may be chosen.
 *
 * Three sets over 0 ... ULONG_MAX:
 *
 * spans	IOVAs in use by an area; they never overlap
 * reserved	IOVAs no mapping may have; ranges overlap freely, each belongs to one
 *		reservation set and lives as long as that
 * allowed	where the kernel may choose IOVAs, and what a new reservation may not
 *		take; empty means everywhere
 */
#ifndef __IOMMUFD_IOVA_H
#define __IOMMUFD_IOVA_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/rbtree.h>

struct iommufd_object;

/**
 * struct iommufd_iova_span - IOVAs in use
 * @rb: place in the tree, ordered by @start
 * @start: first byte
 * @last: last byte, inclusive
 */
struct iommufd_iova_span {
	struct rb_node rb;
	unsigned long start;
	unsigned long last;
	/* private: free bytes before @start, and the most of it in this subtree */
	unsigned long gap;
	unsigned long max_gap;
};

/**
 * struct iommufd_iova_range - One range of the reserved or the allowed set
 * @node: first and last byte, both inclusive
 * @entry: in its reservation set, or in a list being built
 * @owner: of a reserved range: that of the reservation
 */
struct iommufd_iova_range {
	struct interval_tree_node node;
	struct list_head entry;
	const struct iommufd_object *owner;
};

/**
 * struct iommufd_iova_reservation - Ranges that one owner reserved
 * @owner: for people: the device or page table that it is for, which exists as long as the
 *	   reservation. NULL for none
 * @ranges: list of struct iommufd_iova_range
 */
struct iommufd_iova_reservation {
	const struct iommufd_object *owner;
	struct list_head ranges;
};

/**
 * struct iommufd_iova_space - The whole
 * @spans: tree of struct iommufd_iova_span
 * @reserved: tree of struct iommufd_iova_range
 * @allowed: tree of struct iommufd_iova_range
 * @alignment: power of two that start and length of a mapping must be multiples of
 */
struct iommufd_iova_space {
	struct rb_root spans;
	struct rb_root_cached reserved;
	struct rb_root_cached allowed;
	unsigned long alignment;
};

void iommufd_iova_init(struct iommufd_iova_space *space);
void iommufd_iova_destroy(struct iommufd_iova_space *space);

void iommufd_iova_insert(struct iommufd_iova_space *space, struct iommufd_iova_span *span);
void iommufd_iova_remove(struct iommufd_iova_space *space, struct iommufd_iova_span *span);
struct iommufd_iova_span *iommufd_iova_first(const struct iommufd_iova_space *space,
					     unsigned long start, unsigned long last);
struct iommufd_iova_span *iommufd_iova_next(const struct iommufd_iova_span *span);

static inline void iommufd_iova_reservation_init(struct iommufd_iova_reservation *res)
{
	res->owner = NULL;
	INIT_LIST_HEAD(&res->ranges);
}

int iommufd_iova_reserve(struct iommufd_iova_space *space,
			 struct iommufd_iova_reservation *res,
			 unsigned long start, unsigned long last);
void iommufd_iova_unreserve(struct iommufd_iova_space *space,
			    struct iommufd_iova_reservation *res);
const struct iommufd_iova_range *
iommufd_iova_first_reserved(const struct iommufd_iova_space *space, unsigned long start,
			    unsigned long last);

/* Does a reservation touch the range? */
static inline bool iommufd_iova_is_reserved(const struct iommufd_iova_space *space,
					    unsigned long start, unsigned long last)
{
	return iommufd_iova_first_reserved(space, start, last);
}

bool iommufd_iova_next_usable(const struct iommufd_iova_space *space,
			      unsigned long *cursor, unsigned long *start,
			      unsigned long *last);

int iommufd_iova_list_add(struct list_head *list, unsigned long start, unsigned long last);
void iommufd_iova_list_free(struct list_head *list);
int iommufd_iova_allow(struct iommufd_iova_space *space, struct list_head *list);

int iommufd_iova_check(const struct iommufd_iova_space *space, unsigned long iova,
		       unsigned long length);
int iommufd_iova_find(const struct iommufd_iova_space *space, unsigned long addr,
		      unsigned long length, unsigned long huge, unsigned long *iova);

#endif
