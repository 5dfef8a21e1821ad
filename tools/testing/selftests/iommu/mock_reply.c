// SPDX-License-Identifier: GPL-2.0
/*
 * What commands write back: how much of it, which of them nothing at all, and what becomes
 * of a command whose answer can not be written.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context_info.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "viommu.h"

#define LENGTH (4 * PAGE)
#define IOVA MOCK_IOVA
#define ROOM 128	/* more than any argument */

FIXTURE(reply) {
	int fd;
	__u32 ioas;
	struct mock_guest guest;
	char *mem;	/* at IOVA */
	void *page;	/* for arguments that can only be read */
};

FIXTURE_SETUP(reply)
{
	self->fd = mock_open();
	self->ioas = ioas_alloc(self->fd);
	self->guest = mock_guest(self->fd, self->ioas);
	self->mem = alloc_aligned(LENGTH, false);
	self->page = alloc_pages(PAGE);
	ioas_map_at(self->fd, self->ioas, self->mem, LENGTH, IOVA);
}

FIXTURE_TEARDOWN(reply)
{
	close(self->fd);
}

/* All arguments begin with their size. */
static int __read_only(const FIXTURE_DATA(reply) *self, unsigned long cmd, const void *arg)
{
	int ret;

	memcpy(self->page, arg, *(const __u32 *)arg);
	must(mprotect(self->page, PAGE, PROT_READ));
	ret = __iommufd_ioctl(self->fd, cmd, self->page);
	must(mprotect(self->page, PAGE, PROT_READ | PROT_WRITE));
	return ret;
}

/* Run a command whose argument, a structure with these fields, can only be read. */
#define READ_ONLY(cmd, type, ...) \
	__read_only(self, cmd, &(struct type){ .size = sizeof(struct type), __VA_ARGS__ })

static long chosen_ioas(int fd)
{
	__u32 ioas = 0;
	int ret = __vfio_ioas(fd, IOMMU_VFIO_IOAS_GET, &ioas);

	return ret ?: (long)ioas;
}

TEST_F(reply, nothing_from_commands_that_say_all_by_their_result)
{
	struct iommu_iova_range allowed = { MIB(64), MIB(65) - 1 };
	__u32 spare = ioas_alloc(self->fd);

	EXPECT_EQ(0, READ_ONLY(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas,
			       .ioas_id = self->ioas, .num_iovas = 1,
			       .allowed_iovas = (uintptr_t)&allowed));
	EXPECT_EQ(MIB(64), ioas_map(self->fd, self->ioas, self->mem, PAGE));
	EXPECT_EQ(0, READ_ONLY(IOMMU_VFIO_IOAS, iommu_vfio_ioas, .ioas_id = spare,
			       .op = IOMMU_VFIO_IOAS_SET));
	EXPECT_EQ(spare, chosen_ioas(self->fd));
	EXPECT_EQ(0, READ_ONLY(IOMMU_VFIO_IOAS, iommu_vfio_ioas, .op = IOMMU_VFIO_IOAS_CLEAR));
	EXPECT_EQ(-ENODEV, chosen_ioas(self->fd));
	EXPECT_EQ(0, READ_ONLY(IOMMU_DESTROY, iommu_destroy, .id = spare));
	EXPECT_EQ(-ENOENT, __destroy(self->fd, spare));
	must(__ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, READ_ONLY(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process));
}

TEST_F(reply, nothing_from_dirty_tracking_but_the_bitmap)
{
	__u64 bit = 1, marked, dirty = 0;
	__u32 hwpt;

	if (!mock_can_track(self->fd, self->guest.dev.idev))
		SKIP(return, "this kernel has no dirty tracking");
	must(__hwpt_alloc(self->fd, self->guest.dev.idev, self->ioas,
			  IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &hwpt));
	EXPECT_EQ(0, READ_ONLY(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking,
			       .hwpt_id = hwpt, .flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE));
	must(__mock_dirty(self->fd, hwpt, IOVA + PAGE, MOCK_PAGE, MOCK_PAGE, &bit, &marked));
	EXPECT_EQ(0, READ_ONLY(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap,
			       .hwpt_id = hwpt, .iova = IOVA, .length = LENGTH,
			       .page_size = PAGE, .data = (uintptr_t)&dirty));
	EXPECT_EQ(1 << 1, dirty);
}

