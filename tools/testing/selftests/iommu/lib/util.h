/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all of the test library shares.
 *
 * A function __op() returns 0 or a positive result, or -errno. The function op()
 * is for cases in which a failure makes the rest of the test pointless: it says
 * what went wrong and ends the process as a failed test.
 */
#ifndef IOMMU_TEST_UTIL_H
#define IOMMU_TEST_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define GIB(n) ((size_t)(n) << 30)

#define PAGE KIB(4)
#define THP MIB(2)

void die(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));

/* End the test as failed, with a reason. */
#define fatal(...) die(__FILE__, __LINE__, __VA_ARGS__)

/* Evaluate a __op() that must not fail; gives its result. */
#define must(expr)                                                        \
	({                                                                \
		long __ret = (expr);                                      \
									  \
		if (__ret < 0)                                            \
			fatal("%s: %s", #expr, errno_name(-__ret));       \
		__ret;                                                    \
	})

const char *errno_name(int err);

/* Files of sysfs and proc. @path and @text must fit in one line. */
int __read_text(const char *path, char *text, size_t size);
int __write_text(const char *path, const char *text);
long __read_number(const char *path);

void msleep(unsigned int ms);
uint64_t now_ns(void);

/* Is every byte of the memory @byte? Somebody else may write to it. */
bool is_filled(const void *va, size_t length, char byte);

/* Memory of the calling process, zeroed and populated; ends the test if there is none. */
void *alloc_pages(size_t length);
/* The same aligned to THP, with @huge as huge pages, else without any. */
void *alloc_aligned(size_t length, bool huge);
/* The same of 4 KiB pages, hardly any of which follows its neighbour physically. */
void *alloc_scattered(size_t length);
/* In how many physically contiguous pieces the memory at @va is */
size_t count_runs(const void *va, size_t length);
/* Physical address of @va, which must be populated. Needs CAP_SYS_ADMIN. */
uint64_t phys_of(const void *va);

#endif
