// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "model_check.h"
#include "observe.h"

static const char *differ(const char *fmt, ...)
{
	static char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return text;
}

const char *model_check_ioas(struct model *m, int fd, struct ioas *ioas)
{
	struct ranges want, got;
	long huge;
	int ret;

	model_ranges(m, ioas, &want);
	ret = __ioas_ranges(fd, ioas->id, &got);
	if (ret)
		return differ("ranges of IOAS %u: %s", ioas->id, errno_name(-ret));
	if (got.alignment != want.alignment)
		return differ("alignment of IOAS %u: %llu, not %llu", ioas->id, got.alignment,
			      want.alignment);
	if (!ranges_equal(&want, &got))
		return differ("ranges of IOAS %u: %u, or other ones", ioas->id, got.n);
	huge = __option_get(fd, IOMMU_OPTION_HUGE_PAGES, ioas->id);
	if (huge != ioas->huge_pages)
		return differ("huge pages of IOAS %u: %ld", ioas->id, huge);
	return NULL;
}

static const char *check_table(int fd, const struct table *table)
{
	const struct area *area;

	for (area = table->ioas->areas; area; area = area->next) {
		int ret = __mock_check_map(fd, table->id, piece_va(&area->piece),
					   area->piece.length, area->iova);

		if (ret)
			return differ("page table %u, %#llx-%#llx: %s", table->id, area->iova,
				      area_last(area), errno_name(-ret));
	}
	return NULL;
}

const char *model_check_tables(struct model *m, int fd, struct ioas *ioas)
{
	const char *text;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(m->table); i++) {
		if (!m->table[i].id || m->table[i].ioas != ioas)
			continue;
		text = check_table(fd, &m->table[i]);
		if (text)
			return text;
	}
	return NULL;
}

static const char *check_source(int fd, const struct source *source, const unsigned int *pins)
{
	size_t first = 0, n;
	int ret;

	for (; first < source->npages; first += n) {
		for (n = 1; first + n < source->npages && pins[first + n] == pins[first];)
			n++;
		ret = __mock_check_refs(fd, source->va + first * PAGE, n * PAGE, pins[first]);
		if (ret)
			return differ("%zu pages at %p, page %zu, are not pinned %u times: %s",
				      n, source->va, first, pins[first], errno_name(-ret));
	}
	return NULL;
}

const char *model_check_pins(struct model *m, int fd, const struct source *source,
			     unsigned int n)
{
	unsigned int pins[MODEL_PAGES], i;
	size_t charged = 0;
	const char *text;
	long kb;

	for (i = 0; i < n; i++) {
		charged = model_pins(m, &source[i], pins);
		text = check_source(fd, &source[i], pins);
		if (text)
			return text;
	}
	kb = proc_status_kb(getpid(), "VmPin");
	if (kb != charged * PAGE / 1024)
		return differ("%ld kB charged for %zu pages", kb, charged);
	return NULL;
}

const char *model_check_gone(struct model *m, int fd, struct ioas *ioas, __u64 iova,
			     const char *va, size_t length)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < ARRAY_LEN(m->table); i++)
		for (at = 0; at < length; at += MOCK_PAGE) {
			if (!m->table[i].id || m->table[i].ioas != ioas)
				continue;
			if (__mock_check_map(fd, m->table[i].id, va + at, MOCK_PAGE,
					     iova + at) != -EINVAL)
				return differ("page table %u still leads from %#llx to %p",
					      m->table[i].id, iova + at, va + at);
		}
	return NULL;
}
