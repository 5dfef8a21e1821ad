// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of which user space has the entries: making and invalidating them. And
 * what the IOMMU says about itself, which is where user space learns that it has such.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"

#define NOBODY 0x7ffffff
#define ENTRIES MOCK_NESTED_DOMAIN_IOTLB_NUM
#define FULL IOMMU_TEST_IOTLB_DEFAULT
#define REQUEST sizeof(struct iommu_hwpt_invalidate_selftest)
#define ALL IOMMU_TEST_INVALIDATE_FLAG_ALL

FIXTURE(nested) {
	int fd;
	__u32 ioas;
	struct mock_device dev;
	__u32 parent;
	__u32 nested;
};

FIXTURE_SETUP(nested)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->dev = mock_device(self->fd, self->ioas);
	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &self->parent));
	must(__mock_nested(self->fd, self->dev.idev, self->parent, &self->nested));
}

FIXTURE_TEARDOWN(nested)
{
	close(self->fd);
}

static int __alloc(const FIXTURE_DATA(nested) *self, struct iommu_hwpt_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	cmd->dev_id = self->dev.idev;
	cmd->pt_id = cmd->pt_id ?: self->parent;
	return __iommufd_ioctl(self->fd, IOMMU_HWPT_ALLOC, cmd);
}

#define ALLOC(...) __alloc(self, &(struct iommu_hwpt_alloc){ __VA_ARGS__ })
#define DATA(n) .data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = (n), \
		.data_uptr = (uintptr_t)data

/* Do the entries hold these values? */
static bool holds(const FIXTURE_DATA(nested) *self, __u32 a, __u32 b, __u32 c, __u32 d)
{
	const __u32 values[ENTRIES] = { a, b, c, d };
	int i;

	for (i = 0; i < ENTRIES; i++)
		if (__mock_check_iotlb(self->fd, self->nested, i, values[i]))
			return false;
	return true;
}

static struct iommu_hwpt_invalidate invalidate(const FIXTURE_DATA(nested) *self, __u32 n,
					       const void *requests)
{
	return (struct iommu_hwpt_invalidate){
		.size = sizeof(struct iommu_hwpt_invalidate),
		.hwpt_id = self->nested,
		.data_uptr = (uintptr_t)requests,
		.data_type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
		.entry_len = REQUEST,
		.entry_num = n,
	};
}

/* What the command returns, and in @done how far it says it came. */
static int __invalidate(const FIXTURE_DATA(nested) *self, struct iommu_hwpt_invalidate cmd,
			__u32 *done)
{
	int ret = __iommufd_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, &cmd);

	*done = cmd.entry_num;
	return ret;
}

TEST_F(nested, data_of_the_driver)
{
	struct iommu_hwpt_selftest data[2] = { { .iotlb = 0x1234 } };
	struct iommu_hwpt_alloc cmd = { DATA(sizeof(data[0])) };
	int i;

	ASSERT_EQ(0, __alloc(self, &cmd));
	for (i = 0; i < ENTRIES; i++)
		EXPECT_EQ(0, __mock_check_iotlb(self->fd, cmd.out_hwpt_id, i, 0x1234));
	/* The first version of the data, and lengths that no version has */
	EXPECT_EQ(0, ALLOC(DATA(sizeof(__u32))));
	EXPECT_EQ(-EINVAL, ALLOC(DATA(sizeof(__u32) - 1)));
	EXPECT_EQ(-EINVAL, ALLOC(DATA(sizeof(data[0]) + 1)));
	EXPECT_EQ(-EINVAL, ALLOC(DATA(-1U)));
	EXPECT_EQ(-EFAULT, ALLOC(.data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = 4));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(.data_type = IOMMU_HWPT_DATA_VTD_S1, .data_len = 24,
				     .data_uptr = (uintptr_t)data));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC());
}

