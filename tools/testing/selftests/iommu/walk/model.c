// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

struct backing *model_backing(struct model *m, const struct source *source, bool file,
			      bool writable)
{
	struct backing *backing = calloc(1, sizeof(*backing));

	if (!backing)
		fatal("no memory for the model");
	backing->source = source;
	backing->file = file;
	backing->writable = writable;
	backing->users = 1;
	backing->next = m->backings;
	m->backings = backing;
	return backing;
}

void model_put(struct model *m, struct backing *backing)
{
	struct backing **p = &m->backings;

	if (--backing->users)
		return;
	while (*p != backing)
		p = &(*p)->next;
	*p = backing->next;
	free(backing);
}

bool model_is_used(const struct ioas *ioas, __u64 start, __u64 last)
{
	const struct area *area;

	for (area = ioas->areas; area; area = area->next)
		if (touch(area->iova, area_last(area), start, last))
			return true;
	return false;
}

bool model_has_table(const struct model *m, const struct ioas *ioas)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(m->table); i++)
		if (m->table[i].id && m->table[i].ioas == ioas)
			return true;
	return false;
}

bool model_is_busy(const struct model *m, const struct ioas *ioas)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(m->access); i++)
		if (m->access[i].fd && m->access[i].ioas == ioas)
			return true;
	return model_has_table(m, ioas);
}

__u64 model_alignment(const struct model *m, const struct ioas *ioas)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(m->access); i++)
		if (m->access[i].fd && m->access[i].ioas == ioas && m->access[i].pins)
			return PAGE;
	if (!ioas->huge_pages)
		return PAGE;
	return model_has_table(m, ioas) ? MOCK_PAGE : 1;
}

bool model_is_aligned(const struct ioas *ioas, __u64 alignment)
{
	const struct area *area;

	for (area = ioas->areas; area; area = area->next)
		if (!aligned(area->iova, &area->piece, alignment))
			return false;
	return true;
}

int model_may_pin(const struct piece *pieces, unsigned int npieces)
{
	unsigned int i;

	for (i = 0; i < npieces; i++) {
		const struct piece *piece = &pieces[i];
		size_t end = (piece->offset + piece->length + PAGE - 1) / PAGE;

		if (piece->backing->writable && end > piece->backing->source->nwritable)
			return -EFAULT;
	}
	return 0;
}

int model_may_join(struct model *m, struct ioas *ioas)
{
	bool first = !model_has_table(m, ioas);
	struct area *area;
	unsigned int i;

	if (!first)
		return 0;
	if (!model_is_aligned(ioas, MOCK_PAGE) ||
	    model_is_used(ioas, 0, MOCK_APERTURE_START - 1) ||
	    model_is_used(ioas, MOCK_APERTURE_LAST + 1ULL, UINT64_MAX))
		return -EADDRINUSE;
	for (i = 0; i < ioas->nallowed; i++)
		if (ioas->allowed[i].start < MOCK_APERTURE_START ||
		    ioas->allowed[i].last > MOCK_APERTURE_LAST)
			return -EADDRINUSE;
	for (area = ioas->areas; area; area = area->next)
		if (model_may_pin(&area->piece, 1))
			return -EFAULT;
	return 0;
}

int model_set_huge_pages(struct model *m, struct ioas *ioas, bool on)
{
	if (ioas->huge_pages && !on) {
		if (ioas->areas && model_has_table(m, ioas))
			return -EINVAL;
		if (!model_is_aligned(ioas, PAGE))
			return -EADDRINUSE;
	}
	ioas->huge_pages = on;
	return 0;
}

void model_map(struct ioas *ioas, __u64 iova, __u32 flags, const struct piece *pieces,
	       unsigned int npieces)
{
	struct area **p = &ioas->areas, *area;
	unsigned int i;

	while (*p && (*p)->iova < iova)
		p = &(*p)->next;
	for (i = 0; i < npieces; i++) {
		area = malloc(sizeof(*area));
		if (!area)
			fatal("no memory for the model");
		area->iova = iova;
		area->flags = flags;
		area->piece = pieces[i];
		area->piece.backing->users++;
		area->next = *p;
		*p = area;
		p = &area->next;
		iova += pieces[i].length;
	}
}

int model_gather(struct ioas *ioas, __u64 iova, __u64 length, struct piece *pieces,
		 unsigned int *npieces, __u32 *flags)
{
	struct area *area;
	__u64 skip;

	*npieces = 0;
	*flags = MAP_RW;
	for (area = ioas->areas; area && length; area = area->next) {
		struct piece *piece = &pieces[*npieces];

		if (area_last(area) < iova)
			continue;
		if (area->iova > iova)
			return -ENOENT;
		if (++*npieces > MODEL_PIECES)
			fatal("the model is too small");
		skip = iova - area->iova;
		*piece = area->piece;
		piece->offset += skip;
		piece->length -= skip;
		if (piece->length > length)
			piece->length = length;
		iova += piece->length;
		length -= piece->length;
		*flags &= area->flags;
	}
	return length ? -ENOENT : 0;
}

