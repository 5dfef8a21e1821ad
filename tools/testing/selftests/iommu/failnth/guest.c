// SPDX-License-Identifier: GPL-2.0
/* PASIDs, and what the IOMMU of a guest is made of. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "viommu.h"
#include "world.h"

#define PASID 100

/* Preparations */

/* A device with PASIDs that uses w->hwpt, and another page table, w->next. */
static void with_pasid_device(struct world *w)
{
	must(__mock_device(w->fd, w->other, MOCK_FLAGS_DEVICE_PASID, &w->other_dev));
	must(__hwpt_alloc(w->fd, w->other_dev.idev, w->other, IOMMU_HWPT_ALLOC_PASID,
			  &w->hwpt));
	must(__hwpt_alloc(w->fd, w->other_dev.idev, w->other, IOMMU_HWPT_ALLOC_PASID,
			  &w->next));
	w->other_dev.hwpt = w->hwpt;
	must(__mock_replace(w->fd, w->other_dev.stdev, &w->other_dev.hwpt));
}

static void with_pasid(struct world *w)
{
	with_pasid_device(w);
	must(__mock_pasid_attach(w->fd, w->other_dev.stdev, PASID, w->hwpt));
}

static __u32 faulting(struct world *w, __u32 dev, __u32 ioas, __u32 flags)
{
	__u32 fault, parent, id;

	w->file = must(__fault_alloc(w->fd, &fault));
	must(__hwpt_alloc(w->fd, dev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT, &parent));
	must(__nested_alloc(w->fd, dev, parent, flags | IOMMU_HWPT_FAULT_ID_VALID, fault, &id));
	return id;
}

static void with_faults(struct world *w)
{
	w->next = faulting(w, w->dev.idev, w->ioas, 0);
}

static void with_pasid_and_faults(struct world *w)
{
	with_pasid(w);
	w->next = faulting(w, w->other_dev.idev, w->other, IOMMU_HWPT_ALLOC_PASID);
}

static void with_parent(struct world *w)
{
	must(__hwpt_alloc(w->fd, w->dev.idev, w->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &w->hwpt));
}

static void with_viommu(struct world *w)
{
	with_parent(w);
	w->viommu = viommu_alloc(w->fd, w->dev.idev, w->hwpt);
}

static void with_vdevice(struct world *w)
{
	with_viommu(w);
	vdevice_alloc(w->fd, w->viommu, w->dev.idev, 7);
	must(__nested_alloc(w->fd, w->dev.idev, w->viommu, 0, 0, &w->next));
}

static void with_registers(struct world *w)
{
	struct iommu_viommu_selftest data = { .in_data = 1 };

	with_parent(w);
	must(__viommu_alloc(w->fd, w->dev.idev, w->hwpt, &data, sizeof(data), &w->viommu));
	w->offset = data.out_mmap_offset;
	w->map_length = data.out_mmap_length;
}

/* These use a device of their own, whose page table is the guest's. */

static void with_fault(struct world *w)
{
	__u32 pt;

	w->dev = mock_device(w->fd, w->ioas);
	pt = faulting(w, w->dev.idev, w->ioas, 0);
	must(__mock_replace(w->fd, w->dev.stdev, &pt));
	must(__mock_fault(w->fd, w->dev.idev, 0, 0, 0));
}

static void with_event_queue(struct world *w)
{
	struct mock_guest guest = mock_guest(w->fd, w->ioas);
	__u32 nested, id;

	w->dev = guest.dev;
	vdevice_alloc(w->fd, guest.viommu, guest.dev.idev, 7);
	must(__nested_alloc(w->fd, guest.dev.idev, guest.viommu, 0, 0, &nested));
	must(__mock_replace(w->fd, guest.dev.stdev, &nested));
	w->file = must(__veventq_alloc(w->fd, guest.viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 16,
				       &id));
}

/* Commands */

static int attach_pasid(struct world *w)
{
	return __mock_pasid_attach(w->fd, w->other_dev.stdev, PASID, w->next);
}

static int replace_pasid(struct world *w)
{
	return __mock_pasid_replace(w->fd, w->other_dev.stdev, PASID, w->next);
}

static int detach_pasid(struct world *w)
{
	return __mock_pasid_detach(w->fd, w->other_dev.stdev, PASID);
}

