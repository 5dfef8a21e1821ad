// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void die(const char *file, int line, const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: ", file, line);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "unknown error";
}

int __read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0) {
		n = -errno;
		close(fd);
		return n;
	}
	close(fd);
	text[n] = 0;
	if (n && text[n - 1] == '\n')
		text[n - 1] = 0;
	return 0;
}

int __write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

long __read_number(const char *path)
{
	char text[64];
	int ret = __read_text(path, text, sizeof(text));

	return ret ? ret : strtol(text, NULL, 0);
}

void msleep(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

bool is_filled(const void *va, size_t length, char byte)
{
	const volatile char *at = va;

	while (length--)
		if (*at++ != byte)
			return false;
	return true;
}

void *alloc_pages(size_t length)
{
	void *va = mmap(NULL, length, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (va == MAP_FAILED)
		fatal("no memory for %zu bytes", length);
	return va;
}

static char *reserve_aligned(size_t length, bool huge)
{
	char *raw = mmap(NULL, length + THP, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *va;

	if (raw == MAP_FAILED)
		fatal("no address space for %zu bytes", length);
	va = (char *)(((uintptr_t)raw + THP - 1) & ~(THP - 1));
	if (va != raw)
		munmap(raw, va - raw);
	munmap(va + length, raw + THP - va);
	if (madvise(va, length, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		fatal("no choice of transparent huge pages here");
	return va;
}

void *alloc_aligned(size_t length, bool huge)
{
	return memset(reserve_aligned(length, huge), 0, length);
}

/*
 * The kernel hands out pages in an order that mostly ascends or descends, so pages that
 * get their memory at different times do not follow each other.
 */
void *alloc_scattered(size_t length)
{
	const size_t stride = 64;
	char *va = reserve_aligned(length, false);
	size_t npages = length / PAGE, first, i;

	for (first = 0; first < stride; first++)
		for (i = first; i < npages; i += stride)
			va[i * PAGE] = 0;
	return va;
}

static int open_pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fatal("/proc/self/pagemap: %s", errno_name(errno));
	return fd;
}

/* Frame number of @va; bits 0 to 54 of its entry, 0 without the capability. */
static uint64_t frame_of(int pagemap, const void *va)
{
	uint64_t entry;

	if (pread(pagemap, &entry, sizeof(entry), (uintptr_t)va / PAGE * 8) != 8)
		fatal("/proc/self/pagemap is not readable");
	/* Bit 63: present */
	if (!(entry >> 63) || !(entry & ((1ULL << 55) - 1)))
		fatal("no physical address for %p", va);
	return entry & ((1ULL << 55) - 1);
}

size_t count_runs(const void *va, size_t length)
{
	int pagemap = open_pagemap();
	uint64_t frame, next = 0;
	size_t runs = 0, at;

	for (at = 0; at < length; at += PAGE) {
		frame = frame_of(pagemap, (const char *)va + at);
		runs += frame != next;
		next = frame + 1;
	}
	close(pagemap);
	return runs;
}

uint64_t phys_of(const void *va)
{
	int pagemap = open_pagemap();
	uint64_t frame = frame_of(pagemap, va);

	close(pagemap);
	return frame * PAGE + (uintptr_t)va % PAGE;
}
