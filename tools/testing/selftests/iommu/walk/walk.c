// SPDX-License-Identifier: GPL-2.0
/* Choosing at random, and comparing answers. */
#include <stdarg.h>
#include <stdio.h>

#include "walk.h"

#define RING 16

struct walk w;

/* What was done last */
static char ring[RING][128];

unsigned int rnd(unsigned int n)
{
	__u64 z = w.random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ring[w.step % RING], sizeof(ring[0]), fmt, args);
	va_end(args);
}

void tell(void)
{
	unsigned long i;

	for (i = w.step < RING ? 0 : w.step - RING + 1; i <= w.step; i++)
		printf("# step %lu: %s\n", i, ring[i % RING]);
}

void agree(const char *difference)
{
	if (difference)
		lost(difference);
}

static const char *outcome(long value)
{
	static char text[2][32];
	static unsigned int i;
	char *p = text[i++ % 2];

	if (value < 0)
		return errno_name(-value);
	snprintf(p, sizeof(text[0]), "%#lx", value);
	return p;
}

void expect(long want, long got)
{
	char text[80];

	if (got == want)
		return;
	snprintf(text, sizeof(text), "%s instead of %s", outcome(got), outcome(want));
	lost(text);
}

struct ioas *some_ioas(void)
{
	struct ioas *ioas = &w.m.ioas[rnd(ARRAY_LEN(w.m.ioas))];

	return ioas->id ? ioas : NULL;
}

struct source *some_source(void)
{
	return &w.source[rnd(NSOURCES)];
}

static struct area *some_area(struct ioas *ioas)
{
	unsigned int n = 0, chosen;
	struct area *area;

	for (area = ioas->areas; area; area = area->next)
		n++;
	if (!n)
		return NULL;
	chosen = rnd(n);
	for (area = ioas->areas; chosen--;)
		area = area->next;
	return area;
}

size_t some_unit(void)
{
	return one_in(12) ? 1 : one_in(6) ? MOCK_PAGE : PAGE;
}

__u64 some_iova(size_t unit)
{
	__u64 base = MOCK_IOVA;

	if (one_in(32))
		base = one_in(2) ? 0 : -(__u64)KIB(512);
	else if (one_in(16))
		base -= KIB(256);
	return base + rnd(KIB(512) / unit) * unit;
}

size_t some_length(size_t unit, size_t limit)
{
	size_t length = one_in(4) ? limit : KIB(48);

	if (one_in(64))
		return 0;
	if (length > limit)
		length = limit;
	return length < unit ? unit : (1 + rnd(length / unit)) * unit;
}

__u32 some_flags(void)
{
	static const __u32 flags[] = { MAP_RW, MAP_RW, MAP_RW, MAP_RW, MAP_RW, MAP_R, MAP_W };

	return one_in(64) ? 0 : flags[rnd(ARRAY_LEN(flags))];
}

void some_range(struct ioas *ioas, __u64 *iova, size_t *length)
{
	struct area *area = ioas && !one_in(4) ? some_area(ioas) : NULL;
	size_t unit = some_unit(), skip;

	if (!area) {
		*iova = some_iova(unit);
		*length = some_length(unit, KIB(256));
		return;
	}
	*iova = area->iova;
	*length = area->piece.length;
	if (one_in(2) || *length < 2 * unit)
		return;
	skip = rnd(*length / unit) * unit;
	*iova += skip;
	*length = one_in(2) ? *length - skip : some_length(unit, *length - skip);
}

