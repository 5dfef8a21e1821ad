// SPDX-License-Identifier: GPL-2.0
/* What uses objects that others may be destroying. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container.h"
#include "race.h"

#define PASID 5

static int map(struct race *race, unsigned int *seed)
{
	return __ioas_map_at(race->fd, any(race, IOAS, seed), race->mem, LENGTH, place(seed));
}

static int map_file(struct race *race, unsigned int *seed)
{
	return __ioas_map_file_at(race->fd, any(race, IOAS, seed), MAP_RW, race->file, 0,
				  FILE_LENGTH, place(seed));
}

static int copy(struct race *race, unsigned int *seed)
{
	__u64 iova = place(seed);

	return __ioas_copy(race->fd, MAP_FIXED_RW, any(race, IOAS, seed), any(race, IOAS, seed),
			   FILE_LENGTH, &iova, place(seed));
}

/* For what can succeed without having done anything */
static int some_bytes(long unmapped)
{
	return unmapped > 0 ? 0 : unmapped ?: -ENOENT;
}

static int unmap(struct race *race, unsigned int *seed)
{
	return some_bytes(__ioas_unmap(race->fd, any(race, IOAS, seed), place(seed), LENGTH));
}

static int unmap_all(struct race *race, unsigned int *seed)
{
	return some_bytes(__ioas_unmap_all(race->fd, any(race, IOAS, seed)));
}

static int ranges(struct race *race, unsigned int *seed)
{
	struct ranges out;

	return __ioas_ranges(race->fd, any(race, IOAS, seed), &out);
}

static int allow(struct race *race, unsigned int *seed)
{
	struct iommu_iova_range range = { MIB(16), MIB(64) - 1 };

	return __ioas_allow(race->fd, any(race, IOAS, seed), rand_r(seed) % 2, &range);
}

static int huge_pages(struct race *race, unsigned int *seed)
{
	return __option_set(race->fd, IOMMU_OPTION_HUGE_PAGES, any(race, IOAS, seed),
			    rand_r(seed) % 2);
}

static int hw_info(struct race *race, unsigned int *seed)
{
	struct iommu_hw_info info;

	return __hw_info(race->fd, any(race, IDEV, seed), NULL, 0, &info);
}