/* What was mapped or unmapped stays so: the caller knows the range. */
TEST_F(reply, lost_of_a_map_or_unmap_undoes_nothing)
{
	int file = must(memfd_create("reply", 0));
	__u32 hwpt = self->guest.dev.hwpt;
	void *mem = self->mem;

	must(__ioas_unmap_all(self->fd, self->ioas));
	must(ftruncate(file, LENGTH));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_IOAS_MAP, iommu_ioas_map, .flags = MAP_FIXED_RW,
				     .ioas_id = self->ioas, .user_va = (uintptr_t)mem,
				     .length = LENGTH, .iova = IOVA));
	EXPECT_EQ(0, __mock_check_map(self->fd, hwpt, mem, LENGTH, IOVA));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_IOAS_COPY, iommu_ioas_copy, .flags = MAP_FIXED_RW,
				     .dst_ioas_id = self->ioas, .src_ioas_id = self->ioas,
				     .length = LENGTH, .src_iova = IOVA,
				     .dst_iova = IOVA + MIB(1)));
	EXPECT_EQ(0, __mock_check_map(self->fd, hwpt, mem, LENGTH, IOVA + MIB(1)));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_IOAS_UNMAP, iommu_ioas_unmap,
				     .ioas_id = self->ioas, .iova = IOVA, .length = LENGTH));
	EXPECT_EQ(-ENOENT, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
	EXPECT_EQ(LENGTH, __ioas_unmap_all(self->fd, self->ioas));
	EXPECT_EQ(0, __mock_check_refs(self->fd, mem, LENGTH, 0));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file,
				     .flags = MAP_FIXED_RW, .ioas_id = self->ioas, .fd = file,
				     .length = LENGTH, .iova = IOVA));
	EXPECT_EQ(LENGTH, __ioas_unmap(self->fd, self->ioas, IOVA, LENGTH));
}

/* What it asked is not answered, and nothing else happens. */
TEST_F(reply, lost_of_a_question)
{
	struct iommu_iova_range ranges[8];
	char before[1 << 12];

	vfio_ioas(self->fd, self->ioas);
	strcpy(before, context_info(self->fd));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges,
				     .ioas_id = self->ioas, .num_iovas = ARRAY_LEN(ranges),
				     .allowed_iovas = (uintptr_t)ranges));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_OPTION, iommu_option, .op = IOMMU_OPTION_OP_GET,
				     .option_id = IOMMU_OPTION_RLIMIT_MODE));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_OPTION, iommu_option, .op = IOMMU_OPTION_OP_GET,
				     .option_id = IOMMU_OPTION_HUGE_PAGES,
				     .object_id = self->ioas));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_VFIO_IOAS, iommu_vfio_ioas,
				     .op = IOMMU_VFIO_IOAS_GET));
	EXPECT_EQ(-EFAULT, READ_ONLY(IOMMU_GET_HW_INFO, iommu_hw_info,
				     .dev_id = self->guest.dev.idev));
	EXPECT_STREQ(before, context_info(self->fd));
}

static __u32 next_id(int fd)
{
	__u32 id = ioas_alloc(fd);

	must(__destroy(fd, id));
	return id;
}

static int next_file(void)
{
	int file = must(memfd_create("reply", 0));

	close(file);
	return file;
}

/* Nothing is left, also not in the way of the same command with an answer. */
static void lose_allocation(struct __test_metadata *_metadata, FIXTURE_DATA(reply) *self,
			    unsigned long cmd, const void *arg)
{
	__u32 id = next_id(self->fd);
	int file = next_file();
	char before[1 << 12];

	strcpy(before, context_info(self->fd));
	EXPECT_EQ(-EFAULT, __read_only(self, cmd, arg))
		TH_LOG("command %#lx", cmd);
	EXPECT_STREQ(before, context_info(self->fd));
	EXPECT_EQ(id, next_id(self->fd));
	EXPECT_EQ(file, next_file());
	EXPECT_EQ(0, __iommufd_ioctl(self->fd, cmd, self->page))
		TH_LOG("command %#lx", cmd);
}

