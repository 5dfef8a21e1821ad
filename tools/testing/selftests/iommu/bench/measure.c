// SPDX-License-Identifier: GPL-2.0
#include <sys/socket.h>
#include <unistd.h>

#include "iommufd.h"
#include "measure.h"
#include "memcg.h"
#include "process.h"

static void least(uint64_t *best, uint64_t start)
{
	uint64_t cost = now_ns() - start;

	if (!*best || cost < *best)
		*best = cost;
}

/* The first time it is unmapped, the second time left to the closing of the files. */
void measure_map(struct subject *subject, const char *bdf, const struct memory *memory,
		 struct cost *best)
{
	uint64_t start;

	must(subject->open(subject, bdf));
	start = now_ns();
	must(subject->map(subject, memory));
	least(&best->map, start);
	start = now_ns();
	if (must(subject->unmap(subject, memory)) != (long)memory->length)
		fatal("not everything was unmapped");
	least(&best->unmap, start);
	subject->close(subject);

	must(subject->open(subject, bdf));
	must(subject->map(subject, memory));
	start = now_ns();
	subject->close(subject);
	least(&best->close, start);
}

void measure_own(const char *bdf, const struct memory *memory, struct own_cost *best)
{
	int iommufd = iommufd_open();
	__u32 ioas = ioas_alloc(iommufd), other = ioas_alloc(iommufd), hwpt;
	__u64 iova = SUBJECT_IOVA, start;
	struct vdev dev;

	ioas_map_at(iommufd, ioas, memory->va, memory->length, SUBJECT_IOVA);
	must(__ioas_copy(iommufd, MAP_FIXED_RW, other, ioas, memory->length, &iova,
			 SUBJECT_IOVA));
	must(__vdev_open(&dev, bdf));
	must(__vdev_bind(&dev, iommufd));

	start = now_ns();
	vdev_attach(&dev, ioas);
	least(&best->attach, start);

	start = now_ns();
	must(__hwpt_alloc(iommufd, dev.id, ioas, 0, &hwpt));
	least(&best->second, start);

	start = now_ns();
	vdev_attach(&dev, other);
	least(&best->replace, start);

	vdev_close(&dev);
	close(iommufd);
}

struct job {
	struct subject *subject;
	const char *bdf;
	const struct memory_kind *kind;
};

static struct memory get_memory(const struct memory_kind *kind)
{
	struct memory memory;

	if (!kind_alloc(kind, &memory))
		fatal("%s: no memory for a second time", kind->name);
	return memory;
}

/* Map, tell the bookkeeping, and end with all that mapped. */
static int exit_mapped(int sock, void *arg)
{
	const struct job *job = arg;
	struct memory memory = get_memory(job->kind);
	bool counted = !__memcg_enter();
	struct memcg_charge before = {}, after = {};
	long bytes = -1;

	must(job->subject->open(job->subject, job->bdf));
	if (counted)
		before = memcg_charged();
	must(job->subject->map(job->subject, &memory));
	if (counted) {
		after = memcg_charged();
		bytes = memcg_bookkeeping(&before, &after);
	}
	if (send(sock, &bytes, sizeof(bytes), MSG_NOSIGNAL) != sizeof(bytes))
		return 1;
	return !wait_go(sock);
}

void measure_process(struct subject *subject, const char *bdf, const struct memory_kind *kind,
		     struct cost *cost)
{
	struct job job = { .subject = subject, .bdf = bdf, .kind = kind };
	struct child child;
	uint64_t start;

	child_start(&child, exit_mapped, &job);
	if (recv(child.sock, &cost->bookkeeping, sizeof(cost->bookkeeping), MSG_WAITALL) !=
	    sizeof(cost->bookkeeping))
		fatal("%s: nothing was mapped", kind->name);
	start = now_ns();
	send_go(child.sock);
	if (child_wait(&child))
		fatal("%s: the process did not end well", kind->name);
	least(&cost->exit, start);
	memcg_remove();
}
