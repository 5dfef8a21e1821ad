// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables that users ask for: what can be asked for, what keeps what, and what is
 * left of one that was refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "observe.h"

#define IOVA MOCK_IOVA
#define LENGTH (16 * PAGE)
#define NOBODY 0x7ffffff

#define NEST IOMMU_HWPT_ALLOC_NEST_PARENT
#define DIRTY IOMMU_HWPT_ALLOC_DIRTY_TRACKING
#define FAULT IOMMU_HWPT_FAULT_ID_VALID
#define PASID IOMMU_HWPT_ALLOC_PASID

FIXTURE(hwpt) {
	int fd;
	__u32 ioas;		/* where page tables are made */
	__u32 elsewhere;	/* where the device is attached */
	struct mock_device dev;
	__u32 dirty;		/* DIRTY, or 0 where that can not be had */
	char *mem;
	long pins;
};

FIXTURE_SETUP(hwpt)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->elsewhere = ioas_alloc(self->fd);
	self->mem = alloc_aligned(LENGTH, false);
	self->pins = pinned_pages();
	self->dev = mock_device(self->fd, self->elsewhere);
	self->dirty = mock_can_track(self->fd, self->dev.idev) ? DIRTY : 0;
}

FIXTURE_TEARDOWN(hwpt)
{
	close(self->fd);
	EXPECT_EQ(self->pins, pinned_pages_settle(self->pins));
}

static int __alloc(const FIXTURE_DATA(hwpt) *self, __u32 flags, __u32 *id)
{
	return __hwpt_alloc(self->fd, self->dev.idev, self->ioas, flags, id);
}

/* The same with everything that has a meaning set as the caller wants. */
static int __alloc_full(const FIXTURE_DATA(hwpt) *self, struct iommu_hwpt_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->dev_id = cmd->dev_id ?: self->dev.idev;
	cmd->pt_id = cmd->pt_id ?: self->ioas;
	return __iommufd_ioctl(self->fd, IOMMU_HWPT_ALLOC, cmd);
}

#define ALLOC(...) __alloc_full(self, &(struct iommu_hwpt_alloc){ __VA_ARGS__ })

/* Nothing uses the IOAS, so no page table that was refused is left of it. */
#define EXPECT_NOTHING_LEFT() EXPECT_EQ(0, __destroy(self->fd, self->ioas))

