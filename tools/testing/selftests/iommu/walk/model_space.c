// SPDX-License-Identifier: GPL-2.0
/* The IOVAs of an IOAS: what is reserved, and where mappings can go. */
#include <errno.h>
#include <string.h>

#include "model.h"

#define HUGE_IOVA MIB(2)

/* What is reserved: up to two ranges around the aperture, and what a test reserved. */
static unsigned int list_reserved(const struct model *m, const struct ioas *ioas,
				  struct iommu_iova_range out[4])
{
	unsigned int n = 0, i;

	if (model_has_table(m, ioas)) {
		out[n].start = 0;
		out[n++].last = MOCK_APERTURE_START - 1;
		out[n].start = MOCK_APERTURE_LAST + 1ULL;
		out[n++].last = UINT64_MAX;
	}
	for (i = 0; i < ioas->nreserved; i++)
		out[n++] = ioas->reserved[i];
	return n;
}

bool model_is_reserved(const struct model *m, const struct ioas *ioas, __u64 start,
		       __u64 last)
{
	struct iommu_iova_range reserved[4];
	unsigned int n = list_reserved(m, ioas, reserved), i;

	for (i = 0; i < n; i++)
		if (touch(reserved[i].start, reserved[i].last, start, last))
			return true;
	return false;
}

/* The lowest address from *@at on that is not reserved; false if there is none. */
static bool next_usable(const struct model *m, const struct ioas *ioas, __u64 *at)
{
	struct iommu_iova_range reserved[4];
	unsigned int n = list_reserved(m, ioas, reserved), i = 0;

	while (i < n) {
		if (!touch(reserved[i].start, reserved[i].last, *at, *at)) {
			i++;
			continue;
		}
		if (reserved[i].last == UINT64_MAX)
			return false;
		*at = reserved[i].last + 1;
		i = 0;
	}
	return true;
}

void model_ranges(const struct model *m, const struct ioas *ioas, struct ranges *out)
{
	struct iommu_iova_range reserved[4];
	unsigned int n = list_reserved(m, ioas, reserved), i;
	__u64 at = 0, last;

	memset(out, 0, sizeof(*out));
	out->alignment = model_alignment(m, ioas);
	while (next_usable(m, ioas, &at)) {
		last = UINT64_MAX;
		for (i = 0; i < n; i++)
			if (reserved[i].start > at && reserved[i].start - 1 < last)
				last = reserved[i].start - 1;
		out->range[out->n].start = at;
		out->range[out->n++].last = last;
		if (last == UINT64_MAX)
			break;
		at = last + 1;
	}
}

int model_allow(struct model *m, struct ioas *ioas, unsigned int n,
		const struct iommu_iova_range *ranges)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (ranges[i].start >= ranges[i].last)
			return -EINVAL;
	for (i = 0; i < n; i++) {
		if (i && touch(ranges[i].start, ranges[i].last, ranges[0].start,
			       ranges[0].last))
			return -EINVAL;
		if (model_is_reserved(m, ioas, ranges[i].start, ranges[i].last))
			return -EADDRINUSE;
	}
	ioas->nallowed = n;
	memcpy(ioas->allowed, ranges, n * sizeof(*ranges));
	return 0;
}

int model_reserve(struct ioas *ioas, __u64 start, __u64 last)
{
	unsigned int i;

	for (i = 0; i < ioas->nallowed; i++)
		if (touch(ioas->allowed[i].start, ioas->allowed[i].last, start, last))
			return -EADDRINUSE;
	if (model_is_used(ioas, start, last))
		return -EADDRINUSE;
	ioas->reserved[ioas->nreserved].start = start;
	ioas->reserved[ioas->nreserved++].last = last;
	return 0;
}

static __u64 max_alignment(__u64 addr, size_t length)
{
	__u64 alignment = 1;

	while (alignment < length && alignment < HUGE_IOVA)
		alignment *= 2;
	while (addr % alignment)
		alignment /= 2;
	return alignment;
}

/* Does a mapping fit at the lowest address from @at on that has the wanted alignment? */
static bool fits(const struct model *m, const struct ioas *ioas, __u64 addr, size_t length,
		 const struct iommu_iova_range *range, __u64 *at)
{
	__u64 step = max_alignment(addr, length);

	if (step < PAGE)
		step = PAGE;
	*at += (addr % PAGE - *at) % step;
	return *at >= range->start && *at <= range->last &&
	       length - 1 <= range->last - *at &&
	       !model_is_reserved(m, ioas, *at, *at + length - 1) &&
	       !model_is_used(ioas, *at, *at + length - 1);
}

/* The lowest one follows the start of the range, a mapping or something reserved. */
static bool find_in(const struct model *m, const struct ioas *ioas, __u64 addr,
		    size_t length, const struct iommu_iova_range *range, __u64 *iova)
{
	struct iommu_iova_range reserved[4];
	unsigned int n = list_reserved(m, ioas, reserved), i;
	__u64 best = UINT64_MAX, at = range->start;
	const struct area *area;

	if (fits(m, ioas, addr, length, range, &at))
		best = at;
	for (i = 0; i < n; i++) {
		at = reserved[i].last + 1;
		if (at && fits(m, ioas, addr, length, range, &at) && at < best)
			best = at;
	}
	for (area = ioas->areas; area; area = area->next) {
		at = area_last(area) + 1;
		if (at && fits(m, ioas, addr, length, range, &at) && at < best)
			best = at;
	}
	*iova = best;
	return best != UINT64_MAX;
}

static int find(const struct model *m, const struct ioas *ioas, __u64 addr, size_t length,
		__u64 *iova)
{
	struct iommu_iova_range range = { PAGE, UINT64_MAX - PAGE };
	__u64 other;

	if (max_alignment(addr, length) < model_alignment(m, ioas))
		return -EINVAL;
	if (!ioas->nallowed)
		return find_in(m, ioas, addr, length, &range, iova) ? 0 : -ENOSPC;

	if (!find_in(m, ioas, addr, length, &ioas->allowed[0], iova))
		*iova = UINT64_MAX;
	if (ioas->nallowed == 2 &&
	    find_in(m, ioas, addr, length, &ioas->allowed[1], &other) && other < *iova)
		*iova = other;
	return *iova == UINT64_MAX ? -ENOSPC : 0;
}

int model_place(struct model *m, struct ioas *ioas, bool fixed, __u64 addr,
		const struct piece *pieces, unsigned int npieces, __u64 *iova)
{
	__u64 alignment = model_alignment(m, ioas), at, length = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < npieces; i++)
		length += pieces[i].length;
	if (length % alignment || (fixed && *iova % alignment))
		return -EINVAL;
	if (fixed && *iova + length - 1 < *iova)
		return -EOVERFLOW;
	if (fixed && model_is_reserved(m, ioas, *iova, *iova + length - 1))
		return -EINVAL;
	if (fixed && model_is_used(ioas, *iova, *iova + length - 1))
		return -EEXIST;
	ret = fixed ? 0 : find(m, ioas, addr, length, iova);
	if (ret)
		return ret;
	for (i = 0, at = *iova; i < npieces; at += pieces[i++].length)
		if (!aligned(at, &pieces[i], alignment))
			return -EINVAL;
	return model_has_table(m, ioas) ? model_may_pin(pieces, npieces) : 0;
}
