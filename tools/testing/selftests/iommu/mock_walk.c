// SPDX-License-Identifier: GPL-2.0
/*
 * Random commands on mock devices, each checked against a model.
 *
 * SEED and STEPS in the environment repeat or extend a walk; the seed is printed. With
 * SECONDS there is walk after walk, each with a new seed, for that long.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "walk/model_check.h"
#include "walk/walk.h"

#define SEED 1
#define STEPS 3000
/* Seconds between two signs of life */
#define REPORT 10

static const struct {
	void (*run)(void);
	unsigned int weight;
} steps[] = {
	{ step_ioas, 3 },
	{ step_options, 2 },
	{ step_allow, 1 },
	{ step_reserve, 1 },
	{ step_map, 14 },
	{ step_copy, 10 },
	{ step_unmap, 10 },
	{ step_container, 10 },
	{ step_device, 5 },
	{ step_table, 3 },
	{ step_access, 3 },
	{ step_pin, 8 },
	{ step_unpin, 5 },
	{ step_rw, 6 },
};

void lost(const char *text)
{
	tell();
	ksft_print_msg("%s\n", text);
	ksft_print_msg("repeat with SEED=%lu STEPS=%lu\n", w.seed, w.step + 1);
	ksft_test_result_fail("walk with seed %lu\n", w.seed);
	ksft_finished();
}

static unsigned long setting(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : otherwise;
}

static struct source file_source(size_t npages)
{
	struct source source = { .npages = npages, .nwritable = npages };

	source.fd = memfd_create("walk", MFD_CLOEXEC);
	if (source.fd < 0 || ftruncate(source.fd, npages * PAGE))
		fatal("no file of %zu pages", npages);
	source.va = mmap(NULL, npages * PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, source.fd, 0);
	if (source.va == MAP_FAILED)
		fatal("no memory of that file");
	return source;
}

static void make_sources(void)
{
	/* Half a huge page can not be unpinned as if it were small pages. */
	w.source[0] = (struct source){ alloc_aligned(THP, true), THP / PAGE, THP / PAGE, -1 };
	w.source[1] = (struct source){ alloc_scattered(KIB(256)), KIB(256) / PAGE,
				       KIB(128) / PAGE, -1 };
	w.source[2] = file_source(KIB(256) / PAGE);
	if (mprotect(w.source[1].va + KIB(128), KIB(128), PROT_READ))
		fatal("memory can not be made read-only");
}

static void check(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(w.m.ioas); i++) {
		if (!w.m.ioas[i].id)
			continue;
		agree(model_check_ioas(&w.m, w.fd, &w.m.ioas[i]));
		agree(model_check_tables(&w.m, w.fd, &w.m.ioas[i]));
	}
	agree(model_check_pins(&w.m, w.fd, w.source, NSOURCES));
}

static void step(void)
{
	unsigned int sum = 0, chosen, i;

	for (i = 0; i < ARRAY_LEN(steps); i++)
		sum += steps[i].weight;
	chosen = rnd(sum);
	for (i = 0; chosen >= steps[i].weight; i++)
		chosen -= steps[i].weight;
	say("nothing to do");
	steps[i].run();
	check();
}

/* Close everything as it is: nothing of it may stay. */
static void leave(void)
{
	bool first = one_in(2);
	unsigned int i;

	say("close");
	if (first)
		close(w.fd);
	for (i = 0; i < ARRAY_LEN(w.m.access); i++)
		if (w.m.access[i].fd)
			close(w.m.access[i].fd);
	if (!first)
		close(w.fd);
	model_forget(&w.m);

	w.fd = mock_open();
	agree(model_check_pins(&w.m, w.fd, w.source, NSOURCES));
	close(w.fd);
}

static void walk(unsigned long seed, unsigned long nsteps)
{
	w.seed = seed;
	w.random = seed;
	memset(w.device, 0, sizeof(w.device));
	w.step = 0;
	w.fd = mock_open();
	must(__option_set(w.fd, IOMMU_OPTION_RLIMIT_MODE, 0, rnd(2)));
	while (w.step < nsteps) {
		step();
		w.step++;
	}
	leave();
}

static void soak(unsigned long seconds, unsigned long seed, unsigned long nsteps)
{
	time_t start = time(NULL), told = start, now;
	unsigned long walks = 0;

	do {
		walk(seed++, nsteps);
		walks++;
		now = time(NULL);
		if (now - told >= REPORT) {
			ksft_print_msg("%lu walks in %ld s, next seed %lu\n", walks,
				       now - start, seed);
			told = now;
		}
	} while (now - start < seconds);
	ksft_test_result_pass("%lu walks of %lu steps\n", walks, nsteps);
}

int main(void)
{
	unsigned long seconds = setting("SECONDS", 0), nsteps = setting("STEPS", STEPS);
	unsigned long seed = setting("SEED", seconds ? now_ns() % 1000000000 : SEED);

	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("SEED=%lu STEPS=%lu\n", seed, nsteps);
	make_sources();
	if (seconds) {
		soak(seconds, seed, nsteps);
	} else {
		walk(seed, nsteps);
		ksft_test_result_pass("walk with seed %lu\n", seed);
	}
	ksft_finished();
}
