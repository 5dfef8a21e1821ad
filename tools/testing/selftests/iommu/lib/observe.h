/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel lets anybody see: its log, its counters, its trace. */
#ifndef IOMMU_TEST_OBSERVE_H
#define IOMMU_TEST_OBSERVE_H

#include <sys/types.h>

#include "util.h"

/* A reader of the kernel log. It sees what is logged after it was opened. */
struct klog {
	int fd;
	char line[1024];
};

void klog_open(struct klog *log);
void klog_close(struct klog *log);
/*
 * Wait for a line that contains both strings, and leave it in @log->line. Lines are
 * consumed; @b may be NULL.
 */
bool klog_wait(struct klog *log, unsigned int ms, const char *a, const char *b);
/* The line in which the IOMMU complains about device @bdf. */
bool klog_wait_fault(struct klog *log, unsigned int ms, const char *bdf);

/*
 * Do something that fails until the kernel says why, in a line that contains both strings;
 * others may have used up what the rate limit allows.
 */
#define klog_says(fails, a, b)                                            \
	({                                                                \
		struct klog __log;                                        \
		bool __said = false;                                      \
		int __try;                                                \
									  \
		klog_open(&__log);                                        \
		for (__try = 0; __try < 12 && !__said; __try++) {         \
			fails;                                            \
			__said = klog_wait(&__log, 500, a, b);            \
		}                                                         \
		klog_close(&__log);                                       \
		__said;                                                   \
	})

/*
 * Whoever watches the kernel log from outside is told that IOMMU faults between the two
 * calls are wanted.
 */
void faults_expected(bool begin);

/*
 * Interrupts that reported an IOMMU fault since boot. Unlike messages in the log they
 * are not rate limited, so no change means that there was no fault.
 */
long fault_count(void);
/* Wait for the number to rise above @before. */
bool fault_seen(long before);

/* A line of /proc/<pid>/status in kB, such as "VmPin"; 0 when there is none. */
long proc_status_kb(pid_t pid, const char *key);
/* A line of /proc/vmstat */
long vmstat(const char *key);
/* Pages pinned by anybody in the system now */
long pinned_pages(void);
/* Wait a moment for the number to fall to @goal; returns what it is. */
long pinned_pages_settle(long goal);
/* A line of /proc/meminfo in kB */
long meminfo_kb(const char *key);

/* Event tracing. __trace_start() fails where the kernel or the machine has no tracefs. */
int __trace_start(const char *const *events, unsigned int n);
/* Trace calls of a kernel function under the name @event, from __trace_start() on */
int __trace_probe(const char *event, const char *function);
/* Leave a line of one's own in the trace. */
void trace_mark(const char *text);
/* Stop, and return all lines as one string, which lives until the next call. */
const char *trace_stop(void);

#endif
