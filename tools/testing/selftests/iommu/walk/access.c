// SPDX-License-Identifier: GPL-2.0
/* In-kernel users of an IOAS. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "walk.h"

#define NO_SUCH_ITEM 0x7fffffff
/* More items than this make room before there are new ones. */
#define MAX_ITEMS 12

static struct access *some_access(void)
{
	return &w.m.access[rnd(ARRAY_LEN(w.m.access))];
}

static int may_attach(const struct ioas *ioas, bool pins)
{
	if (!ioas)
		return -ENOENT;
	return pins && !model_is_aligned(ioas, PAGE) ? -EADDRINUSE : 0;
}

static void open_access(struct access *access)
{
	struct ioas *ioas = some_ioas();
	__u32 id = ioas ? ioas->id : NO_SUCH_ID;
	bool pins = !one_in(3);
	int want = may_attach(ioas, pins), got;

	say("new access, %s, to %u", pins ? "pins" : "copies", id);
	got = __mock_access(w.fd, id, pins ? MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES : 0);
	expect(want, got < 0 ? got : 0);
	if (!want)
		*access = (struct access){ got, pins, ioas };
}

static void close_access(struct access *access)
{
	say("close access %d", access->fd);
	close(access->fd);
	model_unpin(&w.m, access, 0, UINT64_MAX);
	access->fd = 0;
}

static void move_access(struct access *access)
{
	struct ioas *ioas = some_ioas();
	__u32 id = ioas ? ioas->id : NO_SUCH_ID;
	int want = ioas == access->ioas ? 0 : may_attach(ioas, access->pins);

	say("access %d from %u to %u", access->fd, access->ioas->id, id);
	expect(want, __mock_access_replace(w.fd, access->fd, id));
	if (want || ioas == access->ioas)
		return;
	model_unpin(&w.m, access, 0, UINT64_MAX);
	access->ioas = ioas;
}

void step_access(void)
{
	struct access *access = some_access();

	if (!access->fd)
		open_access(access);
	else if (one_in(3))
		close_access(access);
	else
		move_access(access);
}

/* May an in-kernel user have this range, and what is it? */
static int may_use(struct ioas *ioas, __u64 iova, size_t length, bool write,
		   struct piece *pieces, unsigned int *n)
{
	__u32 flags;
	int ret;

	if (!length)
		return -EINVAL;
	if (iova + length - 1 < iova)
		return -EOVERFLOW;
	ret = model_gather(ioas, iova, length, pieces, n, &flags);
	if (ret)
		return ret;
	if (!(flags & (write ? MAP_W : MAP_R)))
		return -EPERM;
	return model_may_pin(pieces, *n);
}

static void unpin(struct item *item)
{
	say("access %d unpins item %u", item->access->fd, item->id);
	expect(0, __mock_unpin(w.fd, item->access->fd, item->id));
	model_unpin_item(&w.m, item);
}

/* Sets *@n to how many there are. */
static struct item *some_item(unsigned int *n)
{
	struct item *item;
	unsigned int chosen;

	for (*n = 0, item = w.m.items; item; item = item->next)
		++*n;
	if (!*n)
		return NULL;
	chosen = rnd(*n);
	for (item = w.m.items; chosen--;)
		item = item->next;
	return item;
}

void step_pin(void)
{
	struct access *access = some_access();
	bool write = one_in(2);
	struct piece pieces[MODEL_PIECES];
	unsigned int n = 0;
	const char *va;
	size_t length;
	__u64 iova;
	int want, got;

	if (!access->fd)
		return;
	some_range(access->ioas, &iova, &length);
	want = access->pins ? may_use(access->ioas, iova, length, write, pieces, &n) :
			      -EOPNOTSUPP;
	/* Several mappings need not be of memory that is in one piece for this process. */
	va = !want && n == 1 ? piece_va(&pieces[0]) : NULL;
	say("access %d pins %#llx, %#zx bytes%s", access->fd, iova, length,
	    write ? ", writes" : "");
	got = __mock_pin(w.fd, access->fd, write ? MOCK_FLAGS_ACCESS_WRITE : 0, iova, length,
			 va);
	expect(want, got < 0 ? got : 0);
	if (!want)
		model_pin(&w.m, access, got, iova, length, pieces, n);
}

void step_unpin(void)
{
	struct access *access = some_access();
	unsigned int n;
	struct item *item = some_item(&n);

	if (item && (n > MAX_ITEMS || !one_in(8))) {
		unpin(item);
	} else if (access->fd) {
		say("access %d unpins what it has not", access->fd);
		expect(-ENOENT, __mock_unpin(w.fd, access->fd, NO_SUCH_ITEM));
	}
}

/* What a write leaves in a byte of memory, wherever it is mapped, and how often. */
static char byte_for(const char *va)
{
	return ((uintptr_t)va * 31 >> 3) + (uintptr_t)va + w.step;
}

/* The memory and @data, piece by piece: */
static bool same(const struct piece *pieces, unsigned int n, const char *data)
{
	unsigned int i;

	for (i = 0; i < n; data += pieces[i++].length)
		if (memcmp(piece_va(&pieces[i]), data, pieces[i].length))
			return false;
	return true;
}

static void fill(const struct piece *pieces, unsigned int n, char *data)
{
	unsigned int i;
	size_t at;

	for (i = 0; i < n; i++)
		for (at = 0; at < pieces[i].length; at++)
			*data++ = byte_for(piece_va(&pieces[i]) + at);
}

void step_rw(void)
{
	struct access *access = some_access();
	bool write = one_in(2);
	struct piece pieces[MODEL_PIECES];
	unsigned int n = 0;
	size_t length;
	__u64 iova;
	char *data;
	int want;

	if (!access->fd)
		return;
	some_range(access->ioas, &iova, &length);
	if (length > 2 * PAGE && one_in(2)) {
		iova += 1 + rnd(PAGE);
		length -= PAGE + rnd(PAGE);
	}
	want = may_use(access->ioas, iova, length, write, pieces, &n);
	data = calloc(1, length + 1);
	if (!data)
		fatal("no memory for %zu bytes", length);
	if (!want && write)
		fill(pieces, n, data);
	say("access %d %s %#llx, %#zx bytes", access->fd, write ? "writes" : "reads", iova,
	    length);
	expect(want, __mock_rw(w.fd, access->fd, write ? MOCK_ACCESS_RW_WRITE : 0, iova, data,
			       length));
	if (!want && !same(pieces, n, data))
		lost("these are not the bytes of the memory");
	free(data);
}
