// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that destroy objects while others use them, by the same ids, with every command
 * that takes one. Anything may be refused; the kernel's log, the pins and the charge show
 * whether something went wrong.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "viommu.h"

#define SECONDS 8
#define WORKERS 4
#define PER_KIND 2
#define LENGTH MIB(2)
#define PASID 5

enum kind { IOAS, STDEV, IDEV, HWPT, PARENT, NESTED, FAULT, VIOMMU, VDEVICE, VEVENTQ, HW_QUEUE,
	    NKINDS };

/* Ids of the objects that there are, or were: nobody takes one out. */
struct race {
	int fd, file;
	char *mem;
	__u32 id[NKINDS][PER_KIND];
	bool stop;
	unsigned int made, destroyed, used;
};

struct worker {
	struct race *race;
	unsigned int seed;
	pthread_t thread;
};

static __u32 any(struct race *race, enum kind kind, unsigned int *seed)
{
	return __atomic_load_n(&race->id[kind][rand_r(seed) % PER_KIND], __ATOMIC_RELAXED);
}

static void put(struct race *race, enum kind kind, unsigned int *seed, __u32 id)
{
	__atomic_store_n(&race->id[kind][rand_r(seed) % PER_KIND], id, __ATOMIC_RELAXED);
}

static __u64 place(unsigned int *seed)
{
	return MOCK_IOVA + rand_r(seed) % 4 * LENGTH;
}

typedef int step(struct race *race, unsigned int *seed);

/* What makes objects */

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
	__u32 flags = rand_r(seed) & MOCK_FLAGS_DEVICE_PASID;
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
				       IOMMU_HWPT_ALLOC_PASID };
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
	__u32 base = any(race, rand_r(seed) % 2 ? PARENT : VIOMMU, seed);
	int ret = __nested_alloc(race->fd, any(race, IDEV, seed), base, flags,
				 any(race, FAULT, seed), &id);

	if (!ret)
		put(race, NESTED, seed, id);
	return ret;
}

/* The file goes at once, and the queue does not need it. */
static int make_fault(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __fault_alloc(race->fd, &id);

	if (ret < 0)
		return ret;
	close(ret);
	put(race, FAULT, seed, id);
	return 0;
}

