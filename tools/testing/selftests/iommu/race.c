// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that get in each other's way. What they ask for may be refused; the kernel's
 * log, the pins and the charges show whether anything went wrong. The lab fails a run
 * whose log has a complaint, also of the IOMMU driver about its page table.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "vfio.h"

#define SECONDS 4
#define BUFFER MIB(2)
#define IOASES 3
#define MAPPERS 4
#define WINDOW 64 /* places of 64 KiB in which the threads meet */

struct race {
	struct vdev dev;
	int iommufd;
	__u32 ioas[IOASES];
	char *buffer;
	bool stop;
	unsigned int mapped, moved;
};

struct worker {
	struct race *race;
	void (*step)(struct race *race, unsigned int *seed);
	unsigned int seed;
	pthread_t thread;
};

static __u64 place(unsigned int *seed)
{
	return (1 + rand_r(seed) % WINDOW) * KIB(64);
}

static __u32 any_ioas(struct race *race, unsigned int *seed)
{
	return race->ioas[rand_r(seed) % IOASES];
}

static void map_some(struct race *race, unsigned int *seed)
{
	size_t pages = 1 + rand_r(seed) % 32;
	char *va = race->buffer + rand_r(seed) % (BUFFER / PAGE - pages) * PAGE;
	__u32 flags = MAP_RW | (rand_r(seed) & IOMMU_IOAS_MAP_FIXED_IOVA);
	__u64 iova = place(seed);

	if (!__ioas_map(race->iommufd, any_ioas(race, seed), flags, va, pages * PAGE, &iova))
		__atomic_add_fetch(&race->mapped, 1, __ATOMIC_RELAXED);
}

static void map_unmap_copy_destroy(struct race *race, unsigned int *seed)
{
	__u64 iova = place(seed);
	__u32 id;

	switch (rand_r(seed) % 8) {
	case 0 ... 3:
		map_some(race, seed);
		break;
	case 4:
		__ioas_unmap(race->iommufd, any_ioas(race, seed), iova, KIB(256));
		break;
	case 5:
		__ioas_unmap_all(race->iommufd, any_ioas(race, seed));
		break;
	case 6:
		__ioas_copy(race->iommufd, MAP_FIXED_RW, any_ioas(race, seed),
			    any_ioas(race, seed), PAGE * (1 + rand_r(seed) % 8), &iova,
			    place(seed));
		break;
	case 7:
		/* Ids are small numbers: now and then it hits what others just made. */
		if (!__ioas_alloc(race->iommufd, &id))
			__destroy(race->iommufd, rand_r(seed) % 2 ? id : id - 1);
		__destroy(race->iommufd, id);
		break;
	}
}

static void attach_replace_detach(struct race *race, unsigned int *seed)
{
	__u32 pt = any_ioas(race, seed), hwpt;

	switch (rand_r(seed) % 4) {
	case 0 ... 1:
		if (!__vdev_attach(&race->dev, &pt))
			__atomic_add_fetch(&race->moved, 1, __ATOMIC_RELAXED);
		break;
	case 2:
		__vdev_detach(&race->dev);
		break;
	case 3:
		if (__hwpt_alloc(race->iommufd, race->dev.id, pt, 0, &hwpt))
			break;
		pt = hwpt;
		__vdev_attach(&race->dev, &pt);
		__vdev_detach(&race->dev);
		__destroy(race->iommufd, hwpt);
		break;
	}
}

static void change_memory(struct race *race, unsigned int *seed)
{
	size_t length = 16 * PAGE;
	char *va = race->buffer + rand_r(seed) % (BUFFER / PAGE - 16) * PAGE;
	pid_t pid;

	switch (rand_r(seed) % 4) {
	case 0:
		madvise(va, length, MADV_DONTNEED);
		break;
	case 1:
		memset(va, 1, length);
		break;
	case 2:
		/* Away and back again, so that the place is empty for a moment. */
		if (mremap(va, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
			   race->buffer + BUFFER) != MAP_FAILED)
			mremap(race->buffer + BUFFER, length, length,
			       MREMAP_MAYMOVE | MREMAP_FIXED, va);
		break;
	case 3:
		pid = fork();
		if (!pid) {
			memset(va, 2, length);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		break;
	}
	usleep(200);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!__atomic_load_n(&worker->race->stop, __ATOMIC_RELAXED))
		worker->step(worker->race, &worker->seed);
	return NULL;
}

