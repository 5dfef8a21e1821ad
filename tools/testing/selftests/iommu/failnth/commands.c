// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <unistd.h>

#include "world.h"

/* Preparations */

static void with_other_device(struct world *w)
{
	w->other_dev = mock_device(w->fd, w->other);
}

static void with_dirty_table(struct world *w)
{
	must(__hwpt_alloc(w->fd, w->dev.idev, w->ioas, IOMMU_HWPT_ALLOC_DIRTY_TRACKING,
			  &w->hwpt));
}

static void with_parent_table(struct world *w)
{
	must(__hwpt_alloc(w->fd, w->dev.idev, w->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &w->hwpt));
}

static void with_access(struct world *w)
{
	w->access = must(__mock_access(w->fd, w->ioas,
				       MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES));
}

static void with_pins(struct world *w)
{
	with_access(w);
	must(__mock_pin(w->fd, w->access, 0, MOCK_IOVA, w->length, w->va));
}

/* Two mappings, which come from different backings. */
static void with_split_access(struct world *w)
{
	must(__ioas_map_at(w->fd, w->ioas, w->va, w->length / 2, MOCK_IOVA));
	must(__ioas_map_at(w->fd, w->ioas, w->va + w->length / 2, w->length / 2,
			   MOCK_IOVA + w->length / 2));
	with_access(w);
}

static int set_tracking(struct world *w, bool on)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd),
		.flags = on ? IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0,
		.hwpt_id = w->hwpt,
	};

	return __iommufd_ioctl(w->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd);
}

static void with_tracking(struct world *w)
{
	with_dirty_table(w);
	must(set_tracking(w, true));
}

/* Commands */

static int alloc_ioas(struct world *w)
{
	__u32 id;

	return __ioas_alloc(w->fd, &id);
}

static int allow(struct world *w)
{
	struct iommu_iova_range ranges[] = { { MIB(32), MIB(33) }, { MIB(64), MIB(65) } };

	return __ioas_allow(w->fd, w->ioas, ARRAY_LEN(ranges), ranges);
}

static int list(struct world *w)
{
	struct ranges ranges;

	return __ioas_ranges(w->fd, w->ioas, &ranges);
}

static int reserve(struct world *w)
{
	return __mock_reserve(w->fd, w->ioas, MIB(512), MIB(1));
}

static int small_pages(struct world *w)
{
	return __option_set(w->fd, IOMMU_OPTION_HUGE_PAGES, w->ioas, 0);
}

static int map(struct world *w)
{
	return __ioas_map_at(w->fd, w->ioas, w->va, w->length, MOCK_IOVA);
}

static int map_file(struct world *w)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = MAP_FIXED_RW,
		.ioas_id = w->ioas,
		.fd = memory_file,
		.length = memory[SMALL].length,
		.iova = MOCK_IOVA,
	};

	return __iommufd_ioctl(w->fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

static int copy(struct world *w)
{
	__u64 iova = MOCK_IOVA;

	return __ioas_copy(w->fd, MAP_FIXED_RW, w->other, w->ioas, w->length, &iova,
			   MOCK_IOVA);
}

static int unmap(struct world *w)
{
	return __ioas_unmap(w->fd, w->ioas, MOCK_IOVA, w->length) == w->length ? 0 : -EIO;
}

static int unmap_all(struct world *w)
{
	return __ioas_unmap_all(w->fd, w->ioas) == w->length ? 0 : -EIO;
}

static int add_device(struct world *w)
{
	struct mock_device dev;

	return __mock_device(w->fd, w->ioas, 0, &dev);
}

static int remove_device(struct world *w)
{
	return __destroy(w->fd, w->dev.stdev);
}

static int replace(struct world *w)
{
	__u32 pt = w->ioas;

	return __mock_replace(w->fd, w->other_dev.stdev, &pt);
}

static int alloc_table(struct world *w)
{
	__u32 id;

	return __hwpt_alloc(w->fd, w->dev.idev, w->ioas, 0, &id);
}

static int alloc_nested(struct world *w)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.dev_id = w->dev.idev,
		.pt_id = w->hwpt,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
	};

	return __iommufd_ioctl(w->fd, IOMMU_HWPT_ALLOC, &cmd);
}

static int remove_table(struct world *w)
{
	return __destroy(w->fd, w->hwpt);
}

static int start_tracking(struct world *w)
{
	return set_tracking(w, true);
}

static int read_dirty(struct world *w)
{
	static char bitmap[KIB(8)];
	struct iommu_hwpt_get_dirty_bitmap cmd = {
		.size = sizeof(cmd),
		.hwpt_id = w->hwpt,
		.iova = MOCK_IOVA,
		.length = w->length,
		.page_size = PAGE,
		.data = (uintptr_t)bitmap,
	};

	return __iommufd_ioctl(w->fd, IOMMU_HWPT_GET_DIRTY_BITMAP, &cmd);
}

