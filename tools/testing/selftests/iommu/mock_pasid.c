// SPDX-License-Identifier: GPL-2.0
/*
 * PASIDs: attach, replace and detach for one of them, what the page tables have to be
 * for that, and what is left when the device goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "viommu.h"

#define PASID 100
#define LAST_PASID ((1U << MOCK_PASID_WIDTH) - 1)
#define LENGTH KIB(64)
#define REPLACES 500

FIXTURE(pasid) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	__u32 a, b;	/* page tables for PASIDs */
	__u32 plain;	/* one that is not */
};

static __u32 hwpt_alloc(int fd, __u32 dev, __u32 ioas, __u32 flags)
{
	__u32 id;

	must(__hwpt_alloc(fd, dev, ioas, flags, &id));
	return id;
}

static int replace(int fd, __u32 stdev, __u32 pt)
{
	return __mock_replace(fd, stdev, &pt);
}

FIXTURE_SETUP(pasid)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &self->dev));
	self->a = hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID);
	self->b = hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_PASID);
	self->plain = hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0);
	/* The automatic page table is none for a device with PASIDs. */
	must(replace(self->fd, self->dev.stdev, self->a));
}

FIXTURE_TEARDOWN(pasid)
{
	close(self->fd);
}

TEST_F(pasid, P1_attach_replace_detach)
{
	__u32 dev = self->dev.stdev;

	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, 0));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->a));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, LAST_PASID, self->b));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, LAST_PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID, self->b));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID, self->b));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, 0));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, LAST_PASID, self->b));
	/* Once more, of nothing */
	EXPECT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID));
}

/* Every device has all the numbers. */
TEST_F(pasid, P2_devices_do_not_share_numbers)
{
	struct mock_device other;

	must(__mock_device(self->fd, self->a, MOCK_FLAGS_DEVICE_PASID, &other));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, self->dev.stdev, PASID, self->a));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, other.stdev, PASID, 0));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, other.stdev, PASID, self->b));
	EXPECT_EQ(0, __mock_pasid_detach(self->fd, other.stdev, PASID));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, self->dev.stdev, PASID, self->a));
}

TEST_F(pasid, attach_refuses)
{
	__u32 dev = self->dev.stdev;

	EXPECT_EQ(-ENOENT, __mock_pasid_attach(self->fd, 0, PASID, self->a));
	EXPECT_EQ(-ENOENT, __mock_pasid_attach(self->fd, dev, PASID, 0));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, PASID, dev));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, PASID, self->ioas));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, PASID, self->plain));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, LAST_PASID + 1, self->a));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, ~0U, self->a));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, dev, PASID, self->a));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, 0));

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	EXPECT_EQ(-EBUSY, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	EXPECT_EQ(-EBUSY, __mock_pasid_attach(self->fd, dev, PASID, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, dev, PASID, self->plain));
	EXPECT_EQ(-EINVAL, __mock_pasid_replace(self->fd, dev, PASID, self->ioas));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->a));
}

/* PASID 0 is the device itself, which is attached. */
TEST_F(pasid, P1_pasid_0_is_the_device)
{
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, self->dev.stdev, 0, self->b));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
	EXPECT_EQ(0, __mock_pasid_replace(self->fd, self->dev.stdev, 0, self->plain));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
}

/* The same ids mean other objects elsewhere, or none. */
TEST_F(pasid, P3_names_only_page_tables_of_its_context)
{
	int other = mock_open();
	__u32 ioas = ioas_alloc(other), foreign = 0;
	struct mock_device dev;

	must(__mock_device(other, ioas, MOCK_FLAGS_DEVICE_PASID, &dev));
	while (foreign <= self->plain)
		foreign = hwpt_alloc(other, dev.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	EXPECT_EQ(-ENOENT, __mock_pasid_attach(self->fd, self->dev.stdev, PASID, foreign));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, self->dev.stdev, PASID, 0));
	close(other);
}

TEST_F(pasid, P6_device_without_pasids)
{
	struct mock_device none = mock_device(self->fd, self->a);

	EXPECT_EQ(-EOPNOTSUPP, __mock_pasid_attach(self->fd, none.stdev, PASID, self->a));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, none.stdev, PASID, self->ioas));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, none.stdev, PASID, 0));
}

