/* SPDX-License-Identifier: GPL-2.0 */
/* What is measured, each once. Times go where a better one is not yet. */
#ifndef IOMMU_BENCH_MEASURE_H
#define IOMMU_BENCH_MEASURE_H

#include "kinds.h"
#include "subject.h"

/* What can be done through type1 as well */
struct cost {
	uint64_t map, unmap, close, exit;
	/* Bytes of kernel memory; -1: this kernel does not tell */
	long bookkeeping;
};

/* What needs memory that is mapped already */
struct own_cost {
	uint64_t attach, second, replace;
};

void measure_map(struct subject *subject, const char *bdf, const struct memory *memory,
		 struct cost *best);
void measure_own(const char *bdf, const struct memory *memory, struct own_cost *best);

/* The exit of a process with memory of its own, and the bookkeeping until then */
void measure_process(struct subject *subject, const char *bdf, const struct memory_kind *kind,
		     struct cost *cost);

#endif
