// SPDX-License-Identifier: GPL-2.0
/* What makes objects, and the files of queues. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "race.h"

/* Files of the queues of this process; 0: none */
static int faults[PER_KIND], events[PER_KIND];

/* Mostly the first, so that one fits the other */
unsigned int which(unsigned int *seed)
{
	return rand_r(seed) % 4 ? 0 : rand_r(seed) % PER_KIND;
}

__u32 any(struct race *race, enum kind kind, unsigned int *seed)
{
	return __atomic_load_n(&race->id[kind][which(seed)], __ATOMIC_RELAXED);
}

/* That of before goes, if nothing needs it, so that there are not more and more. */
static void put(struct race *race, enum kind kind, unsigned int *seed, __u32 id)
{
	__u32 *slot = &race->id[kind][which(seed)];

	__destroy(race->fd, __atomic_exchange_n(slot, id, __ATOMIC_RELAXED));
}

/* That of before is closed, maybe under a thread that reads it. */
static void put_file(int *files, unsigned int *seed, int file)
{
	int old = __atomic_exchange_n(&files[which(seed)], file, __ATOMIC_RELAXED);

	if (old)
		close(old);
}

__u64 place(unsigned int *seed)
{
	return MOCK_IOVA + rand_r(seed) % 4 * LENGTH;
}

static int make_ioas(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __ioas_alloc(race->fd, &id);

	if (!ret)
		put(race, IOAS, seed, id);
	return ret;
}

static int make_device(struct race *race, unsigned int *seed)
{
	__u32 flags = rand_r(seed) % 4 ? MOCK_FLAGS_DEVICE_PASID : 0;
	enum kind kind = rand_r(seed) % 2 ? IOAS : HWPT;
	struct mock_device dev;
	int ret = __mock_device(race->fd, any(race, kind, seed), flags, &dev);

	if (ret)
		return ret;
	put(race, STDEV, seed, dev.stdev);
	put(race, IDEV, seed, dev.idev);
	return 0;
}

static int make_hwpt(struct race *race, unsigned int *seed)
{
	static const __u32 flags[] = { 0, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
				       IOMMU_HWPT_ALLOC_PASID, IOMMU_HWPT_ALLOC_PASID };
	__u32 id;
	int ret = __hwpt_alloc(race->fd, any(race, IDEV, seed), any(race, IOAS, seed),
			       flags[rand_r(seed) % ARRAY_LEN(flags)], &id);

	if (!ret)
		put(race, HWPT, seed, id);
	return ret;
}

static int make_parent(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __hwpt_alloc(race->fd, any(race, IDEV, seed), any(race, IOAS, seed),
			       IOMMU_HWPT_ALLOC_NEST_PARENT, &id);

	if (!ret)
		put(race, PARENT, seed, id);
	return ret;
}

static int make_nested(struct race *race, unsigned int *seed)
{
	__u32 flags = (rand_r(seed) % 2 ? IOMMU_HWPT_FAULT_ID_VALID : 0) |
		      (rand_r(seed) % 2 ? IOMMU_HWPT_ALLOC_PASID : 0), id;
	__u32 base = any(race, rand_r(seed) % 4 ? VIOMMU : PARENT, seed);
	int ret = __nested_alloc(race->fd, any(race, IDEV, seed), base, flags,
				 any(race, FAULT, seed), &id);

	if (!ret)
		put(race, NESTED, seed, id);
	return ret;
}

static int make_fault(struct race *race, unsigned int *seed)
{
	__u32 id;
	int file = __fault_alloc(race->fd, &id);

	if (file < 0)
		return file;
	put_file(faults, seed, file);
	put(race, FAULT, seed, id);
	return 0;
}

static int make_viommu(struct race *race, unsigned int *seed)
{
	struct iommu_viommu_selftest data = { .in_data = 1 };
	__u32 id;
	int ret = __viommu_alloc(race->fd, any(race, IDEV, seed), any(race, PARENT, seed),
				 &data, sizeof(data), &id);

	if (ret)
		return ret;
	race->registers_length = data.out_mmap_length;
	__atomic_store_n(&race->registers[which(seed)], data.out_mmap_offset,
			 __ATOMIC_RELAXED);
	put(race, VIOMMU, seed, id);
	return 0;
}

static int make_vdevice(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __vdevice_alloc(race->fd, any(race, VIOMMU, seed), any(race, IDEV, seed),
				  rand_r(seed) % 4, &id);

	if (!ret)
		put(race, VDEVICE, seed, id);
	return ret;
}

static int make_veventq(struct race *race, unsigned int *seed)
{
	__u32 id;
	int file = __veventq_alloc(race->fd, any(race, VIOMMU, seed),
				   IOMMU_VEVENTQ_TYPE_SELFTEST, 4, &id);

	if (file < 0)
		return file;
	put_file(events, seed, file);
	put(race, VEVENTQ, seed, id);
	return 0;
}

static int make_hw_queue(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __hw_queue_alloc(race->fd, any(race, VIOMMU, seed), rand_r(seed) % 2,
				   place(seed), PAGE, &id);

	if (!ret)
		put(race, HW_QUEUE, seed, id);
	return ret;
}

const struct command makers[NKINDS] = {
	[IOAS] = { "IOAS", .run = make_ioas },
	[STDEV] = { "mock device", .run = make_device },
	[IDEV] = { "device", .run = make_device },
	[HWPT] = { "page table", .run = make_hwpt },
	[PARENT] = { "nest parent", .run = make_parent },
	[NESTED] = { "nested page table", .run = make_nested },
	[FAULT] = { "fault queue", .run = make_fault },
	[VIOMMU] = { "vIOMMU", .run = make_viommu },
	[VDEVICE] = { "vDEVICE", .run = make_vdevice },
	[VEVENTQ] = { "event queue", .run = make_veventq },
	[HW_QUEUE] = { "hardware queue", .run = make_hw_queue },
};

/* A device that uses all of them, as long as nobody destroys what was just made */
int make_guest(struct race *race, unsigned int *seed)
{
	static const enum kind order[] = { IOAS, STDEV, PARENT, VIOMMU, VDEVICE, VEVENTQ, FAULT,
					   NESTED };
	unsigned int i;
	__u32 pt;

	for (i = 0; i < ARRAY_LEN(order); i++)
		makers[order[i]].run(race, seed);
	pt = any(race, NESTED, seed);
	return __mock_replace(race->fd, any(race, STDEV, seed), &pt);
}

void close_queues(void)
{
	unsigned int i;

	for (i = 0; i < PER_KIND; i++) {
		if (faults[i])
			close(faults[i]);
		if (events[i])
			close(events[i]);
		faults[i] = 0;
		events[i] = 0;
	}
}

static void answer(int file, const struct iommu_hwpt_pgfault *fault)
{
	struct iommu_hwpt_page_response response = { .cookie = fault->cookie };

	if (write(file, &response, sizeof(response)) < 0)
		return; /* Its device has gone. */
}

int read_queue(struct race *race, unsigned int *seed)
{
	bool is_fault = rand_r(seed) % 2;
	int *files = is_fault ? faults : events;
	int file = __atomic_load_n(&files[which(seed)], __ATOMIC_RELAXED);
	struct iommu_hwpt_pgfault buffer[4];
	ssize_t n;

	(void)race;
	if (!file)
		return -EBADF;
	n = read(file, buffer, sizeof(buffer));
	if (n > 0 && is_fault)
		answer(file, buffer);
	return n > 0 ? 0 : n ? -errno : -EAGAIN;
}