TEST_F(pasid, device_and_pasids_use_tables_of_one_kind)
{
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, replace(self->fd, dev, self->plain));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	ASSERT_EQ(0, replace(self->fd, dev, self->a));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	EXPECT_EQ(-EINVAL, replace(self->fd, dev, self->plain));
	EXPECT_EQ(-EINVAL, replace(self->fd, dev, self->ioas));
	EXPECT_EQ(0, replace(self->fd, dev, self->b));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID));
	EXPECT_EQ(0, replace(self->fd, dev, self->plain));
}

TEST_F(pasid, P5_page_table_in_use_stays)
{
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID + 1, self->b));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->b));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->b));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID + 1, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->a));
}

TEST_F(pasid, pasid_sees_what_is_mapped)
{
	__u32 ioas = ioas_alloc(self->fd), other;
	char *mem = alloc_aligned(LENGTH, false);

	ioas_map_at(self->fd, ioas, mem, LENGTH, MOCK_IOVA);
	other = hwpt_alloc(self->fd, self->dev.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, self->dev.stdev, PASID, other));
	EXPECT_EQ(0, __mock_check_map(self->fd, other, mem, LENGTH, MOCK_IOVA));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, ioas));
	/* The device itself is still elsewhere. */
	EXPECT_EQ(-EINVAL, __mock_check_map(self->fd, self->a, mem, MOCK_PAGE, MOCK_IOVA));
}

/* The mock refuses the second page table for this number. */
TEST_F(pasid, failed_replace_changes_nothing)
{
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, IOMMU_TEST_PASID_RESERVED, self->a));
	EXPECT_EQ(-ENOMEM,
		  __mock_pasid_replace(self->fd, dev, IOMMU_TEST_PASID_RESERVED, self->b));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, IOMMU_TEST_PASID_RESERVED, self->a));
	/* The third time it is not refused, the old one was still known as the old one. */
	EXPECT_EQ(0, __mock_pasid_replace(self->fd, dev, IOMMU_TEST_PASID_RESERVED, self->b));
	EXPECT_EQ(0, __mock_pasid_replace(self->fd, dev, IOMMU_TEST_PASID_RESERVED, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
	EXPECT_EQ(0, __mock_pasid_detach(self->fd, dev, IOMMU_TEST_PASID_RESERVED));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, IOMMU_TEST_PASID_RESERVED, 0));
}

/* What a device on another processor meets while its PASID is replaced */
struct onlooker {
	int fd;
	__u32 stdev;
	bool stop;
	unsigned int looks, blocked;
};

static void *look(void *arg)
{
	struct onlooker *onlooker = arg;

	while (!__atomic_load_n(&onlooker->stop, __ATOMIC_RELAXED)) {
		onlooker->looks++;
		if (!__mock_pasid_check(onlooker->fd, onlooker->stdev, PASID, 0))
			onlooker->blocked++;
	}
	return NULL;
}

static bool kernel_has(const char *symbol)
{
	char line[256];
	FILE *f = fopen("/proc/kallsyms", "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, symbol);
	if (f)
		fclose(f);
	return found;
}

/*
 * A core with our patch goes from one page table to the other. Another one has neither for a
 * moment, once for each replace.
 */
TEST_F(pasid, replace_is_one_step_where_the_core_can)
{
	struct onlooker onlooker = { .fd = self->fd, .stdev = self->dev.stdev };
	unsigned long before;
	pthread_t thread;
	unsigned int i;

	must(__mock_pasid_attach(self->fd, self->dev.stdev, PASID, self->a));
	before = mock_pasids_blocked();
	ASSERT_EQ(0, pthread_create(&thread, NULL, look, &onlooker));
	for (i = 1; i <= REPLACES; i++)
		EXPECT_EQ(0, __mock_pasid_replace(self->fd, self->dev.stdev, PASID,
						  i & 1 ? self->b : self->a));
	__atomic_store_n(&onlooker.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);

	EXPECT_LT(0, onlooker.looks);
	if (kernel_has(" iommu_replace_device_pasid")) {
		EXPECT_EQ(0, onlooker.blocked);
		EXPECT_EQ(before, mock_pasids_blocked());
	} else {
		EXPECT_EQ(before + REPLACES, mock_pasids_blocked());
	}
	EXPECT_EQ(0, __mock_pasid_check(self->fd, self->dev.stdev, PASID, self->a));
}

TEST_F(pasid, P5_device_takes_its_pasids_along)
{
	__u32 dev = self->dev.stdev, pasid;

	for (pasid = 1; pasid < 50; pasid++)
		ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, pasid,
						 pasid & 1 ? self->a : self->b));
	ASSERT_EQ(0, __destroy(self->fd, dev));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
}