static void free_area(struct model *m, struct ioas *ioas, struct area **p)
{
	struct area *area = *p;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(m->access); i++)
		if (m->access[i].fd && m->access[i].ioas == ioas)
			model_unpin(m, &m->access[i], area->iova, area_last(area));
	*p = area->next;
	model_put(m, area->piece.backing);
	free(area);
}

static bool is_pinned(const struct model *m, const struct ioas *ioas,
		      const struct area *area)
{
	const struct item *item;

	for (item = m->items; item; item = item->next)
		if (item->access->ioas == ioas &&
		    touch(item->iova, item->iova + item->length - 1, area->iova,
			  area_last(area)))
			return true;
	return false;
}

int model_cut(struct model *m, struct ioas *ioas, __u64 iova)
{
	struct area *area;
	struct piece rest;

	for (area = ioas->areas; area; area = area->next)
		if (area->iova < iova && area_last(area) >= iova)
			break;
	if (!area)
		return 0;
	if (iova % PAGE || is_pinned(m, ioas, area))
		return -EINVAL;
	rest = area->piece;
	rest.offset += iova - area->iova;
	rest.length -= iova - area->iova;
	area->piece.length = iova - area->iova;
	model_map(ioas, iova, area->flags, &rest, 1);
	return 0;
}

long model_unmap(struct model *m, struct ioas *ioas, __u64 start, __u64 last)
{
	struct area **p, *area;
	long bytes = 0;

	for (area = ioas->areas; area; area = area->next)
		if (touch(area->iova, area_last(area), start, last) &&
		    (area->iova < start || area_last(area) > last))
			return -ENOENT;
	for (p = &ioas->areas; *p;) {
		if ((*p)->iova < start || area_last(*p) > last) {
			p = &(*p)->next;
			continue;
		}
		bytes += (*p)->piece.length;
		free_area(m, ioas, p);
	}
	return bytes;
}

void model_pin(struct model *m, struct access *access, __u32 id, __u64 iova, __u64 length,
	       const struct piece *pieces, unsigned int npieces)
{
	struct item *item = malloc(sizeof(*item) + npieces * sizeof(*pieces));
	unsigned int i;

	if (!item)
		fatal("no memory for the model");
	item->access = access;
	item->id = id;
	item->iova = iova;
	item->length = length;
	item->npieces = npieces;
	for (i = 0; i < npieces; i++) {
		item->pieces[i] = pieces[i];
		pieces[i].backing->users++;
	}
	item->next = m->items;
	m->items = item;
}

void model_unpin_item(struct model *m, struct item *item)
{
	struct item **p = &m->items;
	unsigned int i;

	while (*p != item)
		p = &(*p)->next;
	*p = item->next;
	for (i = 0; i < item->npieces; i++)
		model_put(m, item->pieces[i].backing);
	free(item);
}

void model_unpin(struct model *m, struct access *access, __u64 start, __u64 last)
{
	struct item *item, *next;

	for (item = m->items; item; item = next) {
		next = item->next;
		if (item->access == access &&
		    touch(item->iova, item->iova + item->length - 1, start, last))
			model_unpin_item(m, item);
	}
}

static void hold(const struct piece *piece)
{
	size_t page;

	for (page = piece->offset / PAGE; page * PAGE < piece->offset + piece->length; page++)
		piece->backing->held[page] = true;
}

size_t model_pins(struct model *m, const struct source *source, unsigned int *pins)
{
	struct backing *backing;
	struct area *area;
	struct item *item;
	size_t charged = 0, page;
	unsigned int i;

	for (backing = m->backings; backing; backing = backing->next)
		memset(backing->held, 0, sizeof(backing->held));
	for (i = 0; i < ARRAY_LEN(m->ioas); i++)
		if (m->ioas[i].id && model_has_table(m, &m->ioas[i]))
			for (area = m->ioas[i].areas; area; area = area->next)
				hold(&area->piece);
	for (item = m->items; item; item = item->next)
		for (i = 0; i < item->npieces; i++)
			hold(&item->pieces[i]);

	memset(pins, 0, source->npages * sizeof(*pins));
	for (backing = m->backings; backing; backing = backing->next)
		for (page = 0; page < backing->source->npages; page++) {
			charged += backing->held[page];
			if (backing->source == source)
				pins[page] += backing->held[page];
		}
	return charged;
}

void model_forget(struct model *m)
{
	unsigned int i;

	while (m->items)
		model_unpin_item(m, m->items);
	for (i = 0; i < ARRAY_LEN(m->ioas); i++)
		model_unmap(m, &m->ioas[i], 0, UINT64_MAX);
	memset(m, 0, sizeof(*m));
}
