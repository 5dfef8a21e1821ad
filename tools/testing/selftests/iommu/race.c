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
#define MAX_SECONDS 20 /* where the kernel checks much */
#define BUFFER MIB(2)
#define IOASES 3
#define MAPPERS 4
#define WINDOW 64 /* places of 64 KiB in which the threads meet */

/* What the threads do to mappings, and to the device */
enum deed { MAP, UNMAP, UNMAP_ALL, COPY, DESTROY, ATTACH, DETACH, ATTACH_TABLE, NDEEDS };

static const char *const deeds[NDEEDS] = {
	"map", "unmap", "unmap all", "copy", "destroy", "attach", "detach", "attach page table",
};

struct race {
	struct vdev dev;
	int iommufd;
	__u32 ioas[IOASES];
	char *buffer;
	bool stop;
	unsigned int done[NDEEDS];
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

static void count(struct race *race, enum deed deed, bool done)
{
	if (done)
		__atomic_add_fetch(&race->done[deed], 1, __ATOMIC_RELAXED);
}

static void map_some(struct race *race, unsigned int *seed)
{
	size_t pages = 1 + rand_r(seed) % 32;
	char *va = race->buffer + rand_r(seed) % (BUFFER / PAGE - pages) * PAGE;
	__u32 flags = MAP_RW | (rand_r(seed) & IOMMU_IOAS_MAP_FIXED_IOVA);
	__u64 iova = place(seed);

	count(race, MAP, !__ioas_map(race->iommufd, any_ioas(race, seed), flags, va,
				     pages * PAGE, &iova));
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
		count(race, UNMAP, __ioas_unmap(race->iommufd, any_ioas(race, seed), iova,
						KIB(256)) > 0);
		break;
	case 5:
		count(race, UNMAP_ALL,
		      __ioas_unmap_all(race->iommufd, any_ioas(race, seed)) > 0);
		break;
	case 6:
		count(race, COPY, !__ioas_copy(race->iommufd, MAP_FIXED_RW,
					       any_ioas(race, seed), any_ioas(race, seed),
					       PAGE * (1 + rand_r(seed) % 8), &iova,
					       place(seed)));
		break;
	case 7:
		/* Ids are small numbers: now and then it hits what others just made. */
		if (__ioas_alloc(race->iommufd, &id))
			break;
		count(race, DESTROY, !__destroy(race->iommufd, rand_r(seed) % 2 ? id : id - 1));
		__destroy(race->iommufd, id);
		break;
	}
}

static void attach_replace_detach(struct race *race, unsigned int *seed)
{
	__u32 pt = any_ioas(race, seed), hwpt;

	switch (rand_r(seed) % 4) {
	case 0 ... 1:
		count(race, ATTACH, !__vdev_attach(&race->dev, &pt));
		break;
	case 2:
		count(race, DETACH, !__vdev_detach(&race->dev));
		break;
	case 3:
		if (__hwpt_alloc(race->iommufd, race->dev.id, pt, 0, &hwpt))
			break;
		pt = hwpt;
		count(race, ATTACH_TABLE, !__vdev_attach(&race->dev, &pt));
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

	switch (rand_r(seed) % 5) {
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
	case 4:
		munmap(va, length);
		mmap(va, length, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
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

/* Have all deeds up to that one been done? */
static bool all_done(const struct race *race, enum deed last)
{
	enum deed deed;

	for (deed = MAP; deed <= last; deed++)
		if (!__atomic_load_n(&race->done[deed], __ATOMIC_RELAXED))
			return false;
	return true;
}

/* Let @n workers go on for a while, and until all they do up to @last has succeeded. */
static void run(struct __test_metadata *_metadata, struct race *race, struct worker *workers,
		unsigned int n, enum deed last)
{
	enum deed deed;
	unsigned int i;

	for (i = 0; i < n; i++) {
		workers[i].race = race;
		workers[i].seed = i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			fatal("no thread");
	}
	for (i = 0; i < SECONDS || (i < MAX_SECONDS && !all_done(race, last)); i++)
		sleep(1);
	__atomic_store_n(&race->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	for (deed = MAP; deed <= last; deed++) {
		TH_LOG("%s: %u", deeds[deed], race->done[deed]);
		EXPECT_LT(0, race->done[deed]);
	}
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
	run(_metadata, &self->race, workers, MAPPERS, DESTROY);
}

TEST_F(race, attach_replace_detach_against_map_and_unmap)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = attach_replace_detach },
	};

	run(_metadata, &self->race, workers, ARRAY_LEN(workers), ATTACH_TABLE);
}

TEST_F(race, memory_changes_while_it_is_mapped)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = map_unmap_copy_destroy },
		{ .step = change_memory },
	};

	vdev_attach(&self->race.dev, self->race.ioas[0]);
	run(_metadata, &self->race, workers, ARRAY_LEN(workers), DESTROY);
}