/* A device whose driver detaches nothing of it before it unbinds it */
TEST_F(pasid, P5_unbind_takes_pasids_along)
{
	__u32 dev = self->dev.stdev, pasid;

	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, 0));
	for (pasid = 1; pasid < 50; pasid++)
		ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, pasid,
						 pasid & 1 ? self->a : self->b));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->a));
	ASSERT_EQ(0, __destroy(self->fd, dev));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
}

TEST_F(pasid, pasid_of_a_device_that_is_attached_to_nothing)
{
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, 0));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->a));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->a));
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID, self->b));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
	/* Now it can not use any page table. */
	EXPECT_EQ(-EINVAL, replace(self->fd, dev, self->b));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, 0, self->plain));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev, 0, self->ioas));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, 0, self->b));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->b));
}

/* What was detached reaches nothing, whichever way. */
TEST_F(pasid, P5_detach_of_the_device_takes_pasids_along)
{
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, LAST_PASID, self->b));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, 0));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, 0));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, LAST_PASID, 0));
	EXPECT_EQ(0, __destroy(self->fd, self->a));
	EXPECT_EQ(0, __destroy(self->fd, self->b));
	EXPECT_EQ(0, __mock_pasid_detach(self->fd, dev, 0));
	EXPECT_EQ(0, __mock_pasid_attach(self->fd, dev, 0, self->plain));
}

TEST_F(pasid, device_without_dirty_tracking)
{
	const __u32 flags = IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct iommu_hw_info info;
	struct mock_device dev;
	__u32 tracking;

	must(__hw_info(self->fd, self->dev.idev, NULL, 0, &info));
	if (!(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING))
		SKIP(return, "no dirty tracking in this kernel");
	tracking = hwpt_alloc(self->fd, self->dev.idev, self->ioas, flags);
	must(__mock_device(self->fd, self->a,
			   MOCK_FLAGS_DEVICE_PASID | MOCK_FLAGS_DEVICE_NO_DIRTY, &dev));
	EXPECT_EQ(-EINVAL, __mock_pasid_attach(self->fd, dev.stdev, PASID, tracking));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev.stdev, PASID, 0));
	EXPECT_EQ(0, __mock_pasid_attach(self->fd, self->dev.stdev, PASID, tracking));
}

/* Each PASID of a guest's device has a page table of the guest. */
TEST_F(pasid, nested)
{
	__u32 dev = self->dev.stdev, parent, viommu, nested, on_viommu, vdev;

	parent = hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	viommu = viommu_alloc(self->fd, self->dev.idev, parent);
	ASSERT_EQ(0, __nested_alloc(self->fd, self->dev.idev, parent, IOMMU_HWPT_ALLOC_PASID,
				    0, &nested));
	ASSERT_EQ(0, __nested_alloc(self->fd, self->dev.idev, viommu, IOMMU_HWPT_ALLOC_PASID,
				    0, &on_viommu));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, nested));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, nested));
	/* Not before the guest knows the device; and then what was there is back. */
	EXPECT_EQ(-ENOENT, __mock_pasid_replace(self->fd, dev, PASID, on_viommu));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, nested));
	vdev = vdevice_alloc(self->fd, viommu, self->dev.idev, 7);
	EXPECT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID, on_viommu));
	EXPECT_EQ(0, __mock_pasid_check(self->fd, dev, PASID, on_viommu));
	EXPECT_EQ(0, __destroy(self->fd, nested));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, on_viommu));
	EXPECT_EQ(0, __destroy(self->fd, vdev));
}

FIXTURE(pasid_fault) {
	int fd;
	struct mock_device dev;
	__u32 rid;	/* page table of the device */
	__u32 fault;
	int queue;
	__u32 with;	/* page table whose faults go to the queue */
};

FIXTURE_SETUP(pasid_fault)
{
	struct iommu_fault_alloc alloc = { .size = sizeof(alloc) };
	__u32 ioas, parent;

	self->fd = mock_open();
	ioas = ioas_alloc(self->fd);
	must(__mock_device(self->fd, ioas, MOCK_FLAGS_DEVICE_PASID, &self->dev));
	self->rid = hwpt_alloc(self->fd, self->dev.idev, ioas, IOMMU_HWPT_ALLOC_PASID);
	must(replace(self->fd, self->dev.stdev, self->rid));
	must(__iommufd_ioctl(self->fd, IOMMU_FAULT_QUEUE_ALLOC, &alloc));
	self->fault = alloc.out_fault_id;
	self->queue = alloc.out_fault_fd;
	parent = hwpt_alloc(self->fd, self->dev.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT);
	must(__nested_alloc(self->fd, self->dev.idev, parent,
			    IOMMU_HWPT_ALLOC_PASID | IOMMU_HWPT_FAULT_ID_VALID, self->fault,
			    &self->with));
}

