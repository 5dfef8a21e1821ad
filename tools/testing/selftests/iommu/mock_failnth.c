// SPDX-License-Identifier: GPL-2.0
/*
 * Every command, with each of its memory allocations failing in turn: it says ENOMEM, has
 * changed nothing, and works when it is repeated. What takes things away never fails.
 *
 * Needs a kernel with fault injection, such as the debug kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "failnth/control.h"
#include "failnth/world.h"
#include "kselftest.h"
#include "observe.h"

/* No command takes so many allocations. */
#define MAX_NTH 3000

struct memory memory[NKINDS];
int memory_file;

static void make_world(const struct command *c, struct world *w)
{
	__u32 id;

	*w = (struct world){
		.fd = mock_open(),
		.access = -1,
		.file = -1,
		.registers = MAP_FAILED,
	};
	w->va = memory[c->kind].va;
	w->length = memory[c->kind].length;
	w->ioas = ioas_alloc(w->fd);
	w->other = ioas_alloc(w->fd);
	if (c->mapped)
		must(__ioas_map_at(w->fd, w->ioas, w->va, w->length, MOCK_IOVA));
	if (c->tables)
		w->dev = mock_device(w->fd, w->ioas);
	if (c->tables == 2)
		must(__hwpt_alloc(w->fd, w->dev.idev, w->ioas, 0, &id));
	if (c->prepare)
		c->prepare(w);
}

static void end_world(struct world *w)
{
	if (w->registers != MAP_FAILED)
		munmap(w->registers, w->map_length);
	if (w->file >= 0)
		close(w->file);
	if (w->access >= 0)
		close(w->access);
	if (w->fd >= 0)
		close(w->fd);
}

struct state {
	char objects[2048];
	struct ranges ranges[2];
	long pinned, charged;
};

static void look(const struct world *w, struct state *s)
{
	char path[64];

	memset(s, 0, sizeof(*s));
	if (w->fd >= 0) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", w->fd);
		must(__read_text(path, s->objects, sizeof(s->objects)));
		must(__ioas_ranges(w->fd, w->ioas, &s->ranges[0]));
		must(__ioas_ranges(w->fd, w->other, &s->ranges[1]));
	}
	s->pinned = pinned_pages();
	s->charged = proc_status_kb(getpid(), "VmPin");
}

static bool same_ranges(const struct state *a, const struct state *b)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(a->ranges); i++)
		if (!ranges_equal(&a->ranges[i], &b->ranges[i]) ||
		    a->ranges[i].alignment != b->ranges[i].alignment)
			return false;
	return true;
}

/* Says what differs. */
static bool same(const struct state *before, const struct world *w, const char *when)
{
	struct state now;

	pinned_pages_settle(before->pinned);
	look(w, &now);
	if (now.pinned != before->pinned)
		ksft_print_msg("%s: %ld pages pinned, not %ld\n", when, now.pinned,
			       before->pinned);
	else if (now.charged != before->charged)
		ksft_print_msg("%s: %ld kB charged, not %ld\n", when, now.charged,
			       before->charged);
	else if (strcmp(now.objects, before->objects))
		ksft_print_msg("%s: other objects:\n%s", when, now.objects);
	else if (!same_ranges(before, &now))
		ksft_print_msg("%s: other IOVA ranges\n", when);
	else
		return true;
	return false;
}

/* Does the page table lead to the memory, or to nothing? In samples */
static bool leads(const struct world *w, __u32 hwpt, bool mapped, const char *when)
{
	size_t at;
	int ret;

	for (at = 0; at < w->length; at += at + KIB(4)) {
		ret = __mock_check_map(w->fd, hwpt, w->va + at, MOCK_PAGE, MOCK_IOVA + at);
		if (ret == (mapped ? 0 : -EINVAL))
			continue;
		ksft_print_msg("%s: page table %u at byte %#zx: %s\n", when, hwpt, at,
			       errno_name(-ret));
		return false;
	}
	return true;
}

static bool intact(const struct command *c, const struct state *before,
		   const struct world *w, const char *when)
{
	if (!same(before, w, when))
		return false;
	if (c->tables && !leads(w, w->dev.hwpt, c->mapped, when))
		return false;
	if (c->intact && !c->intact(w)) {
		ksft_print_msg("%s: something else has changed\n", when);
		return false;
	}
	return !w->other_dev.hwpt || leads(w, w->other_dev.hwpt, false, when);
}

/* Sets *@fired if there was an allocation to fail. */
static bool try_nth(const struct command *c, unsigned int nth, bool *fired)
{
	struct state before;
	struct world w;
	bool ok = true;
	char when[64];
	int ret;

	make_world(c, &w);
	look(&w, &before);
	failnth_arm(nth);
	ret = c->run(&w);
	*fired = failnth_disarm();

	snprintf(when, sizeof(when), "allocation %u", nth);
	if (ret < 0 && (!*fired || c->takes_away || ret != -ENOMEM)) {
		ksft_print_msg("%s%s: %s\n", when, *fired ? "" : " did not fail",
			       errno_name(-ret));
		ok = false;
	} else if (ret < 0) {
		ok = intact(c, &before, &w, when);
		ret = c->run(&w);
		if (ret < 0) {
			ksft_print_msg("%s, repeated: %s\n", when, errno_name(-ret));
			ok = false;
		}
	}
	end_world(&w);
	return ok;
}

static void sweep_one(const struct command *c)
{
	const struct world none = { .fd = -1 };
	bool ok = true, fired = true;
	struct state empty;
	unsigned int nth;

	look(&none, &empty);
	for (nth = 1; ok && fired && nth <= MAX_NTH; nth++)
		ok = try_nth(c, nth, &fired) && same(&empty, &none, "closed");
	ok = ok && !fired;
	if (ok)
		ksft_test_result_pass("%s, %u allocations\n", c->name, nth - 2);
	else
		ksft_test_result_fail("%s, at allocation %u\n", c->name, nth - 1);
}

static void sweep(const struct command *list, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		sweep_one(&list[i]);
}

static void make_memory(void)
{
	memory[SMALL].va = alloc_aligned(KIB(64), false);
	memory[SMALL].length = KIB(64);
	memory[HUGE].va = alloc_aligned(THP, true);
	memory[HUGE].length = THP;
	/*
	 * Several chunks of the store of PFNs, none of which is on one line, so that it
	 * needs a table for each and nodes above them.
	 */
	memory[SCATTERED].va = alloc_scattered(MIB(3));
	memory[SCATTERED].length = MIB(3);
	if (count_runs(memory[SCATTERED].va, MIB(3)) < 512)
		fatal("the memory is not scattered");

	memory_file = memfd_create("failnth", MFD_CLOEXEC);
	if (memory_file < 0 || ftruncate(memory_file, KIB(64)) ||
	    fallocate(memory_file, 0, 0, KIB(64)))
		fatal("no file");
}

int main(void)
{
	ksft_print_header();
	close(mock_open());
	if (__failnth_init()) {
		ksft_set_plan(1);
		ksft_test_result_skip("the kernel has no fault injection; see make kernel\n");
		ksft_finished();
	}
	ksft_set_plan(ncommands + nguest_commands + ncontainer_commands);
	make_memory();
	sweep(commands, ncommands);
	sweep(guest_commands, nguest_commands);
	sweep(container_commands, ncontainer_commands);
	ksft_finished();
}