TEST_F(nested, flags)
{
	struct iommu_hwpt_selftest data[1] = { };

	EXPECT_EQ(-EOPNOTSUPP, ALLOC(DATA(4), .flags = IOMMU_HWPT_ALLOC_NEST_PARENT));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(DATA(4), .flags = IOMMU_HWPT_ALLOC_DIRTY_TRACKING));
	EXPECT_EQ(-EOPNOTSUPP, ALLOC(DATA(4), .flags = 1u << 31));
	EXPECT_EQ(-ENOENT, ALLOC(DATA(4), .flags = IOMMU_HWPT_FAULT_ID_VALID,
				 .fault_id = self->ioas));
	EXPECT_EQ(-ENOENT, ALLOC(DATA(4), .flags = IOMMU_HWPT_FAULT_ID_VALID));
	/* What was refused does not keep the parent. */
	ASSERT_EQ(0, __destroy(self->fd, self->nested));
	EXPECT_EQ(0, __destroy(self->fd, self->parent));
}

TEST_F(nested, parents)
{
	__u32 plain, id;

	must(__hwpt_alloc(self->fd, self->dev.idev, self->ioas, 0, &plain));
	EXPECT_EQ(-EINVAL, __mock_nested(self->fd, self->dev.idev, plain, &id));
	EXPECT_EQ(-EINVAL, __mock_nested(self->fd, self->dev.idev, self->dev.hwpt, &id));
	EXPECT_EQ(-EINVAL, __mock_nested(self->fd, self->dev.idev, self->nested, &id));
	EXPECT_EQ(-EINVAL, __mock_nested(self->fd, self->dev.idev, self->dev.idev, &id));
	EXPECT_EQ(-EINVAL, __mock_nested(self->fd, self->dev.idev, NOBODY, &id));
	EXPECT_EQ(-ENOENT, __mock_nested(self->fd, self->parent, self->parent, &id));
	EXPECT_EQ(0, __destroy(self->fd, plain));
}

TEST_F(nested, attach)
{
	__u32 pt = self->nested, other, ioas = ioas_alloc(self->fd);
	struct mock_device dev;

	must(__mock_nested(self->fd, self->dev.idev, self->parent, &other));
	ASSERT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &pt));
	EXPECT_EQ(self->nested, pt);
	dev = mock_device(self->fd, self->nested);
	EXPECT_EQ(self->nested, dev.hwpt);
	/* To its sibling, its parent, back, and to a table of another IOAS */
	pt = other;
	EXPECT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &pt));
	pt = self->parent;
	EXPECT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &pt));
	pt = self->nested;
	EXPECT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &pt));
	pt = ioas;
	EXPECT_EQ(0, __mock_replace(self->fd, self->dev.stdev, &pt));
	EXPECT_EQ(-EBUSY, __destroy(self->fd, self->nested));
	EXPECT_EQ(0, __destroy(self->fd, dev.stdev));
	EXPECT_EQ(0, __destroy(self->fd, self->nested));
	EXPECT_EQ(0, __destroy(self->fd, other));
	EXPECT_EQ(0, __destroy(self->fd, self->parent));
}

TEST_F(nested, only_paging_ones_have_what_an_ioas_needs)
{
	struct iommu_hwpt_set_dirty_tracking cmd = {
		.size = sizeof(cmd), .hwpt_id = self->nested,
	};

	/* Without dirty tracking nobody looks for it. */
	EXPECT_EQ(mock_can_track(self->fd, self->dev.idev) ? -ENOENT : -EOPNOTSUPP,
		  __iommufd_ioctl(self->fd, IOMMU_HWPT_SET_DIRTY_TRACKING, &cmd));
	EXPECT_EQ(-ENOENT, __mock_access(self->fd, self->nested, 0));
}

TEST_F(nested, invalidate)
{
	const struct iommu_hwpt_invalidate_selftest one[] = { { .iotlb_id = 1 } };
	const struct iommu_hwpt_invalidate_selftest two[] = {
		{ .iotlb_id = 3 }, { .iotlb_id = 0 },
	};
	const struct iommu_hwpt_invalidate_selftest all[] = {
		{ .iotlb_id = 2, .flags = ALL },
	};
	__u32 done;

	EXPECT_TRUE(holds(self, FULL, FULL, FULL, FULL));
	EXPECT_EQ(0, __invalidate(self, invalidate(self, 1, one), &done));
	EXPECT_EQ(1, done);
	EXPECT_TRUE(holds(self, FULL, 0, FULL, FULL));
	EXPECT_EQ(0, __invalidate(self, invalidate(self, 2, two), &done));
	EXPECT_EQ(2, done);
	EXPECT_TRUE(holds(self, 0, 0, FULL, 0));
	EXPECT_EQ(0, __invalidate(self, invalidate(self, 1, all), &done));
	EXPECT_EQ(1, done);
	EXPECT_TRUE(holds(self, 0, 0, 0, 0));
}