static int __track(struct race *race, __u32 hwpt, bool on)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = hwpt,
	};

	return __iommufd_ioctl(race->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static int track(struct race *race, unsigned int *seed)
{
	return __track(race, any(race, HWPT, seed), rand_r(seed) % 2);
}

static int read_dirty(struct race *race, unsigned int *seed)
{
	static const __u64 lengths[] = { PAGE, FILE_LENGTH, LENGTH };
	__u64 bitmap[LENGTH / PAGE / 64] = { };
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = any(race, HWPT, seed),
		.iova = place(seed),
		.length = lengths[rand_r(seed) % ARRAY_LEN(lengths)],
		.page_size = PAGE,
		.data = (uintptr_t)bitmap,
	};

	/* The page table may be too new to have been told. */
	__track(race, cmd.hwpt_id, true);
	return __iommufd_ioctl(race->fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

static int invalidate(struct race *race, unsigned int *seed)
{
	struct iommu_hwpt_invalidate_selftest req = { .flags = IOMMU_TEST_INVALIDATE_FLAG_ALL };
	__u32 done;

	return __invalidate(race->fd, any(race, NESTED, seed),
			    IOMMU_HWPT_INVALIDATE_DATA_SELFTEST, &req, sizeof(req), 1, &done);
}

static int invalidate_guest(struct race *race, unsigned int *seed)
{
	struct iommu_viommu_invalidate_selftest req = { .vdev_id = rand_r(seed) % 4 };
	__u32 done;

	return __invalidate(race->fd, any(race, VIOMMU, seed),
			    IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST, &req, sizeof(req), 1, &done);
}

static int map_registers(struct race *race, unsigned int *seed)
{
	__u64 offset = __atomic_load_n(&race->registers[which(seed)],
				       __ATOMIC_RELAXED);
	volatile __u32 *registers;

	if (!offset)
		return -ENXIO;
	registers = mmap(NULL, race->registers_length, PROT_READ, MAP_SHARED, race->fd, offset);
	if (registers == MAP_FAILED)
		return -errno;
	(void)*registers;
	return munmap((void *)registers, race->registers_length) ? -errno : 0;
}

static int replace(struct race *race, unsigned int *seed)
{
	static const enum kind kinds[] = { IOAS, HWPT, PARENT, NESTED };
	__u32 pt = any(race, kinds[rand_r(seed) % ARRAY_LEN(kinds)], seed);

	return __mock_replace(race->fd, any(race, STDEV, seed), &pt);
}

static __u32 pasid_table(struct race *race, unsigned int *seed)
{
	return any(race, rand_r(seed) % 2 ? HWPT : NESTED, seed);
}

static int attach_pasid(struct race *race, unsigned int *seed)
{
	return __mock_pasid_attach(race->fd, any(race, STDEV, seed), PASID,
				   pasid_table(race, seed));
}

static int replace_pasid(struct race *race, unsigned int *seed)
{
	__u32 dev = any(race, STDEV, seed);

	/* There may be none to replace yet. */
	__mock_pasid_attach(race->fd, dev, PASID, pasid_table(race, seed));
	return __mock_pasid_replace(race->fd, dev, PASID, pasid_table(race, seed));
}

static int detach_pasid(struct race *race, unsigned int *seed)
{
	return __mock_pasid_detach(race->fd, any(race, STDEV, seed), PASID);
}

/* Of a device that has all that is needed, maybe */
static int report_event(struct race *race, unsigned int *seed)
{
	if (rand_r(seed) % 2)
		make_guest(race, seed);
	return __mock_event(race->fd, any(race, IDEV, seed));
}

static int report_fault(struct race *race, unsigned int *seed)
{
	if (rand_r(seed) % 2)
		make_guest(race, seed);
	return __mock_fault(race->fd, any(race, IDEV, seed), rand_r(seed) % 2 ? PASID : 0,
			    rand_r(seed) % 8, 0);
}

/* All that an in-kernel user does, by a new one */
static int use_access(struct race *race, unsigned int *seed)
{
	int access = __mock_access(race->fd, any(race, IOAS, seed),
				   MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES), pin, rw, move;
	char byte;

	if (access < 0)
		return access;
	pin = __mock_pin(race->fd, access, 0, place(seed), PAGE, NULL);
	rw = __mock_rw(race->fd, access, 0, place(seed), &byte, 1);
	move = __mock_access_replace(race->fd, access, any(race, IOAS, seed));
	close(access);
	return pin < 0 ? pin : rw ?: move;
}

static struct container choose(struct race *race, unsigned int *seed)
{
	__u32 ioas = any(race, IOAS, seed);

	__vfio_ioas(race->fd, IOMMU_VFIO_IOAS_SET, &ioas);
	return (struct container){ .fd = race->fd };
}

static int container_map(struct race *race, unsigned int *seed)
{
	struct container c = choose(race, seed);

	return __container_map(&c, race->mem, FILE_LENGTH, place(seed));
}

/* A part of it, for which the first version of type1 cuts a mapping */
static int container_unmap(struct race *race, unsigned int *seed)
{
	struct container c = choose(race, seed);

	return some_bytes(__container_unmap(&c, 0, place(seed) + PAGE, PAGE));
}

static int container_version(struct race *race, unsigned int *seed)
{
	struct container c = choose(race, seed);

	return ioctl(c.fd, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) ? -errno : 0;
}

static int container_info(struct race *race, unsigned int *seed)
{
	char buffer[512] = "";
	struct vfio_iommu_type1_info *cmd = (void *)buffer;
	struct container c = choose(race, seed);

	cmd->argsz = sizeof(buffer);
	return ioctl(c.fd, VFIO_IOMMU_GET_INFO, cmd) ? -errno : 0;
}

static int container_log(struct race *race, unsigned int *seed)
{
	struct container c = choose(race, seed);

	return __dirty_log(&c, rand_r(seed) % 4 ? VFIO_IOMMU_DIRTY_PAGES_FLAG_START :
						  VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
}

static int container_dirty(struct race *race, unsigned int *seed)
{
	__u64 bitmap[LENGTH / PAGE / 64];
	struct dirty_request request = {
		.iova = place(seed),
		.length = LENGTH,
		.bitmap = bitmap,
	};
	struct container c = choose(race, seed);

	memset(bitmap, 0, sizeof(bitmap));
	if (rand_r(seed) % 2)
		return __dirty_get(&c, request);
	return some_bytes(__dirty_unmap(&c, 0, request));
}

static int change_process(struct race *race, unsigned int *seed)
{
	struct iommu_ioas_change_process cmd = { .size = sizeof(cmd) };

	(void)seed;
	return __iommufd_ioctl(race->fd, IOMMU_IOAS_CHANGE_PROCESS, &cmd);
}

const struct command users[] = {
	{ "whole guest", .run = make_guest },
	{ "map", .run = map },
	{ "map file", .run = map_file },
	{ "copy", .run = copy },
	{ "unmap", .run = unmap },
	{ "unmap all", .run = unmap_all },
	{ "ranges", .run = ranges },
	{ "allow", .run = allow },
	{ "huge pages", .run = huge_pages },
	{ "information on hardware", .run = hw_info },
	{ "dirty tracking", .run = track, .tracks = true },
	{ "dirty bitmap", .run = read_dirty, .tracks = true },
	{ "invalidate", .run = invalidate },
	{ "invalidate, vIOMMU", .run = invalidate_guest },
	{ "map registers", .run = map_registers },
	{ "replace", .run = replace },
	{ "attach PASID", .run = attach_pasid },
	{ "replace PASID", .run = replace_pasid },
	{ "detach PASID", .run = detach_pasid },
	{ "report event", .run = report_event },
	{ "report fault", .run = report_fault },
	{ "read queue", .run = read_queue },
	{ "in-kernel user", .run = use_access },
	{ "container's map", .run = container_map },
	{ "container's unmap of a part", .run = container_unmap },
	{ "container's version", .run = container_version },
	{ "container's information", .run = container_info },
	{ "container's dirty log", .run = container_log },
	{ "container's dirty bitmap", .run = container_dirty },
};

const unsigned int nusers = ARRAY_LEN(users);

const struct command file_users[] = {
	{ "map file", .run = map_file },
	{ "copy", .run = copy },
	{ "unmap", .run = unmap },
	{ "unmap all", .run = unmap_all },
	{ "replace", .run = replace },
	{ "in-kernel user", .run = use_access },
	{ "change process", .run = change_process },
};

const unsigned int nfile_users = ARRAY_LEN(file_users);
