/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A random walk over the commands of an iommufd with mock devices. Each step predicts from
 * the model what a command will answer, runs it, and changes the model accordingly.
 */
#ifndef IOMMU_TEST_WALK_H
#define IOMMU_TEST_WALK_H

#include "model.h"

#define NSOURCES 3
#define NO_SUCH_ID 0xffff

struct device {
	__u32 stdev;		/* 0: there is none */
	__u32 idev;
	bool tracks;		/* what is written to */
	struct table *table;
};

struct walk {
	int fd;
	unsigned long seed, step;
	__u64 random;
	struct model m;
	struct device device[3];
	struct source source[NSOURCES];
};

extern struct walk w;

/* Remember what is being done, for lost(). */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print that. */
void tell(void);
/* The kernel and the model part here: tell it, and end the program. */
void lost(const char *text) __attribute__((noreturn));
/* Go on only if there is no difference. */
void agree(const char *difference);
/* Go on only if the answer is the one that was predicted. */
void expect(long want, long got);

unsigned int rnd(unsigned int n);
static inline bool one_in(unsigned int n)
{
	return !rnd(n);
}

/* One of the existing, or sometimes NULL */
struct ioas *some_ioas(void);
struct source *some_source(void);
/* What the numbers of one command are multiples of, mostly whole pages */
size_t some_unit(void);
__u64 some_iova(size_t unit);
size_t some_length(size_t unit, size_t limit);
__u32 some_flags(void);
/* Of a mapping, or of a place where there may be none */
void some_range(struct ioas *ioas, __u64 *iova, size_t *length);

/* Steps. Each runs one command, or none if there is nothing to run it on. */
void step_ioas(void);
void step_options(void);
void step_allow(void);
void step_reserve(void);
void step_map(void);
void step_copy(void);
void step_unmap(void);
void step_container(void);
void step_device(void);
void step_table(void);
void step_access(void);
void step_pin(void);
void step_unpin(void);
void step_rw(void);

#endif