TEST_F(nested, invalidate_nothing)
{
	struct iommu_hwpt_invalidate cmd = invalidate(self, 0, NULL);
	__u32 done = 7;

	/* That is how to ask for what is there. */
	EXPECT_EQ(0, __invalidate(self, cmd, &done));
	EXPECT_EQ(0, done);
	cmd.data_type = IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID;
	EXPECT_EQ(-EINVAL, __invalidate(self, cmd, &done));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(holds(self, FULL, FULL, FULL, FULL));
}

TEST_F(nested, invalidate_stops_at_the_first_bad_request)
{
	const struct iommu_hwpt_invalidate_selftest bad_id[] = {
		{ .iotlb_id = 0 }, { .iotlb_id = ENTRIES }, { .iotlb_id = 1 },
	};
	const struct iommu_hwpt_invalidate_selftest bad_flag[] = {
		{ .iotlb_id = 1 }, { .iotlb_id = 2 }, { .flags = ALL << 1 }, { .iotlb_id = 3 },
	};
	__u32 done;

	EXPECT_EQ(-EINVAL, __invalidate(self, invalidate(self, 3, bad_id), &done));
	EXPECT_EQ(1, done);
	EXPECT_TRUE(holds(self, 0, FULL, FULL, FULL));
	EXPECT_EQ(-EOPNOTSUPP, __invalidate(self, invalidate(self, 4, bad_flag), &done));
	EXPECT_EQ(2, done);
	EXPECT_TRUE(holds(self, 0, 0, 0, FULL));
}

TEST_F(nested, invalidate_up_to_memory_that_is_not_there)
{
	char *page = alloc_pages(2 * PAGE);
	struct iommu_hwpt_invalidate_selftest *last = (void *)(page + PAGE - REQUEST);
	__u32 done;

	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	last->iotlb_id = 2;
	EXPECT_EQ(-EFAULT, __invalidate(self, invalidate(self, 3, last), &done));
	EXPECT_EQ(1, done);
	EXPECT_TRUE(holds(self, FULL, FULL, 0, FULL));
}

TEST_F(nested, requests_of_another_length)
{
	__u32 requests[2][4] = { }, done;
	struct iommu_hwpt_invalidate cmd = invalidate(self, 2, requests);

	/* Neither of a version that is to come, be it zero all over, nor too short */
	cmd.entry_len = sizeof(requests[0]);
	EXPECT_EQ(-EINVAL, __invalidate(self, cmd, &done));
	EXPECT_EQ(0, done);
	cmd.entry_len = REQUEST - 1;
	EXPECT_EQ(-EINVAL, __invalidate(self, cmd, &done));
	EXPECT_EQ(0, done);
	EXPECT_TRUE(holds(self, FULL, FULL, FULL, FULL));
}

TEST_F(nested, bad_invalidations)
{
	static const struct iommu_hwpt_invalidate_selftest requests[2];
	struct iommu_hwpt_invalidate cmd;
	__u32 done;

#define BAD(want, field, value)                                         \
	do {                                                            \
		cmd = invalidate(self, 2, requests);                    \
		cmd.field = value;                                      \
		EXPECT_EQ(want, __invalidate(self, cmd, &done));        \
		EXPECT_EQ(0, done);                                     \
	} while (0)
	BAD(-EOPNOTSUPP, __reserved, 1);
	BAD(-EINVAL, data_uptr, 0);
	BAD(-EINVAL, entry_len, 0);
	BAD(-EINVAL, entry_len, PAGE + 1);
	BAD(-EINVAL, entry_num, (1 << 19) + 1);
	BAD(-EINVAL, data_type, IOMMU_HWPT_INVALIDATE_DATA_SELFTEST_INVALID);
	BAD(-EINVAL, data_type, IOMMU_HWPT_INVALIDATE_DATA_VTD_S1);
	BAD(-ENOENT, hwpt_id, 0);
	BAD(-ENOENT, hwpt_id, NOBODY);
	BAD(-EINVAL, hwpt_id, self->parent);
	BAD(-EINVAL, hwpt_id, self->ioas);
	BAD(-EINVAL, hwpt_id, self->dev.idev);
#undef BAD
	EXPECT_TRUE(holds(self, FULL, FULL, FULL, FULL));
}

