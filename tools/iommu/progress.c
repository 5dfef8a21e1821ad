// SPDX-License-Identifier: GPL-2.0
/*
 * A sign of life while the kernel is busy for us: after two seconds a line on standard
 * error says what is still going on, and every ten seconds again. A thread says it, for
 * this one is inside the kernel, where no signal reaches it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "progress.h"
#include "sysfs.h"

#define FIRST_SECONDS 2
#define MORE_SECONDS 10

static char doing[PATH_LEN];
static pthread_t thread;
static bool running;
static sem_t over;

static void *watch(void *unused)
{
	struct timespec until;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FIRST_SECONDS;
	while (sem_clockwait(&over, CLOCK_MONOTONIC, &until)) {
		if (errno != ETIMEDOUT)
			continue;
		fprintf(stderr, "iommuctl: still %s\n", doing);
		until.tv_sec += MORE_SECONDS;
	}
	return NULL;
}

/* What is about to begin, in words that follow "still". */
void progress_begin(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(doing, sizeof(doing), fmt, args);
	va_end(args);
	sem_init(&over, 0, 0);
	running = !pthread_create(&thread, NULL, watch, NULL);
}

void progress_end(void)
{
	if (!running)
		return;
	sem_post(&over);
	pthread_join(thread, NULL);
	running = false;
}