static int alloc_queue(struct world *w)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int ret = __iommufd_ioctl(w->fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	if (!ret)
		w->file = cmd.out_fault_fd;
	return ret;
}

static int open_access(struct world *w)
{
	int ret = __mock_access(w->fd, w->ioas, MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES);

	if (ret >= 0)
		w->file = ret;
	return ret;
}

static int move_access(struct world *w)
{
	return __mock_access_replace(w->fd, w->access, w->other);
}

static int close_access(struct world *w)
{
	int fd = w->access;

	w->access = -1;
	return close(fd);
}

static int pin(struct world *w)
{
	return __mock_pin(w->fd, w->access, MOCK_FLAGS_ACCESS_WRITE, MOCK_IOVA, w->length,
			  w->va);
}

static int rw(struct world *w)
{
	static char data[KIB(64)];

	return __mock_rw(w->fd, w->access, MOCK_ACCESS_RW_WRITE, MOCK_IOVA + 100, data,
			 sizeof(data) - 200);
}

static int hw_info(struct world *w)
{
	struct iommu_test_hw_info data;
	struct iommu_hw_info info;

	return __hw_info(w->fd, w->dev.idev, &data, sizeof(data), &info);
}

static int close_all(struct world *w)
{
	int fd = w->fd;

	w->fd = -1;
	return close(fd);
}

const struct command commands[] = {
	{ "alloc IOAS", .run = alloc_ioas },
	{ "allow IOVAs", .run = allow },
	{ "reserve IOVAs", .run = reserve },
	{ "list IOVAs", .tables = 1, .run = list },
	{ "map, no page table", .run = map },
	{ "map", .tables = 1, .run = map },
	{ "map, two page tables", .tables = 2, .run = map },
	{ "map huge pages", HUGE, .tables = 2, .run = map },
	{ "map scattered pages", SCATTERED, .tables = 1, .run = map },
	{ "map scattered pages, two page tables", SCATTERED, .tables = 2, .run = map },
	{ "map file", .tables = 1, .run = map_file },
	{ "small pages", .run = small_pages },
	{ "copy", .mapped = true, .tables = 1, .run = copy },
	{ "copy to page table", SCATTERED, .mapped = true, .prepare = with_other_device,
	  .run = copy },
	{ "unmap", .mapped = true, .tables = 1, .run = unmap, .takes_away = true },
	{ "unmap huge pages", HUGE, .mapped = true, .tables = 1, .run = unmap,
	  .takes_away = true },
	{ "unmap scattered pages", SCATTERED, .mapped = true, .tables = 2, .run = unmap_all,
	  .takes_away = true },
	{ "unmap pinned pages", SCATTERED, .mapped = true, .tables = 1, .prepare = with_pins,
	  .run = unmap, .takes_away = true },
	/* Most of these allocations are the bus's. */
	{ "attach", .mapped = true, .run = add_device },
	{ "detach", SCATTERED, .mapped = true, .tables = 1, .run = remove_device,
	  .takes_away = true },
	{ "replace", SCATTERED, .mapped = true, .prepare = with_other_device,
	  .run = replace },
	{ "alloc page table", SCATTERED, .mapped = true, .tables = 1, .run = alloc_table },
	{ "destroy page table", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_dirty_table, .run = remove_table, .takes_away = true },
	{ "alloc nested page table", .tables = 1, .prepare = with_parent_table,
	  .run = alloc_nested },
	{ "start dirty tracking", .mapped = true, .tables = 1, .prepare = with_dirty_table,
	  .run = start_tracking },
	{ "read dirty bitmap", SCATTERED, .mapped = true, .tables = 1,
	  .prepare = with_tracking, .run = read_dirty },
	{ "alloc fault queue", .run = alloc_queue },
	{ "hardware info", .tables = 1, .run = hw_info },
	{ "open access", .run = open_access },
	{ "move access", .mapped = true, .prepare = with_pins, .run = move_access },
	{ "access pins", .mapped = true, .prepare = with_access, .run = pin },
	{ "access pins, mapped too", .mapped = true, .tables = 1, .prepare = with_access,
	  .run = pin },
	{ "access pins two mappings", SCATTERED, .prepare = with_split_access, .run = pin },
	{ "access writes", SCATTERED, .mapped = true, .prepare = with_access, .run = rw },
	{ "close access", SCATTERED, .mapped = true, .prepare = with_pins,
	  .run = close_access, .takes_away = true },
	{ "close", SCATTERED, .mapped = true, .tables = 2, .run = close_all,
	  .takes_away = true },
};

const unsigned int ncommands = ARRAY_LEN(commands);
