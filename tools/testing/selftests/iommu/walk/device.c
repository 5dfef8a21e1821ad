// SPDX-License-Identifier: GPL-2.0
/* Devices, and the page tables they are attached to. */
#include <errno.h>

#include "walk.h"

static struct table *new_table(struct ioas *ioas, __u32 id, bool automatic)
{
	struct table *table = w.m.table;

	while (table->id)
		if (++table == w.m.table + ARRAY_LEN(w.m.table))
			fatal("the model is too small");
	*table = (struct table){ id, ioas, automatic, 0 };
	return table;
}

static struct table *automatic_table(struct ioas *ioas)
{
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(w.m.table); i++)
		if (w.m.table[i].id && w.m.table[i].ioas == ioas && w.m.table[i].automatic)
			return &w.m.table[i];
	return NULL;
}

static void leave_table(struct table *table)
{
	if (--table->devices || !table->automatic)
		return;
	expect(-ENOENT, __destroy(w.fd, table->id));
	table->id = 0;
}

/*
 * Either a page table or an IOAS, for which there is a page table already or needs to
 * be a new one. Predicts whether a device can go there.
 */
static int some_target(__u32 *pt, struct ioas **ioas, struct table **table)
{
	*table = &w.m.table[rnd(ARRAY_LEN(w.m.table))];
	if ((*table)->id && one_in(2)) {
		*pt = (*table)->id;
		return 0;
	}
	*ioas = some_ioas();
	*pt = *ioas ? (*ioas)->id : NO_SUCH_ID;
	*table = *ioas ? automatic_table(*ioas) : NULL;
	return *table ? 0 : *ioas ? model_may_join(&w.m, *ioas) : -ENOENT;
}

static void join_table(struct device *device, struct ioas *ioas, struct table *table,
		       __u32 hwpt)
{
	if (table)
		expect(table->id, hwpt);
	else
		table = new_table(ioas, hwpt, true);
	table->devices++;
	device->table = table;
}

/* Not in a kernel that was built without iommufd */
static bool tracks(__u32 idev)
{
	struct iommu_hw_info info;

	must(__hw_info(w.fd, idev, NULL, 0, &info));
	return info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING;
}

static void add_device(struct device *device)
{
	__u32 flags = one_in(2) ? MOCK_FLAGS_DEVICE_HUGE_IOVA : 0, pt;
	struct mock_device mock;
	struct ioas *ioas = NULL;
	struct table *table;
	int want = some_target(&pt, &ioas, &table);

	say("new device, flags %u, on %u", flags, pt);
	expect(want, __mock_device(w.fd, pt, flags, &mock));
	if (want)
		return;
	device->stdev = mock.stdev;
	device->idev = mock.idev;
	device->tracks = tracks(mock.idev);
	join_table(device, ioas, table, mock.hwpt);
}

static void replace(struct device *device)
{
	struct table *table, *old = device->table;
	struct ioas *ioas = NULL;
	__u32 pt;
	int want = some_target(&pt, &ioas, &table);

	say("device %u from %u to %u", device->stdev, old->id, pt);
	expect(want, __mock_replace(w.fd, device->stdev, &pt));
	if (want)
		return;
	join_table(device, ioas, table, pt);
	leave_table(old);
}

void step_device(void)
{
	struct device *device = &w.device[rnd(ARRAY_LEN(w.device))];

	if (!device->stdev)
		return add_device(device);
	if (one_in(2))
		return replace(device);
	say("destroy device %u", device->stdev);
	expect(0, __destroy(w.fd, device->stdev));
	device->stdev = 0;
	leave_table(device->table);
}

static void add_table(struct device *device)
{
	struct ioas *ioas = some_ioas();
	__u32 flags = one_in(2) ? IOMMU_HWPT_ALLOC_DIRTY_TRACKING : 0, id;
	int want = !ioas ? -EINVAL : flags && !device->tracks ? -EOPNOTSUPP :
		   model_may_join(&w.m, ioas);

	say("new page table, flags %u, for device %u on %u", flags, device->idev,
	    ioas ? ioas->id : 0);
	expect(want, __hwpt_alloc(w.fd, device->idev, ioas ? ioas->id : NO_SUCH_ID, flags,
				  &id));
	if (!want)
		new_table(ioas, id, false);
}

void step_table(void)
{
	struct table *table = &w.m.table[rnd(4)];
	struct device *device = &w.device[rnd(ARRAY_LEN(w.device))];
	int want = table->devices ? -EBUSY : 0;

	/* The other half of the tables is for the automatic ones. */
	if (!table->id) {
		if (device->stdev)
			add_table(device);
		return;
	}
	say("destroy page table %u", table->id);
	expect(want, __destroy(w.fd, table->id));
	if (!want)
		table->id = 0;
}