static int make_viommu(struct race *race, unsigned int *seed)
{
	__u32 id;
	int ret = __viommu_alloc(race->fd, any(race, IDEV, seed), any(race, PARENT, seed),
				 NULL, 0, &id);

	if (!ret)
		put(race, VIOMMU, seed, id);
	return ret;
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
	int ret = __veventq_alloc(race->fd, any(race, VIOMMU, seed),
				  IOMMU_VEVENTQ_TYPE_SELFTEST, 4, &id);

	if (ret < 0)
		return ret;
	close(ret);
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

static step *const makers[NKINDS] = {
	[IOAS] = make_ioas,
	[STDEV] = make_device,
	[IDEV] = make_device,
	[HWPT] = make_hwpt,
	[PARENT] = make_parent,
	[NESTED] = make_nested,
	[FAULT] = make_fault,
	[VIOMMU] = make_viommu,
	[VDEVICE] = make_vdevice,
	[VEVENTQ] = make_veventq,
	[HW_QUEUE] = make_hw_queue,
};

/* What uses them */

static int map(struct race *race, unsigned int *seed)
{
	return __ioas_map_at(race->fd, any(race, IOAS, seed), race->mem, LENGTH, place(seed));
}

static int map_file(struct race *race, unsigned int *seed)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = MAP_FIXED_RW,
		.ioas_id = any(race, IOAS, seed),
		.fd = race->file,
		.length = KIB(64),
		.iova = place(seed),
	};

	return __iommufd_ioctl(race->fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

static int copy(struct race *race, unsigned int *seed)
{
	__u64 iova = place(seed);

	return __ioas_copy(race->fd, MAP_FIXED_RW, any(race, IOAS, seed), any(race, IOAS, seed),
			   KIB(64), &iova, place(seed));
}

static int unmap(struct race *race, unsigned int *seed)
{
	long ret = rand_r(seed) % 2 ? __ioas_unmap_all(race->fd, any(race, IOAS, seed)) :
		   __ioas_unmap(race->fd, any(race, IOAS, seed), place(seed), LENGTH);

	return ret < 0 ? ret : 0;
}

static int ranges(struct race *race, unsigned int *seed)
{
	struct iommu_iova_range range = { MIB(16), MIB(64) - 1 };
	struct ranges out;

	if (rand_r(seed) % 2)
		return __ioas_ranges(race->fd, any(race, IOAS, seed), &out);
	return __ioas_allow(race->fd, any(race, IOAS, seed), rand_r(seed) % 2, &range);
}

static int option(struct race *race, unsigned int *seed)
{
	return __option_set(race->fd, IOMMU_OPTION_HUGE_PAGES, any(race, IOAS, seed),
			    rand_r(seed) % 2);
}

static int hw_info(struct race *race, unsigned int *seed)
{
	struct iommu_hw_info info;

	return __hw_info(race->fd, any(race, IDEV, seed), NULL, 0, &info);
}

static int track(struct race *race, unsigned int *seed)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = rand_r(seed) % 2 ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = any(race, HWPT, seed),
	};

	return __iommufd_ioctl(race->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static int read_dirty(struct race *race, unsigned int *seed)
{
	__u64 bitmap[LENGTH / PAGE / 64] = { };
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = any(race, HWPT, seed),
		.iova = place(seed),
		.length = LENGTH,
		.page_size = PAGE,
		.data = (uintptr_t)bitmap,
	};

	return __iommufd_ioctl(race->fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

static int invalidate(struct race *race, unsigned int *seed)
{
	struct iommu_hwpt_invalidate_selftest hwpt = { .flags = IOMMU_TEST_INVALIDATE_FLAG_ALL };
	struct iommu_viommu_invalidate_selftest viommu = { .vdev_id = rand_r(seed) % 4 };
	__u32 done;

	if (rand_r(seed) % 2)
		return __invalidate(race->fd, any(race, NESTED, seed),
				    IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, &hwpt, sizeof(hwpt),
				    1, &done);
	return __invalidate(race->fd, any(race, VIOMMU, seed),
			    IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, &viommu, sizeof(viommu), 1,
			    &done);
}

static int replace(struct race *race, unsigned int *seed)
{
	static const enum kind kinds[] = { IOAS, HWPT, PARENT, NESTED };
	__u32 pt = any(race, kinds[rand_r(seed) % ARRAY_LEN(kinds)], seed);

	return __mock_replace(race->fd, any(race, STDEV, seed), &pt);
}

static int use_pasid(struct race *race, unsigned int *seed)
{
	__u32 dev = any(race, STDEV, seed), pt = any(race, rand_r(seed) % 2 ? HWPT : NESTED, seed);

	switch (rand_r(seed) % 3) {
	case 0:
		return __mock_pasid_attach(race->fd, dev, PASID, pt);
	case 1:
		return __mock_pasid_replace(race->fd, dev, PASID, pt);
	default:
		return __mock_pasid_detach(race->fd, dev, PASID);
	}
}

static int report(struct race *race, unsigned int *seed)
{
	__u32 dev = any(race, IDEV, seed);

	if (rand_r(seed) % 2)
		return __mock_event(race->fd, dev);
	return __mock_fault(race->fd, dev, rand_r(seed) % 2 ? PASID : 0, rand_r(seed) % 8, 0);
}

static int use_access(struct race *race, unsigned int *seed)
{
	int access = __mock_access(race->fd, any(race, IOAS, seed),
				   MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);
	char byte;

	if (access < 0)
		return access;
	__mock_pin(race->fd, access, 0, place(seed), PAGE, NULL);
	__mock_rw(race->fd, access, 0, place(seed), &byte, 1);
	__mock_access_replace(race->fd, access, any(race, IOAS, seed));
	close(access);
	return 0;
}

static int use_container(struct race *race, unsigned int *seed)
{
	struct iommu_vfio_ioas cmd = {
		.size = sizeof(cmd),
		.ioas_id = any(race, IOAS, seed),
		.op = IOMMU_VFIO_IOAS_SET,
	};
	struct vfio_iommu_type1_dma_map arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)race->mem,
		.iova = place(seed),
		.size = KIB(64),
	};
	int ret = __iommufd_ioctl(race->fd, IOMMU_VFIO_IOAS, &cmd);

	if (ret)
		return ret;
	return ioctl(race->fd, VFIO_IOMMU_MAP_DMA, &arg) ? -errno : 0;
}

static int change_process(struct race *race, unsigned int *seed)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	(void)seed;
	return __iommufd_ioctl(race->fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

static step *const users[] = {
	map, map, map_file, copy, unmap, ranges, option, hw_info, track, read_dirty, invalidate,
	replace, use_pasid, report, use_access, use_container, change_process,
};

static void count(unsigned int *counter, int ret)
{
	if (!ret)
		__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct race *race = worker->race;
	unsigned int *seed = &worker->seed;
	enum kind kind;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED)) {
		kind = rand_r(seed) % NKINDS;
		switch (rand_r(seed) % 4) {
		case 0:
			count(&race->made, makers[kind](race, seed));
			break;
		case 1:
			count(&race->destroyed, __destroy(race->fd, any(race, kind, seed)));
			break;
		default:
			count(&race->used,
			      users[rand_r(seed) % ARRAY_LEN(users)](race, seed));
			break;
		}
	}
	return NULL;
}

TEST(destroy_against_every_command_on_the_same_id)
{
	struct worker workers[WORKERS];
	struct race race = { };
	long pinned = pinned_pages();
	unsigned int i;

	race.fd = mock_open();
	race.mem = alloc_aligned(LENGTH, true);
	race.file = must(memfd_create("race", 0));
	ASSERT_EQ(0, ftruncate(race.file, KIB(64)));
	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .race = &race, .seed = i + 1 };
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	}
	sleep(SECONDS);
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i].thread, NULL);

	TH_LOG("%u made, %u destroyed, %u used", race.made, race.destroyed, race.used);
	EXPECT_LT(0, race.made);
	EXPECT_LT(0, race.destroyed);
	EXPECT_LT(0, race.used);
	close(race.fd);
	EXPECT_EQ(pinned, pinned_pages_settle(pinned));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
}

TEST_HARNESS_MAIN
