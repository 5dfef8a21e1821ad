// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "figures.h"

#define MAX_FIGURES 64

/* What a figure counts, and how people want to read it */
struct unit {
	const char *name, *shown;
	double scale;
};

static const struct unit instructions = { "instructions", "M", 1e6 };
static const struct unit nanoseconds = { "ns", "ms", 1e6 };
static const struct unit bytes = { "bytes", "KiB", 1024 };

static struct figure {
	struct figures_subject subject;
	const char *operation, *reference;
	const struct unit *unit;
	uint64_t theirs, ours;
	double target;
} figures[MAX_FIGURES];

static unsigned int nfigures;
static struct figures_subject about;
static const struct unit *unit_of_time;

void figures_begin(bool count)
{
	unit_of_time = count ? &instructions : &nanoseconds;
	printf("In %s\n", count ? "millions of instructions (with -icount shift=0)" :
				  "milliseconds");
	printf("  %-19s %13s %14s %9s\n", "", "reference", "iommufd", "ratio");
}

void figures_about(struct figures_subject subject)
{
	about = subject;
	printf("%s: %zu MiB in %zu contiguous pieces\n", about.memory, about.length / MIB(1),
	       about.pieces);
}

static bool held(const struct figure *figure)
{
	return !figure->target || figure->ours <= figure->target * figure->theirs;
}

static void print(const struct figure *figure)
{
	const struct unit *unit = figure->unit;

	printf("  %-19s %10.2f %-3s %10.2f %-3s", figure->operation,
	       figure->theirs / unit->scale, unit->shown, figure->ours / unit->scale,
	       unit->shown);
	if (figure->theirs)
		printf(" %8.3fx", (double)figure->ours / figure->theirs);
	else
		printf(" %9s", "");
	printf(" %-10s", figure->reference);
	if (figure->target)
		printf(" <= %.2fx   %s", figure->target, held(figure) ? "held" : "MISSED");
	printf("\n");
}

static void add(struct figure figure)
{
	if (nfigures == MAX_FIGURES)
		fatal("too many figures");
	figure.subject = about;
	figures[nfigures] = figure;
	print(&figures[nfigures++]);
}

void figures_add(const char *operation, const char *reference, uint64_t theirs, uint64_t ours,
		 double target)
{
	add((struct figure){
		.operation = operation, .reference = reference, .unit = unit_of_time,
		.theirs = theirs, .ours = ours,
		.target = unit_of_time == &instructions ? target : 0,
	});
}

void figures_add_bytes(const char *operation, const char *reference, uint64_t theirs,
		       uint64_t ours)
{
	add((struct figure){
		.operation = operation, .reference = reference, .unit = &bytes,
		.theirs = theirs, .ours = ours,
	});
}

bool figures_held(void)
{
	bool all = true;
	unsigned int i;

	for (i = 0; i < nfigures; i++)
		all &= held(&figures[i]);
	if (unit_of_time == &instructions)
		printf("%s\n", all ? "All targets held." : "A target was missed.");
	return all;
}

static void print_json(const struct figure *figure)
{
	printf("{\"memory\":\"%s\",\"bytes\":%zu,\"pieces\":%zu,\"operation\":\"%s\",",
	       figure->subject.memory, figure->subject.length, figure->subject.pieces,
	       figure->operation);
	printf("\"unit\":\"%s\",\"reference\":\"%s\",\"reference_cost\":%llu,\"cost\":%llu,",
	       figure->unit->name, figure->reference, (unsigned long long)figure->theirs,
	       (unsigned long long)figure->ours);
	if (figure->theirs)
		printf("\"ratio\":%.4f,", (double)figure->ours / figure->theirs);
	else
		printf("\"ratio\":null,");
	printf("\"target\":%.2f,\"held\":%s}", figure->target, held(figure) ? "true" : "false");
}

void figures_print_json(void)
{
	unsigned int i;

	printf("[");
	for (i = 0; i < nfigures; i++) {
		if (i)
			printf(",");
		print_json(&figures[i]);
	}
	printf("]\n");
}
