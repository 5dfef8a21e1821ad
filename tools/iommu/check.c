// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl check": is this machine ready to give a device to the caller? A line for each
 * thing that has to be right, and below those that are not, how to mend them. Runs as who
 * will start the VMM, for it is that user's permissions and limits that count.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "iommuctl.h"
#include "report.h"
#include "sysfs.h"

static void (*const checks[])(const struct options *options) = {
	check_kernel,
	check_iommu,
	check_interrupts,
	check_modules,
	check_noiommu,
	check_iommu_file,
	check_devices,
	check_memlock,
};

static struct json_object *last;
static unsigned int failures;

static void verdict(const char *check, const char *state, const char *fmt, va_list args)
{
	char text[PATH_LEN];

	vsnprintf(text, sizeof(text), fmt, args);
	last = append_object(add_array(report_root(), "checks"));
	say("  %-7s %-10s %s", state, check, text);
	add_string(last, "check", check);
	add_string(last, "state", state);
	add_string(last, "text", text);
	add_string(last, "mend", NULL);
}

void passed(const char *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(check, "ok", fmt, args);
	va_end(args);
}

/* It works, but perhaps not the way it is meant to. */
void warned(const char *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(check, "warning", fmt, args);
	va_end(args);
}

void failed(const char *check, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	verdict(check, "FAILED", fmt, args);
	va_end(args);
	failures++;
}

/* How to mend what the last line complains about. */
void remedy(const char *fmt, ...)
{
	char text[PATH_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say("                     mend: %s", text);
	add_string(last, "mend", text);
}

int check_command(const struct options *options)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](options);
	add_bool(report_root(), "ready", !failures);
	if (failures)
		say("Not ready: %u of these have to be mended.", failures);
	else
		say("Ready.");
	return failures ? EXIT_NO : EXIT_FINE;
}
