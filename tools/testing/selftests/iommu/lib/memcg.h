/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How much kernel memory a process costs, by a memory cgroup of its own.
 *
 * Page tables, those of IOMMUs as those of processes, are counted on lines of their own and
 * can be subtracted. What then is left is bookkeeping.
 */
#ifndef IOMMU_TEST_MEMCG_H
#define IOMMU_TEST_MEMCG_H

/*
 * Pages are charged ahead of their use, so a small cost may not show in what the kernel
 * took in all; objects are counted by the byte.
 */
struct memcg_charge {
	/* Without page tables */
	long kernel;
	/* The part of it that is objects */
	long slab;
	long iommu_tables;
};

/* Put the calling process, and what it starts, into the cgroup. -errno: there is none. */
int __memcg_enter(void);
/* Remove the cgroup when its processes are gone. */
void memcg_remove(void);

struct memcg_charge memcg_charged(void);
/* What was taken for other things than page tables, in bytes */
long memcg_bookkeeping(const struct memcg_charge *from, const struct memcg_charge *to);

#endif