FIXTURE_TEARDOWN(pasid_fault)
{
	close(self->queue);
	close(self->fd);
}

TEST_F(pasid_fault, names_device_and_pasid)
{
	struct iommu_hwpt_pgfault fault;
	struct iommu_hwpt_page_response resp = { .code = IOMMUFD_PAGE_RESP_SUCCESS };

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, self->dev.stdev, PASID, self->with));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID, 5, 0xbad1000));
	/* Of a PASID that is not attached, and of the device itself: to nobody */
	__mock_fault(self->fd, self->dev.idev, PASID + 1, 6, 0);
	__mock_fault(self->fd, self->dev.idev, 0, 7, 0);

	ASSERT_EQ(sizeof(fault), read(self->queue, &fault, sizeof(fault)));
	EXPECT_EQ(IOMMU_PGFAULT_FLAGS_PASID_VALID | IOMMU_PGFAULT_FLAGS_LAST_PAGE, fault.flags);
	EXPECT_EQ(self->dev.idev, fault.dev_id);
	EXPECT_EQ(PASID, fault.pasid);
	EXPECT_EQ(5, fault.grpid);
	EXPECT_EQ(0xbad1000, fault.addr);
	EXPECT_EQ(0, read(self->queue, &fault, sizeof(fault)));
	resp.cookie = fault.cookie;
	EXPECT_EQ(sizeof(resp), write(self->queue, &resp, sizeof(resp)));
}

/* What waits for an answer is answered at the end of the attachment, and only that. */
TEST_F(pasid_fault, end_answers)
{
	struct iommu_hwpt_pgfault fault[2];
	struct iommu_hwpt_page_response resp = { .code = IOMMUFD_PAGE_RESP_SUCCESS };
	struct mock_page_faults before;
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->with));
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID + 1, self->with));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID, 1, 0));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID + 1, 2, 0));
	ASSERT_EQ(sizeof(fault), read(self->queue, fault, sizeof(fault)));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID, 3, 0));

	before = mock_page_faults();
	ASSERT_EQ(0, __mock_pasid_replace(self->fd, dev, PASID, self->rid));
	EXPECT_EQ(before.invalid + 2, mock_page_faults().invalid);
	resp.cookie = fault[0].cookie;
	EXPECT_EQ(-1, write(self->queue, &resp, sizeof(resp)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, read(self->queue, fault, sizeof(fault)));
	/* The other PASID goes on. */
	resp.cookie = fault[1].cookie;
	EXPECT_EQ(sizeof(resp), write(self->queue, &resp, sizeof(resp)));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID + 1, 4, 0));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, PASID + 1));
	EXPECT_EQ(before.success + 1, mock_page_faults().success);
	EXPECT_EQ(before.invalid + 3, mock_page_faults().invalid);
	EXPECT_EQ(0, read(self->queue, fault, sizeof(fault)));
	/* Nothing delivers any more. */
	EXPECT_EQ(-EINVAL, __mock_fault(self->fd, self->dev.idev, PASID + 1, 5, 0));
	EXPECT_EQ(0, __destroy(self->fd, self->with));
}

/* The device itself, and its unbinding with what waits for an answer */
TEST_F(pasid_fault, detach_and_unbind_answer)
{
	struct mock_page_faults before = mock_page_faults();
	__u32 dev = self->dev.stdev;

	ASSERT_EQ(0, replace(self->fd, dev, self->with));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, 0, 1, 0));
	ASSERT_EQ(0, __mock_pasid_detach(self->fd, dev, 0));
	EXPECT_EQ(before.invalid + 1, mock_page_faults().invalid);
	ASSERT_EQ(0, __mock_pasid_attach(self->fd, dev, PASID, self->with));
	ASSERT_EQ(0, __mock_fault(self->fd, self->dev.idev, PASID, 2, 0));
	EXPECT_EQ(before.invalid + 1, mock_page_faults().invalid);
	ASSERT_EQ(0, __destroy(self->fd, dev));
	EXPECT_EQ(before.raised + 2, mock_page_faults().raised);
	EXPECT_EQ(before.invalid + 2, mock_page_faults().invalid);
	EXPECT_EQ(0, __destroy(self->fd, self->with));
}

TEST_HARNESS_MAIN