/* Let @n workers go on for a while. */
static void run(struct race *race, struct worker *workers, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		workers[i].race = race;
		workers[i].seed = i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			fatal("no thread");
	}
	sleep(SECONDS);
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
}

FIXTURE(race)
{
	struct race race;
	long pinned;
};

FIXTURE_SETUP(race)
{
	struct race *race = &self->race;
	struct pci_list edu;
	unsigned int i;

	race->dev.fd = -1;
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");

	self->pinned = pinned_pages();
	race->iommufd = iommufd_open();
	vdev_start(&race->dev, edu.bdf[0], race->iommufd);
	for (i = 0; i < IOASES; i++)
		race->ioas[i] = ioas_alloc(race->iommufd);
	race->buffer = alloc_pages(BUFFER + KIB(64));
}

FIXTURE_TEARDOWN(race)
{
	vdev_close(&self->race.dev);
	close(self->race.iommufd);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
}

TEST_F(race, map_unmap_copy_destroy_by_four_threads)
{
	struct worker workers[MAPPERS] = { };
	unsigned int i;

	vdev_attach(&self->race.dev, self->race.ioas[0]);
	for (i = 0; i < MAPPERS; i++)
		workers[i].step = map_unmap_copy_destroy;
	run(&self->race, workers, MAPPERS);
	EXPECT_LT(0, self->race.mapped);
}

TEST_F(race, attach_replace_detach_against_map_and_unmap)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = attach_replace_detach },
	};

	run(&self->race, workers, ARRAY_LEN(workers));
	EXPECT_LT(0, self->race.mapped);
	EXPECT_LT(0, self->race.moved);
}

TEST_F(race, memory_changes_while_it_is_mapped)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = map_unmap_copy_destroy },
		{ .step = change_memory },
	};

	vdev_attach(&self->race.dev, self->race.ioas[0]);
	run(&self->race, workers, ARRAY_LEN(workers));
	EXPECT_LT(0, self->race.mapped);
}

TEST_F(race, everything_at_once)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = map_unmap_copy_destroy },
		{ .step = attach_replace_detach },
		{ .step = change_memory },
	};

	run(&self->race, workers, ARRAY_LEN(workers));
	EXPECT_LT(0, self->race.mapped);
	EXPECT_LT(0, self->race.moved);
}

struct victim {
	struct race *race;
	char *va;
	size_t length;
};

static int map_until_killed(int sock, void *arg)
{
	struct victim *victim = arg;
	__u64 iova = GIB(1);

	send_go(sock);
	for (;;) {
		__ioas_map(victim->race->iommufd, victim->race->ioas[0], MAP_FIXED_RW,
			   victim->va, victim->length, &iova);
		__ioas_unmap_all(victim->race->iommufd, victim->race->ioas[0]);
	}
	return 0;
}

TEST_F_TIMEOUT(race, kill_in_the_middle_of_a_map_undoes_it, 120)
{
	struct race *race = &self->race;
	struct victim victim = { .race = race, .length = MIB(256) };
	struct child child;
	int i;

	vdev_attach(&race->dev, race->ioas[0]);
	victim.va = alloc_pages(victim.length);
	for (i = 0; i < 8; i++) {
		child_start(&child, map_until_killed, &victim);
		ASSERT_TRUE(wait_go(child.sock));
		usleep(20000 + 23000 * i);
		ASSERT_EQ(128 + SIGKILL, child_kill(&child));
		/* Either it had been mapped as a whole or nothing of it is left. */
		__ioas_unmap_all(race->iommufd, race->ioas[0]);
		EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
		EXPECT_EQ(0, __ioas_map_at(race->iommufd, race->ioas[0], race->buffer, PAGE,
					   GIB(1)));
		EXPECT_EQ(PAGE, __ioas_unmap(race->iommufd, race->ioas[0], GIB(1), PAGE));
	}
}

TEST_HARNESS_MAIN
