/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of memory that are mapped. They differ in the number of contiguous pieces, and
 * in how the kernel finds the pages.
 */
#ifndef IOMMU_BENCH_KINDS_H
#define IOMMU_BENCH_KINDS_H

#include "subject.h"

struct memory_kind {
	const char *name;
	size_t length;
	void *(*alloc)(size_t length);
	/* The memory is a memfd made so; 0: it is none */
	unsigned int memfd;
	/* The most it may cost in instructions, see figures_add() */
	struct {
		double map, unmap, second, file;
	} target;
	/* One piece is at most this long; 0: no matter */
	size_t longest;
	/* One piece is at least this long */
	size_t shortest;
};

#define NKINDS 5

extern struct memory_kind kinds[NKINDS];

/* False: there is not that much memory of the kind. */
bool kind_alloc(const struct memory_kind *kind, struct memory *memory);
/* What is missing then, in words */
const char *kind_lacks(const struct memory_kind *kind);
void kind_free(struct memory *memory);
/* Is the memory in as many pieces as the kind wants? A few are let through. */
bool kind_fits(const struct memory_kind *kind, size_t pieces);

#endif