TEST_F(nested, number_that_can_not_be_written_back)
{
	static const struct iommu_hwpt_invalidate_selftest requests[1];
	struct iommu_hwpt_invalidate *cmd = alloc_pages(PAGE);

	*cmd = invalidate(self, 1, requests);
	ASSERT_EQ(0, mprotect(cmd, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, __iommufd_ioctl(self->fd, IOMMU_HWPT_INVALIDATE, cmd));
	/* It has happened all the same. */
	EXPECT_TRUE(holds(self, 0, FULL, FULL, FULL));
}

/* What the IOMMU is, read into buffers that are too short, right, and too long. */
TEST_F(nested, hw_info_of_every_length)
{
	struct iommu_test_hw_info info = { .test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL };
	struct iommu_hw_info out;
	unsigned char buffer[64];
	size_t length, i;

	for (length = 0; length < 32; length++) {
		memset(buffer, 0xaa, sizeof(buffer));
		ASSERT_EQ(0, __hw_info(self->fd, self->dev.idev, buffer, length, &out));
		ASSERT_EQ(sizeof(info), out.data_len);
		ASSERT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, out.out_data_type);
		for (i = 0; i < sizeof(buffer); i++)
			ASSERT_EQ(i >= length ? 0xaa : i >= sizeof(info) ? 0 :
				  ((unsigned char *)&info)[i], buffer[i]);
	}
}

TEST_F(nested, hw_info_arguments)
{
	struct iommu_hw_info cmd, out;
	char *page = alloc_pages(2 * PAGE);

#define INFO(want, ...)                                                              \
	do {                                                                         \
		cmd = (struct iommu_hw_info){ .size = sizeof(cmd), __VA_ARGS__ };    \
		cmd.dev_id = cmd.dev_id ?: self->dev.idev;                           \
		EXPECT_EQ(want, __iommufd_ioctl(self->fd, IOMMU_GET_HW_INFO, &cmd));  \
	} while (0)
	INFO(0, .flags = 0);
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, cmd.out_data_type);
	INFO(0, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE);
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, cmd.out_data_type);
	INFO(0, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
	     .in_data_type = IOMMU_HW_INFO_TYPE_SELFTEST);
	INFO(-EOPNOTSUPP, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
	     .in_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD);
	/* Without the flag it is no input. */
	INFO(0, .in_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD);
	INFO(-EOPNOTSUPP, .flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE << 1);
	INFO(-EOPNOTSUPP, .__reserved = { 0, 0, 1 });
	INFO(-ENOENT, .dev_id = self->ioas);
	INFO(-ENOENT, .dev_id = NOBODY);
#undef INFO
	/* All of the buffer has to be there, also what is only zeroed. */
	ASSERT_EQ(0, munmap(page + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, __hw_info(self->fd, self->dev.idev, NULL, 1, &out));
	EXPECT_EQ(-EFAULT, __hw_info(self->fd, self->dev.idev, page + PAGE - 4, 8, &out));
	EXPECT_EQ(-EFAULT, __hw_info(self->fd, self->dev.idev, page + PAGE - 8, 16, &out));
	EXPECT_EQ(0, __hw_info(self->fd, self->dev.idev, page + PAGE - 8, 8, &out));
}

TEST_F(nested, hw_info_of_the_pasids)
{
	struct mock_device dev;
	struct iommu_hw_info out;

	must(__hw_info(self->fd, self->dev.idev, NULL, 0, &out));
	EXPECT_EQ(0, out.out_max_pasid_log2);
	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_PASID, &dev));
	must(__hw_info(self->fd, dev.idev, NULL, 0, &out));
	EXPECT_EQ(MOCK_PASID_WIDTH, out.out_max_pasid_log2);
	must(__mock_device(self->fd, self->ioas, MOCK_FLAGS_DEVICE_NO_DIRTY, &dev));
	must(__hw_info(self->fd, dev.idev, NULL, 0, &out));
	EXPECT_EQ(0, out.out_capabilities);
}

TEST_HARNESS_MAIN