TEST_F(race, everything_at_once)
{
	struct worker workers[] = {
		{ .step = map_unmap_copy_destroy },
		{ .step = map_unmap_copy_destroy },
		{ .step = attach_replace_detach },
		{ .step = change_memory },
	};

	run(_metadata, &self->race, workers, ARRAY_LEN(workers), ATTACH_TABLE);
}

/* What a process maps that ends before it is done. */
struct victim {
	struct race *race;
	char *va;
	size_t length;
	unsigned long pages;	/* so many are pinned when it ends */
	bool exits;
};

static void *map_once(void *arg)
{
	struct victim *victim = arg;

	__ioas_map_at(victim->race->iommufd, victim->race->ioas[0], victim->va,
		      victim->length, GIB(1));
	return NULL;
}

static bool reached(unsigned long acquired)
{
	unsigned int i;

	for (i = 0; i < 30000; i++) {
		if (vmstat("nr_foll_pin_acquired") >= acquired)
			return true;
		usleep(1000);
	}
	return false;
}

/* Some of it is pinned when the process is told to end, or ends by itself. */
static int map_as_victim(int sock, void *arg)
{
	struct victim *victim = arg;
	unsigned long before = vmstat("nr_foll_pin_acquired");
	pthread_t thread;

	if (pthread_create(&thread, NULL, map_once, victim) ||
	    !reached(before + victim->pages))
		return 1;
	if (victim->exits)
		_exit(0);
	send_go(sock);
	pthread_join(thread, NULL);
	return 2;
}

/* A little memory many times, so that much can be mapped in a small machine. */
static char *alloc_repeated(size_t length, size_t piece)
{
	int fd = must(memfd_create("race", 0));
	char *va = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t at;

	must(ftruncate(fd, piece));
	for (at = 0; at < length; at += piece)
		if (mmap(va + at, piece, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			fatal("no memory");
	close(fd);
	return va;
}

/*
 * How soon the process ends is told by how far the map still gets. All of it takes about a
 * second.
 */
static void end_victim(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self,
		       struct victim *victim)
{
	unsigned long before = vmstat("nr_foll_pin_acquired"), pinned;
	struct race *race = &self->race;
	struct child child;

	child_start(&child, map_as_victim, victim);
	if (victim->exits) {
		EXPECT_EQ(0, child_wait(&child));
	} else {
		EXPECT_TRUE(wait_go(child.sock));
		EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	}
	pinned = vmstat("nr_foll_pin_acquired") - before;
	TH_LOG("%lu of %zu pages pinned", pinned, victim->length / PAGE);
	EXPECT_GT(victim->length / PAGE / 2, pinned);

	/* Nothing of it is left. */
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(0, __ioas_unmap_all(race->iommufd, race->ioas[0]));
	EXPECT_EQ(0, __ioas_map_at(race->iommufd, race->ioas[0], race->buffer, PAGE, GIB(1)));
	EXPECT_EQ(PAGE, __ioas_unmap(race->iommufd, race->ioas[0], GIB(1), PAGE));
}

static void end_in_the_middle(struct __test_metadata *_metadata, FIXTURE_DATA(race) *self,
			      bool exits)
{
	struct victim victim = { .race = &self->race, .length = GIB(1), .exits = exits };

	vdev_attach(&self->race.dev, self->race.ioas[0]);
	victim.va = alloc_repeated(victim.length, MIB(64));
	for (victim.pages = 1024; victim.pages <= 16384; victim.pages *= 4)
		end_victim(_metadata, self, &victim);
	munmap(victim.va, victim.length);
}

TEST_F_TIMEOUT(race, kill_in_the_middle_of_a_map_undoes_it, 120)
{
	end_in_the_middle(_metadata, self, false);
}

TEST_F_TIMEOUT(race, exit_in_the_middle_of_a_map_undoes_it, 120)
{
	end_in_the_middle(_metadata, self, true);
}

TEST_HARNESS_MAIN
