/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A handful of objects of every kind that threads make, use and destroy by the same ids, and
 * the commands for that.
 */
#ifndef IOMMU_TEST_RACE_H
#define IOMMU_TEST_RACE_H

#include "iommufd.h"
#include "viommu.h"

#define PER_KIND 2
#define LENGTH MIB(2)
#define FILE_LENGTH KIB(64)

/* The first are those that mappings of files need. */
enum kind {
	IOAS, STDEV, IDEV, HWPT,
	NFILE_KINDS,
	PARENT = NFILE_KINDS, NESTED, FAULT, VIOMMU, VDEVICE, VEVENTQ, HW_QUEUE,
	NKINDS,
};

struct race {
	int fd, file;
	char *mem;
	bool can_track;
	/* Ids of the objects that there are, or were: nobody takes one out. */
	__u32 id[NKINDS][PER_KIND];
	/* Where registers of a vIOMMU can be mapped, and how many bytes */
	__u64 registers[PER_KIND];
	size_t registers_length;
};

/* Returns 0 if something came of it. */
typedef int step(struct race *race, unsigned int *seed);

struct command {
	const char *name;
	step *run;
	bool tracks;	/* what is written to, which not every kernel can */
};

/* What makes an object of each kind */
extern const struct command makers[NKINDS];
/* What uses them: everything, and what works with mappings of files only */
extern const struct command users[], file_users[];
extern const unsigned int nusers, nfile_users;

/* One of the PER_KIND objects of a kind */
unsigned int which(unsigned int *seed);
/* The id of an object of that kind, which may be gone */
__u32 any(struct race *race, enum kind kind, unsigned int *seed);
/* One of the places for mappings */
__u64 place(unsigned int *seed);
/* What needs the files of queues, or makes several objects */
int make_guest(struct race *race, unsigned int *seed);
int read_queue(struct race *race, unsigned int *seed);
/* When no thread uses them any more */
void close_queues(void);

#endif
