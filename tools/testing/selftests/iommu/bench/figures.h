/* SPDX-License-Identifier: GPL-2.0 */
/* The figures of the benchmark: a table for people as they come, JSON for programs. */
#ifndef IOMMU_BENCH_FIGURES_H
#define IOMMU_BENCH_FIGURES_H

#include "util.h"

/* What the figures are about from now on */
struct figures_subject {
	const char *memory;
	size_t length, pieces;
};

/* Time is counted in instructions, for which there are targets; else in nanoseconds. */
void figures_begin(bool instructions);
void figures_about(struct figures_subject subject);

/* Time. @target is the most that @ours may be of @theirs; 0: no promise */
void figures_add(const char *operation, const char *reference, uint64_t theirs, uint64_t ours,
		 double target);
/* Memory in bytes */
void figures_add_bytes(const char *operation, const char *reference, uint64_t theirs,
		       uint64_t ours);

/* Was every target held? Says so. */
bool figures_held(void);
/* All of it again on one line */
void figures_print_json(void);

#endif