#define LOSE(cmd, type, ...) \
	lose_allocation(_metadata, self, cmd, \
			&(struct type){ .size = sizeof(struct type), __VA_ARGS__ })

TEST_F(reply, lost_of_an_allocation_leaves_nothing)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct mock_guest *guest = &self->guest;
	__u32 dev = guest->dev.idev;

	LOSE(IOMMU_IOAS_ALLOC, iommu_ioas_alloc);
	LOSE(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc);
	LOSE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = dev, .pt_id = self->ioas);
	LOSE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = dev, .pt_id = guest->parent,
	     .data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = sizeof(data),
	     .data_uptr = (uintptr_t)&data);
	LOSE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = dev, .pt_id = guest->viommu,
	     .data_type = IOMMU_HWPT_DATA_SELFTEST, .data_len = sizeof(data),
	     .data_uptr = (uintptr_t)&data);
	LOSE(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, .type = IOMMU_VIOMMU_TYPE_SELFTEST,
	     .dev_id = dev, .hwpt_id = guest->parent);
	LOSE(IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, .viommu_id = guest->viommu,
	     .dev_id = dev, .virt_id = 1);
	LOSE(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, .viommu_id = guest->viommu,
	     .type = IOMMU_VEVENTQ_TYPE_SELFTEST, .veventq_depth = 4);
	LOSE(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, .viommu_id = guest->viommu,
	     .type = IOMMU_HW_QUEUE_TYPE_SELFTEST, .nesting_parent_iova = IOVA,
	     .length = PAGE);
}

/* Run a command as a program does that knows @size bytes of its argument, and check the rest. */
static int __first_version(int fd, unsigned long cmd, void *arg, __u32 size)
{
	char bytes[ROOM];
	int ret;

	memset(bytes, 0xee, ROOM);
	memcpy(bytes, arg, size);
	*(__u32 *)bytes = size;
	ret = __iommufd_ioctl(fd, cmd, bytes);
	if (!is_filled(bytes + size, ROOM - size, 0xee))
		fatal("command %#lx wrote more than %u bytes", cmd, size);
	memcpy(arg, bytes, size);
	return ret;
}

TEST_F(reply, no_more_than_the_first_version_has_to_programs_that_know_it)
{
	struct mock_guest *guest = &self->guest;
	struct iommu_hw_info info = { .dev_id = guest->dev.idev };
	struct iommu_hwpt_alloc hwpt = { .dev_id = guest->dev.idev, .pt_id = self->ioas };
	struct iommu_viommu_alloc viommu = {
		.type = IOMMU_VIOMMU_TYPE_SELFTEST,
		.dev_id = guest->dev.idev,
		.hwpt_id = guest->parent,
	};
	struct iommu_veventq_alloc veventq = {
		.type = IOMMU_VEVENTQ_TYPE_SELFTEST,
		.viommu_id = guest->viommu,
		.veventq_depth = 4,
	};

	EXPECT_EQ(0, __first_version(self->fd, IOMMU_GET_HW_INFO, &info, 32));
	EXPECT_EQ(IOMMU_HW_INFO_TYPE_SELFTEST, info.out_data_type);
	EXPECT_EQ(0, __first_version(self->fd, IOMMU_HWPT_ALLOC, &hwpt, 24));
	EXPECT_EQ(0, __destroy(self->fd, hwpt.out_hwpt_id));
	EXPECT_EQ(0, __first_version(self->fd, IOMMU_VIOMMU_ALLOC, &viommu, 24));
	EXPECT_EQ(0, __destroy(self->fd, viommu.out_viommu_id));
	EXPECT_EQ(0, __first_version(self->fd, IOMMU_VEVENTQ_ALLOC, &veventq, 28));
	EXPECT_EQ(0, close(veventq.out_veventq_fd));
	EXPECT_EQ(0, __destroy(self->fd, veventq.out_veventq_id));
}

TEST_HARNESS_MAIN
