// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that destroy objects while others use them, by the same ids, with every command
 * that takes one. Anything may be refused; the kernel's log, the pins and the charge show
 * whether something went wrong. A run goes on until every command has also succeeded.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "race/race.h"

#define SECONDS 8
/* For what comes seldom where the kernel checks much */
#define MAX_SECONDS 90
#define WORKERS 4
#define MAX_USERS 32

/* Shared by all processes */
struct shared {
	struct race race;
	bool stop;
	/* Which commands there are */
	const struct command *users;
	unsigned int nusers;
	enum kind nkinds;
	/* How often each succeeded */
	unsigned int made[NKINDS], destroyed[NKINDS], used[MAX_USERS];
};

struct worker {
	struct shared *shared;
	unsigned int seed;
	pthread_t thread;
};

static void count(unsigned int *counter, int ret)
{
	if (!ret)
		__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* One of those by whose ids objects are used, or any other: ids are small numbers. */
static void destroy(struct shared *shared, enum kind kind, unsigned int *seed)
{
	struct race *race = &shared->race;

	if (rand_r(seed) % 4)
		count(&shared->destroyed[kind], __destroy(race->fd, any(race, kind, seed)));
	else
		__destroy(race->fd, 1 + rand_r(seed) % 128);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct shared *shared = worker->shared;
	unsigned int *seed = &worker->seed, i;
	enum kind kind;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		kind = rand_r(seed) % shared->nkinds;
		switch (rand_r(seed) % 4) {
		case 0:
			count(&shared->made[kind], makers[kind].run(&shared->race, seed));
			break;
		case 1:
			destroy(shared, kind, seed);
			break;
		default:
			i = rand_r(seed) % shared->nusers;
			count(&shared->used[i], shared->users[i].run(&shared->race, seed));
			break;
		}
	}
	return NULL;
}

/* Name of a command that has not succeeded yet, or NULL */
static const char *missing(const struct shared *shared)
{
	unsigned int i;

	for (i = 0; i < shared->nkinds; i++)
		/* A device can not be destroyed by its own id. */
		if (!shared->made[i] || (!shared->destroyed[i] && i != IDEV))
			return makers[i].name;
	for (i = 0; i < shared->nusers; i++)
		if (!shared->used[i] && (shared->race.can_track || !shared->users[i].tracks))
			return shared->users[i].name;
	return NULL;
}

static void tell(struct __test_metadata *_metadata, const struct shared *shared)
{
	unsigned int i;

	for (i = 0; i < shared->nkinds; i++)
		TH_LOG("%s: %u made, %u destroyed", makers[i].name, shared->made[i],
		       shared->destroyed[i]);
	for (i = 0; i < shared->nusers; i++)
		TH_LOG("%s: %u", shared->users[i].name, shared->used[i]);
}

static void start(struct worker *workers, unsigned int n, struct shared *shared,
		  unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		workers[i] = (struct worker){ .shared = shared, .seed = seed + i };
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			fatal("no thread");
	}
}

static void join(struct worker *workers, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
}

/* Let the workers go on for a while. */
static void wait_for_all(struct __test_metadata *_metadata, struct shared *shared)
{
	unsigned int i;

	for (i = 0; i < SECONDS || (missing(shared) && i < MAX_SECONDS); i++)
		sleep(1);
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	tell(_metadata, shared);
	EXPECT_EQ(NULL, missing(shared))
		TH_LOG("never succeeded: %s", missing(shared));
}

FIXTURE(race)
{
	struct shared *shared;
	long pinned;
};

FIXTURE_SETUP(race)
{
	struct race *race;

	self->pinned = pinned_pages();
	self->shared = mmap(NULL, sizeof(*self->shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	race = &self->shared->race;
	race->fd = mock_open();
	race->can_track = mock_can_track(race->fd, mock_device(race->fd,
							       ioas_alloc(race->fd)).idev);
	race->mem = alloc_aligned(LENGTH, true);
	race->file = must(memfd_create("race", 0));
	ASSERT_EQ(0, ftruncate(race->file, FILE_LENGTH));
}

FIXTURE_TEARDOWN(race)
{
	close_queues();
	close(self->shared->race.fd);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
}

TEST_F_TIMEOUT(race, destroy_against_every_command_on_the_same_id, 150)
{
	struct shared *shared = self->shared;
	struct worker workers[WORKERS];

	shared->users = users;
	shared->nusers = nusers;
	shared->nkinds = NKINDS;
	start(workers, WORKERS, shared, 1);
	wait_for_all(_metadata, shared);
	join(workers, WORKERS);
}

static int work_as_other(int sock, void *arg)
{
	struct worker workers[WORKERS / 2];

	(void)sock;
	start(workers, WORKERS / 2, arg, WORKERS / 2 + 1);
	join(workers, WORKERS / 2);
	return 0;
}

/* Two processes take all mappings from each other, for which they have to be of files. */
TEST_F_TIMEOUT(race, change_of_process_against_what_maps_and_attaches, 150)
{
	struct shared *shared = self->shared;
	struct worker workers[WORKERS / 2];
	struct child child;

	shared->users = file_users;
	shared->nusers = nfile_users;
	shared->nkinds = NFILE_KINDS;
	child_start(&child, work_as_other, shared);
	start(workers, WORKERS / 2, shared, 1);
	wait_for_all(_metadata, shared);
	join(workers, WORKERS / 2);
	EXPECT_EQ(0, child_wait(&child));
}

TEST_HARNESS_MAIN