TEST_F(hwpt, flags_of_a_paging_one)
{
	static const struct {
		__u32 flags;
		int want;
	} cases[] = {
		{ 0, 0 },
		{ NEST, 0 },
		{ DIRTY, 0 },
		{ NEST | DIRTY, 0 },
		{ FAULT, 0 },
		{ FAULT | DIRTY, 0 },
		{ FAULT | NEST, -EOPNOTSUPP },
		{ FAULT | NEST | DIRTY, -EOPNOTSUPP },
		{ PASID, 0 },
		{ PASID | NEST, 0 },
		{ PASID | NEST | DIRTY, 0 },
		{ PASID | FAULT, 0 },
		{ PASID | FAULT | NEST, -EOPNOTSUPP },
		{ PASID << 1, -EOPNOTSUPP },
		{ NEST | 1u << 31, -EOPNOTSUPP },
	};
	__u32 fault;
	int i, ret, queue = must(__fault_alloc(self->fd, &fault));

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct iommu_hwpt_alloc cmd = {
			.flags = cases[i].flags, .fault_id = fault,
		};

		ret = __alloc_full(self, &cmd);
		EXPECT_EQ(cases[i].flags & DIRTY & ~self->dirty ? -EOPNOTSUPP : cases[i].want,
			  ret) {
			TH_LOG("flags %#x", cases[i].flags);
		}
		if (!ret)
			EXPECT_EQ(0, __destroy(self->fd, cmd.out_hwpt_id));
	}
	close(queue);
	EXPECT_EQ(0, __destroy(self->fd, fault));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, device_that_can_not_track)
{
	struct mock_device dev;
	__u32 hwpt, plain;

	if (!self->dirty)
		SKIP(return, "this kernel has no dirty tracking");

	must(__mock_device(self->fd, self->elsewhere, MOCK_FLAGS_DEVICE_NO_DIRTY, &dev));
	EXPECT_EQ(-EOPNOTSUPP, __hwpt_alloc(self->fd, dev.idev, self->ioas, DIRTY, &hwpt));
	EXPECT_EQ(-EOPNOTSUPP,
		  __hwpt_alloc(self->fd, dev.idev, self->ioas, DIRTY | NEST, &hwpt));
	must(__hwpt_alloc(self->fd, dev.idev, self->ioas, 0, &plain));
	must(__alloc(self, DIRTY, &hwpt));
	/* Neither by a page table that others made */
	EXPECT_EQ(-EINVAL, __mock_replace(self->fd, dev.stdev, &hwpt));
	EXPECT_EQ(-EINVAL,
		  __mock_device(self->fd, hwpt, MOCK_FLAGS_DEVICE_NO_DIRTY, &dev));
	EXPECT_EQ(0, __destroy(self->fd, hwpt));
	EXPECT_EQ(0, __destroy(self->fd, plain));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, arguments_in_order)
{
	char data[8] = "";
	__u64 uptr = (uintptr_t)data;

	/* Each of these has the errors of those that follow. */
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(.__reserved = 1, .data_len = 8, .dev_id = NOBODY));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(.__reserved2 = 1, .data_len = 8, .dev_id = NOBODY));
	EXPECT_EQ(-EINVAL, ALLOC(.data_len = 8, .data_uptr = uptr, .dev_id = NOBODY));
	EXPECT_EQ(-EINVAL, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST, .dev_id = NOBODY));
	EXPECT_EQ(-ENOENT, ALLOC(.dev_id = NOBODY, .pt_id = NOBODY));
	EXPECT_EQ(-ENOENT, ALLOC(.dev_id = self->ioas, .pt_id = NOBODY));
	EXPECT_EQ(-ENOENT, ALLOC(.dev_id = self->dev.stdev, .pt_id = NOBODY));
	EXPECT_EQ(-EINVAL, ALLOC(.pt_id = NOBODY, .flags = 1u << 31));
	EXPECT_EQ(-EINVAL, ALLOC(.pt_id = self->dev.idev, .flags = 1u << 31));
	EXPECT_EQ(-EINVAL, ALLOC(.pt_id = self->dev.stdev));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(.flags = 1u << 31 | FAULT, .fault_id = NOBODY));
	EXPECT_EQ(-ENOENT, ALLOC(.flags = FAULT, .fault_id = NOBODY));
	EXPECT_EQ(-ENOENT, ALLOC(.flags = FAULT, .fault_id = self->ioas));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, data_of_a_paging_one)
{
	struct iommu_hwpt_selftest data[2] = { { .pagetable_type = MOCK_IOMMUPT_HUGE } };
	__u64 uptr = (uintptr_t)data;

	EXPECT_EQ(0, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = sizeof(data[0]),
			   .data_uptr = uptr));
	EXPECT_EQ(-EINVAL, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST,
				 .data_len = sizeof(data[0]) - 1, .data_uptr = uptr));
	EXPECT_EQ(-EINVAL, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST,
				 .data_len = sizeof(data[0]) + 1, .data_uptr = uptr));
	EXPECT_EQ(-EFAULT, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST,
				 .data_len = sizeof(data[0])));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(.data_type = IOMMU_HWPT_DATA_VTD_S1, .data_len = 8,
				     .data_uptr = uptr));
}

/* A table whose id the caller can not learn must not stay. */
TEST_F(hwpt, reply_that_fails)
{
	struct iommu_hwpt_alloc *cmd = alloc_pages(PAGE);

	*cmd = (struct iommu_hwpt_alloc){
		.size = sizeof(*cmd), .dev_id = self->dev.idev, .pt_id = self->ioas,
	};
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	ASSERT_EQ(0, mprotect(cmd, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __iommufd_ioctl(self->fd, IOMMU_HWPT_ALLOC, cmd));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, gets_what_is_mapped)
{
	__u32 hwpt[4];
	int i;

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	for (i = 0; i < 4; i++) {
		must(__alloc(self, i & (NEST | self->dirty), &hwpt[i]));
		EXPECT_EQ(0, __mock_check_map(self->fd, hwpt[i], self->mem, LENGTH, IOVA));
	}
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, __destroy(self->fd, hwpt[i]));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, mapping_it_can_not_have)
{
	__u32 hwpt;

	/* Before the aperture, behind it, with the wrong alignment, and memory that is gone */
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, IOVA - PAGE);
	EXPECT_EQ(-EADDRINUSE, __alloc(self, 0, &hwpt));
	must(__ioas_unmap_all(self->fd, self->ioas));
	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MOCK_APERTURE_LAST + 1ULL);
	EXPECT_EQ(-EADDRINUSE, __alloc(self, 0, &hwpt));
	must(__ioas_unmap_all(self->fd, self->ioas));
	ioas_map_at(self->fd, self->ioas, self->mem, MOCK_PAGE / 2, IOVA);
	EXPECT_EQ(-EADDRINUSE, __alloc(self, 0, &hwpt));
	must(__ioas_unmap_all(self->fd, self->ioas));
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	ASSERT_EQ(0, munmap(self->mem + LENGTH - PAGE, PAGE));
	EXPECT_EQ(-EFAULT, __alloc(self, 0, &hwpt));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH - PAGE, 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, allowed_range_it_can_not_have)
{
	struct iommu_iova_range allowed = { IOVA - PAGE, IOVA + PAGE };
	__u32 hwpt;

	ASSERT_EQ(0, __ioas_allow(self->fd, self->ioas, 1, &allowed));
	EXPECT_EQ(-EADDRINUSE, __alloc(self, 0, &hwpt));
	ASSERT_EQ(0, __ioas_allow(self->fd, self->ioas, 0, NULL));
	EXPECT_EQ(0, __alloc(self, 0, &hwpt));
}

