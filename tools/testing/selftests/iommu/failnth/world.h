/* SPDX-License-Identifier: GPL-2.0 */
/* The commands whose allocations fail, and what they find. */
#ifndef IOMMU_TEST_FAILNTH_WORLD_H
#define IOMMU_TEST_FAILNTH_WORLD_H

#include "iommufd.h"
#include "mock.h"

enum kind { SMALL, HUGE, SCATTERED, NKINDS };

struct memory {
	char *va;
	size_t length;
};

extern struct memory memory[NKINDS];
extern int memory_file;

/* What a command finds. Everything is made anew for each try. */
struct world {
	int fd;
	__u32 ioas, other;	/* two IOAS */
	char *va;
	size_t length;
	struct mock_device dev, other_dev;
	__u32 hwpt, next;	/* page tables */
	__u32 viommu;
	__u64 offset, map_length; /* of the vIOMMU's registers */
	void *registers;	/* where the command mapped them */
	int access;
	int file;		/* what the command opened */
};

struct command {
	const char *name;
	/* Memory, whether it is mapped, and how many page tables the IOAS has */
	enum kind kind;
	bool mapped;
	unsigned int tables;
	void (*prepare)(struct world *w);
	int (*run)(struct world *w);
	/* What a failure must have left as it was, beside what is always looked at */
	bool (*intact)(const struct world *w);
	bool takes_away;
};

extern const struct command commands[], guest_commands[], container_commands[];
extern const unsigned int ncommands, nguest_commands, ncontainer_commands;

#endif
