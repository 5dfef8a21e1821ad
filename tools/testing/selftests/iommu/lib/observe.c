// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "observe.h"

#define TRACING "/sys/kernel/tracing"

void klog_open(struct klog *log)
{
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log->fd < 0 || lseek(log->fd, 0, SEEK_END) < 0)
		fatal("/dev/kmsg: %s", errno_name(errno));
	log->line[0] = 0;
}

void klog_close(struct klog *log)
{
	close(log->fd);
	log->fd = -1;
}

static bool next_line(struct klog *log)
{
	ssize_t n;

	do {
		n = read(log->fd, log->line, sizeof(log->line) - 1);
		/* EPIPE: older lines were overwritten. */
	} while (n < 0 && errno == EPIPE);
	if (n <= 0)
		return false;
	log->line[n] = 0;
	log->line[strcspn(log->line, "\n")] = 0;
	return true;
}

bool klog_wait(struct klog *log, unsigned int ms, const char *a, const char *b)
{
	uint64_t end = now_ns() + ms * 1000000ULL;

	for (;;) {
		while (next_line(log))
			if (strstr(log->line, a) && (!b || strstr(log->line, b)))
				return true;
		if (now_ns() >= end)
			return false;
		msleep(5);
	}
}

bool klog_wait_fault(struct klog *log, unsigned int ms, const char *bdf)
{
	char device[48];

	/* The log leaves the PCI domain out. */
	snprintf(device, sizeof(device), "device [%s]", bdf + 5);
	return klog_wait(log, ms, "DMAR: [DMA", device);
}

void faults_expected(bool begin)
{
	/* The last one may still be on its way into the log. */
	if (!begin)
		msleep(50);
	__write_text("/dev/kmsg", begin ? "iommufd-test: expect dmar-fault begin\n" :
					  "iommufd-test: expect dmar-fault end\n");
}

/* The sum of the numbers that follow a colon, up to the first word. */
static long sum_columns(const char *text)
{
	long sum = 0, value;
	char *end;

	for (;; text = end) {
		value = strtol(text, &end, 10);
		if (end == text)
			return sum;
		sum += value;
	}
}

long fault_count(void)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[1024];
	long sum = 0;

	if (!file)
		fatal("/proc/interrupts: %s", errno_name(errno));
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (colon && strstr(line, "dmar"))
			sum += sum_columns(colon + 1);
	}
	fclose(file);
	return sum;
}

bool fault_seen(long before)
{
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (fault_count() > before)
			return true;
		msleep(5);
	}
	return false;
}

/* Value after @key and an optional colon in a file of "key value" lines, or -1 */
static long keyed_number(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	size_t len = strlen(key);
	long value = -1;
	char line[256];

	if (!file)
		return -1;
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, len) && strchr(": \t", line[len]))
			value = strtol(line + len + 1, NULL, 10);
	fclose(file);
	return value;
}

long proc_status_kb(pid_t pid, const char *key)
{
	char path[64];
	long value;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	value = keyed_number(path, key);
	return value < 0 ? 0 : value;
}

long vmstat(const char *key)
{
	long value = keyed_number("/proc/vmstat", key);

	if (value < 0)
		fatal("/proc/vmstat has no %s", key);
	return value;
}

long pinned_pages(void)
{
	/* Add up what the processors have counted by themselves. */
	__write_text("/proc/sys/vm/stat_refresh", "1");
	return vmstat("nr_foll_pin_acquired") - vmstat("nr_foll_pin_released");
}

long pinned_pages_settle(long goal)
{
	int tries;

	/* Some releases wait for an RCU grace period. */
	for (tries = 0; tries < 30 && pinned_pages() != goal; tries++)
		msleep(100);
	return pinned_pages();
}

long meminfo_kb(const char *key)
{
	return keyed_number("/proc/meminfo", key);
}

int __trace_probe(const char *event, const char *function)
{
	char text[160];

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	snprintf(text, sizeof(text), "p:iommufd_test/%s %s", event, function);
	return __write_text(TRACING "/kprobe_events", text);
}

int __trace_start(const char *const *events, unsigned int n)
{
	unsigned int i;
	int ret = 0;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	__write_text(TRACING "/tracing_on", "0");
	/* Opening it truncates, that is, clears it. */
	__write_text(TRACING "/trace", "");
	for (i = 0; i < n && !ret; i++) {
		char path[128];

		snprintf(path, sizeof(path), TRACING "/events/%s/enable", events[i]);
		ret = __write_text(path, "1");
	}
	return ret ? ret : __write_text(TRACING "/tracing_on", "1");
}

void trace_mark(const char *text)
{
	static int marker = -1;

	/* Opening the file leaves traces of its own. */
	if (marker < 0)
		marker = open(TRACING "/trace_marker", O_WRONLY | O_CLOEXEC);
	if (write(marker, text, strlen(text)) < 0)
		fatal("no trace marker");
}

const char *trace_stop(void)
{
	static char text[1 << 18];
	size_t done = 0;
	ssize_t n;
	int fd;

	__write_text(TRACING "/tracing_on", "0");
	__write_text(TRACING "/events/enable", "0");
	fd = open(TRACING "/trace", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fatal("no trace to read: %s", errno_name(errno));
	while (done < sizeof(text) - 1 &&
	       (n = read(fd, text + done, sizeof(text) - 1 - done)) > 0)
		done += n;
	close(fd);
	text[done] = 0;
	/* This clears the trace. */
	__write_text(TRACING "/kprobe_events", "");
	return text;
}
