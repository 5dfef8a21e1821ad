// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "control.h"
#include "util.h"

#define DEBUG "/sys/kernel/debug/"

/* Kept open: opening it takes memory. */
static int control = -1;

int __failnth_init(void)
{
	static const char *const settings[][2] = {
		/* Allocations that may wait fail as well, ... */
		{ DEBUG "failslab/ignore-gfp-wait", "N" },
		{ DEBUG "fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUG "fail_page_alloc/ignore-gfp-highmem", "N" },
		/* ... and single pages ... */
		{ DEBUG "fail_page_alloc/min-order", "0" },
		/* ... without a word. */
		{ DEBUG "failslab/verbose", "0" },
		{ DEBUG "fail_page_alloc/verbose", "0" },
	};
	unsigned int i;
	int ret;

	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (i = 0; i < ARRAY_LEN(settings); i++) {
		ret = __write_text(settings[i][0], settings[i][1]);
		if (ret)
			return ret;
	}
	control = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	return control < 0 ? -errno : 0;
}

static void write_control(unsigned int nth)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(control, text, n, 0) != n)
		fatal("fail-nth does not take %u", nth);
}

void failnth_arm(unsigned int nth)
{
	write_control(nth);
}

bool failnth_disarm(void)
{
	char text[16] = "";

	if (pread(control, text, sizeof(text) - 1, 0) <= 0)
		fatal("fail-nth says nothing");
	write_control(0);
	return !strtoul(text, NULL, 10);
}