static int remove_pasid_device(struct world *w)
{
	return __destroy(w->fd, w->other_dev.stdev);
}

static bool no_pasid(const struct world *w)
{
	return !__mock_pasid_check(w->fd, w->other_dev.stdev, PASID, 0);
}

static bool old_pasid(const struct world *w)
{
	return !__mock_pasid_check(w->fd, w->other_dev.stdev, PASID, w->hwpt);
}

static int replace_next(struct world *w)
{
	__u32 pt = w->next;

	return __mock_replace(w->fd, w->dev.stdev, &pt);
}

static int alloc_viommu(struct world *w)
{
	struct iommu_viommu_selftest data = { .in_data = 1 };
	__u32 id;

	return __viommu_alloc(w->fd, w->dev.idev, w->hwpt, &data, sizeof(data), &id);
}

static int alloc_vdevice(struct world *w)
{
	__u32 id;

	return __vdevice_alloc(w->fd, w->viommu, w->dev.idev, 7, &id);
}

static int alloc_nested(struct world *w)
{
	__u32 id;

	return __nested_alloc(w->fd, w->dev.idev, w->viommu, 0, 0, &id);
}

static int alloc_veventq(struct world *w)
{
	__u32 id;
	int ret = __veventq_alloc(w->fd, w->viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, 16, &id);

	if (ret >= 0)
		w->file = ret;
	return ret;
}

static int alloc_hw_queue(struct world *w)
{
	__u32 id;

	return __hw_queue_alloc(w->fd, w->viommu, 0, MOCK_IOVA, w->length, &id);
}

static int map_registers(struct world *w)
{
	w->registers = mmap(NULL, w->map_length, PROT_READ, MAP_SHARED, w->fd, w->offset);
	return w->registers == MAP_FAILED ? -errno : 0;
}

static int read_fault(struct world *w)
{
	struct iommu_hwpt_pgfault fault;
	ssize_t ret = read(w->file, &fault, sizeof(fault));

	return ret < 0 ? -errno : ret ? 0 : -EAGAIN;
}

static int report_event(struct world *w)
{
	return __mock_event(w->fd, w->dev.idev);
}

/* The guest hears that there was something. */
static bool tells_of_loss(const struct world *w)
{
	struct iommufd_vevent_header header;

	return read(w->file, &header, sizeof(header)) == sizeof(header) &&
	       header.flags == IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
}

static int close_all(struct world *w)
{
	int fd = w->fd;

	w->fd = -1;
	return close(fd);
}

const struct command guest_commands[] = {
	{ "attach PASID", .prepare = with_pasid_device, .run = attach_pasid, .intact = no_pasid },
	{ "replace PASID", .prepare = with_pasid, .run = replace_pasid, .intact = old_pasid },
	{ "replace PASID, page faults", .prepare = with_pasid_and_faults,
	  .run = replace_pasid, .intact = old_pasid },
	{ "detach PASID", .prepare = with_pasid, .run = detach_pasid, .takes_away = true },
	{ "detach with PASID", .prepare = with_pasid, .run = remove_pasid_device,
	  .takes_away = true },
	{ "replace, page faults", .tables = 1, .prepare = with_faults, .run = replace_next },
	{ "alloc vIOMMU", .tables = 1, .prepare = with_parent, .run = alloc_viommu },
	{ "alloc vDEVICE", .tables = 1, .prepare = with_viommu, .run = alloc_vdevice },
	{ "alloc nested page table, vIOMMU", .tables = 1, .prepare = with_viommu,
	  .run = alloc_nested },
	{ "replace, vIOMMU", .tables = 1, .prepare = with_vdevice, .run = replace_next },
	{ "alloc event queue", .tables = 1, .prepare = with_viommu, .run = alloc_veventq },
	{ "alloc hardware queue", HUGE, .mapped = true, .tables = 1, .prepare = with_viommu,
	  .run = alloc_hw_queue },
	{ "map registers", .tables = 1, .prepare = with_registers, .run = map_registers },
	{ "read page fault", .prepare = with_fault, .run = read_fault },
	{ "report event", .prepare = with_event_queue, .run = report_event,
	  .intact = tells_of_loss },
	{ "close with guest", .tables = 1, .prepare = with_vdevice, .run = close_all,
	  .takes_away = true },
};

const unsigned int nguest_commands = ARRAY_LEN(guest_commands);