TEST_F(hwpt, narrows_the_ioas_while_it_exists)
{
	struct ranges before, with, after;
	__u32 hwpt;

	must(__ioas_ranges(self->fd, self->ioas, &before));
	must(__alloc(self, 0, &hwpt));
	must(__ioas_ranges(self->fd, self->ioas, &with));
	EXPECT_EQ(1, with.n);
	EXPECT_EQ(MOCK_APERTURE_START, with.range[0].start);
	EXPECT_EQ(MOCK_APERTURE_LAST, with.range[0].last);
	EXPECT_EQ(MOCK_PAGE, with.alignment);
	EXPECT_EQ(0, __destroy(self->fd, hwpt));
	must(__ioas_ranges(self->fd, self->ioas, &after));
	EXPECT_TRUE(ranges_equal(&before, &after));
}

TEST_F(hwpt, who_keeps_whom)
{
	__u32 parent, nested, fault, child;
	int queue = must(__fault_alloc(self->fd, &fault));

	must(__alloc(self, NEST, &parent));
	must(__mock_nested(self->fd, self->dev.idev, parent, &child));
	must(__mock_nested_fault(self->fd, self->dev.idev, parent, fault, &nested));
	ASSERT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &nested));

	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, parent));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, nested));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, fault));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->dev.idev));
	EXPECT_EQ(0, __destroy(self->fd, child));
	close(queue);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, fault));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, parent));

	/* Now from the leaves on */
	EXPECT_EQ(0, __destroy(self->fd, self->dev.stdev));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, self->dev.idev));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, parent));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, fault));
	EXPECT_EQ(0, __destroy(self->fd, nested));
	EXPECT_EQ(0, __destroy(self->fd, fault));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->ioas));
	EXPECT_EQ(0, __destroy(self->fd, parent));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, automatic_ones_go_with_their_last_device)
{
	struct mock_device a = mock_device(self->fd, self->ioas), b;
	__u32 pt = self->elsewhere;

	/* By its id like any other */
	b = mock_device(self->fd, a.hwpt);
	EXPECT_EQ(a.hwpt, b.hwpt);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, a.hwpt));
	ASSERT_EQ(0, __mock_replace(self->fd, a.stdev, &pt));
	EXPECT_EQ(self->dev.hwpt, pt);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, b.hwpt));
	ASSERT_EQ(0, __destroy(self->fd, b.stdev));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, b.hwpt));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, explicit_ones_stay)
{
	__u32 hwpt, pt = self->elsewhere;
	struct mock_device dev;

	must(__alloc(self, 0, &hwpt));
	dev = mock_device(self->fd, hwpt);
	EXPECT_EQ(hwpt, dev.hwpt);
	EXPECT_EQ(-EBUSY, __destroy(self->fd, hwpt));
	ASSERT_EQ(0, __destroy(self->fd, dev.stdev));
	/* The IOAS does not offer them to those who do not name one. */
	dev = mock_device(self->fd, self->ioas);
	EXPECT_NE(hwpt, dev.hwpt);
	/* From an automatic one, which then is gone, to it and away again */
	pt = hwpt;
	ASSERT_EQ(0, __mock_replace(self->fd, dev.stdev, &pt));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, dev.hwpt));
	pt = self->elsewhere;
	ASSERT_EQ(0, __mock_replace(self->fd, dev.stdev, &pt));
	EXPECT_EQ(0, __destroy(self->fd, hwpt));
	EXPECT_NOTHING_LEFT();
}

TEST_F(hwpt, closing_frees_any_tree)
{
	__u32 parent, nested, fault;
	int queue = must(__fault_alloc(self->fd, &fault));

	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
	must(__alloc(self, NEST | self->dirty, &parent));
	must(__mock_nested_fault(self->fd, self->dev.idev, parent, fault, &nested));
	ASSERT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &nested));
	close(self->fd);
	/* The queue's file keeps the context. */
	self->fd = mock_open();
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 1));
	close(queue);
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->mem, LENGTH, 0));
}

TEST_HARNESS_MAIN
