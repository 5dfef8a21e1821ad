// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl with everything wrong that can be wrong: the errno is the documented one,
 * and nothing has changed afterwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vfio.h"

#define IOVA 0x100000ULL
#define MSI_WINDOW 0xfee00000ULL
#define NOBODY 0x7fffffff

/*
 * What all commands have in common: where which field is, in bytes. No field but the size
 * is at 0, so that stands for "has none".
 */
static const struct command {
	const char *name;
	unsigned long nr;
	unsigned int size;
	unsigned int last, last_size; /* the last field of the first version */
	unsigned int flags, known_flags;
	unsigned int reserved, reserved_len;
	unsigned int id; /* of an object that has to exist */
} commands[] = {
	{
		.name = "DESTROY", .nr = IOMMU_DESTROY,
		.size = sizeof(struct iommu_destroy),
		.last = offsetof(struct iommu_destroy, id),
		.last_size = sizeof(((struct iommu_destroy *)0)->id),
		.id = offsetof(struct iommu_destroy, id),
	},
	{
		.name = "IOAS_ALLOC", .nr = IOMMU_IOAS_ALLOC,
		.size = sizeof(struct iommu_ioas_alloc),
		.last = offsetof(struct iommu_ioas_alloc, out_ioas_id),
		.last_size = sizeof(((struct iommu_ioas_alloc *)0)->out_ioas_id),
		.flags = offsetof(struct iommu_ioas_alloc, flags), .known_flags = 0,
	},
	{
		.name = "IOAS_IOVA_RANGES", .nr = IOMMU_IOAS_IOVA_RANGES,
		.size = sizeof(struct iommu_ioas_iova_ranges),
		.last = offsetof(struct iommu_ioas_iova_ranges, out_iova_alignment),
		.last_size = sizeof(((struct iommu_ioas_iova_ranges *)0)->out_iova_alignment),
		.reserved = offsetof(struct iommu_ioas_iova_ranges, __reserved),
		.reserved_len = sizeof(((struct iommu_ioas_iova_ranges *)0)->__reserved),
		.id = offsetof(struct iommu_ioas_iova_ranges, ioas_id),
	},
	{
		.name = "IOAS_ALLOW_IOVAS", .nr = IOMMU_IOAS_ALLOW_IOVAS,
		.size = sizeof(struct iommu_ioas_allow_iovas),
		.last = offsetof(struct iommu_ioas_allow_iovas, allowed_iovas),
		.last_size = sizeof(((struct iommu_ioas_allow_iovas *)0)->allowed_iovas),
		.reserved = offsetof(struct iommu_ioas_allow_iovas, __reserved),
		.reserved_len = sizeof(((struct iommu_ioas_allow_iovas *)0)->__reserved),
		.id = offsetof(struct iommu_ioas_allow_iovas, ioas_id),
	},
	{
		.name = "IOAS_MAP", .nr = IOMMU_IOAS_MAP,
		.size = sizeof(struct iommu_ioas_map),
		.last = offsetof(struct iommu_ioas_map, iova),
		.last_size = sizeof(((struct iommu_ioas_map *)0)->iova),
		.flags = offsetof(struct iommu_ioas_map, flags), .known_flags = 7,
		.reserved = offsetof(struct iommu_ioas_map, __reserved),
		.reserved_len = sizeof(((struct iommu_ioas_map *)0)->__reserved),
		.id = offsetof(struct iommu_ioas_map, ioas_id),
	},
	{
		.name = "IOAS_MAP_FILE", .nr = IOMMU_IOAS_MAP_FILE,
		.size = sizeof(struct iommu_ioas_map_file),
		.last = offsetof(struct iommu_ioas_map_file, iova),
		.last_size = sizeof(((struct iommu_ioas_map_file *)0)->iova),
		.flags = offsetof(struct iommu_ioas_map_file, flags), .known_flags = 7,
		.id = offsetof(struct iommu_ioas_map_file, ioas_id),
	},
	{
		.name = "IOAS_CHANGE_PROCESS", .nr = IOMMU_IOAS_CHANGE_PROCESS,
		.size = sizeof(struct iommu_ioas_change_process),
		.last = offsetof(struct iommu_ioas_change_process, __reserved),
		.last_size = sizeof(((struct iommu_ioas_change_process *)0)->__reserved),
		.reserved = offsetof(struct iommu_ioas_change_process, __reserved),
		.reserved_len = sizeof(((struct iommu_ioas_change_process *)0)->__reserved),
	},
	{
		.name = "IOAS_COPY", .nr = IOMMU_IOAS_COPY,
		.size = sizeof(struct iommu_ioas_copy),
		.last = offsetof(struct iommu_ioas_copy, src_iova),
		.last_size = sizeof(((struct iommu_ioas_copy *)0)->src_iova),
		.flags = offsetof(struct iommu_ioas_copy, flags), .known_flags = 7,
		.id = offsetof(struct iommu_ioas_copy, dst_ioas_id),
	},
	{
		.name = "IOAS_UNMAP", .nr = IOMMU_IOAS_UNMAP,
		.size = sizeof(struct iommu_ioas_unmap),
		.last = offsetof(struct iommu_ioas_unmap, length),
		.last_size = sizeof(((struct iommu_ioas_unmap *)0)->length),
		.id = offsetof(struct iommu_ioas_unmap, ioas_id),
	},
	{
		.name = "OPTION", .nr = IOMMU_OPTION,
		.size = sizeof(struct iommu_option),
		.last = offsetof(struct iommu_option, val64),
		.last_size = sizeof(((struct iommu_option *)0)->val64),
		.reserved = offsetof(struct iommu_option, __reserved),
		.reserved_len = sizeof(((struct iommu_option *)0)->__reserved),
		.id = offsetof(struct iommu_option, object_id),
	},
	{
		.name = "VFIO_IOAS", .nr = IOMMU_VFIO_IOAS,
		.size = sizeof(struct iommu_vfio_ioas),
		.last = offsetof(struct iommu_vfio_ioas, __reserved),
		.last_size = sizeof(((struct iommu_vfio_ioas *)0)->__reserved),
		.reserved = offsetof(struct iommu_vfio_ioas, __reserved),
		.reserved_len = sizeof(((struct iommu_vfio_ioas *)0)->__reserved),
		.id = offsetof(struct iommu_vfio_ioas, ioas_id),
	},
	{
		.name = "HWPT_ALLOC", .nr = IOMMU_HWPT_ALLOC,
		.size = sizeof(struct iommu_hwpt_alloc),
		.last = offsetof(struct iommu_hwpt_alloc, __reserved),
		.last_size = sizeof(((struct iommu_hwpt_alloc *)0)->__reserved),
		.reserved = offsetof(struct iommu_hwpt_alloc, __reserved),
		.reserved_len = sizeof(((struct iommu_hwpt_alloc *)0)->__reserved),
		.id = offsetof(struct iommu_hwpt_alloc, dev_id),
	},
	{
		.name = "GET_HW_INFO", .nr = IOMMU_GET_HW_INFO,
		.size = sizeof(struct iommu_hw_info),
		.last = offsetof(struct iommu_hw_info, __reserved),
		.last_size = sizeof(((struct iommu_hw_info *)0)->__reserved),
		.flags = offsetof(struct iommu_hw_info, flags), .known_flags = 1,
		.reserved = offsetof(struct iommu_hw_info, __reserved),
		.reserved_len = sizeof(((struct iommu_hw_info *)0)->__reserved),
		.id = offsetof(struct iommu_hw_info, dev_id),
	},
	{
		.name = "HWPT_SET_DIRTY_TRACKING", .nr = IOMMU_HWPT_SET_DIRTY_TRACKING,
		.size = sizeof(struct iommu_hwpt_set_dirty_tracking),
		.last = offsetof(struct iommu_hwpt_set_dirty_tracking, __reserved),
		.last_size = sizeof(((struct iommu_hwpt_set_dirty_tracking *)0)->__reserved),
		.flags = offsetof(struct iommu_hwpt_set_dirty_tracking, flags), .known_flags = 1,
		.reserved = offsetof(struct iommu_hwpt_set_dirty_tracking, __reserved),
		.reserved_len = sizeof(((struct iommu_hwpt_set_dirty_tracking *)0)->__reserved),
		.id = offsetof(struct iommu_hwpt_set_dirty_tracking, hwpt_id),
	},
	{
		.name = "HWPT_GET_DIRTY_BITMAP", .nr = IOMMU_HWPT_GET_DIRTY_BITMAP,
		.size = sizeof(struct iommu_hwpt_get_dirty_bitmap),
		.last = offsetof(struct iommu_hwpt_get_dirty_bitmap, data),
		.last_size = sizeof(((struct iommu_hwpt_get_dirty_bitmap *)0)->data),
		.flags = offsetof(struct iommu_hwpt_get_dirty_bitmap, flags), .known_flags = 1,
		.reserved = offsetof(struct iommu_hwpt_get_dirty_bitmap, __reserved),
		.reserved_len = sizeof(((struct iommu_hwpt_get_dirty_bitmap *)0)->__reserved),
		.id = offsetof(struct iommu_hwpt_get_dirty_bitmap, hwpt_id),
	},
	{
		.name = "HWPT_INVALIDATE", .nr = IOMMU_HWPT_INVALIDATE,
		.size = sizeof(struct iommu_hwpt_invalidate),
		.last = offsetof(struct iommu_hwpt_invalidate, __reserved),
		.last_size = sizeof(((struct iommu_hwpt_invalidate *)0)->__reserved),
		.reserved = offsetof(struct iommu_hwpt_invalidate, __reserved),
		.reserved_len = sizeof(((struct iommu_hwpt_invalidate *)0)->__reserved),
		.id = offsetof(struct iommu_hwpt_invalidate, hwpt_id),
	},
	{
		.name = "FAULT_QUEUE_ALLOC", .nr = IOMMU_FAULT_QUEUE_ALLOC,
		.size = sizeof(struct iommu_fault_alloc),
		.last = offsetof(struct iommu_fault_alloc, out_fault_fd),
		.last_size = sizeof(((struct iommu_fault_alloc *)0)->out_fault_fd),
		.flags = offsetof(struct iommu_fault_alloc, flags), .known_flags = 0,
	},
	{
		.name = "VIOMMU_ALLOC", .nr = IOMMU_VIOMMU_ALLOC,
		.size = sizeof(struct iommu_viommu_alloc),
		.last = offsetof(struct iommu_viommu_alloc, out_viommu_id),
		.last_size = sizeof(((struct iommu_viommu_alloc *)0)->out_viommu_id),
		.flags = offsetof(struct iommu_viommu_alloc, flags), .known_flags = 0,
		.reserved = offsetof(struct iommu_viommu_alloc, __reserved),
		.reserved_len = sizeof(((struct iommu_viommu_alloc *)0)->__reserved),
	},
	{
		.name = "VDEVICE_ALLOC", .nr = IOMMU_VDEVICE_ALLOC,
		.size = sizeof(struct iommu_vdevice_alloc),
		.last = offsetof(struct iommu_vdevice_alloc, virt_id),
		.last_size = sizeof(((struct iommu_vdevice_alloc *)0)->virt_id),
		.id = offsetof(struct iommu_vdevice_alloc, viommu_id),
	},
	{
		.name = "HW_QUEUE_ALLOC", .nr = IOMMU_HW_QUEUE_ALLOC,
		.size = sizeof(struct iommu_hw_queue_alloc),
		.last = offsetof(struct iommu_hw_queue_alloc, length),
		.last_size = sizeof(((struct iommu_hw_queue_alloc *)0)->length),
		.flags = offsetof(struct iommu_hw_queue_alloc, flags), .known_flags = 0,
	},
	{
		.name = "VEVENTQ_ALLOC", .nr = IOMMU_VEVENTQ_ALLOC,
		.size = sizeof(struct iommu_veventq_alloc),
		.last = offsetof(struct iommu_veventq_alloc, out_veventq_fd),
		.last_size = sizeof(((struct iommu_veventq_alloc *)0)->out_veventq_fd),
		.flags = offsetof(struct iommu_veventq_alloc, flags), .known_flags = 0,
		.reserved = offsetof(struct iommu_veventq_alloc, __reserved),
		.reserved_len = sizeof(((struct iommu_veventq_alloc *)0)->__reserved),
	},
};

#define for_each_command(c) for (c = commands; c < commands + ARRAY_LEN(commands); c++)

/* All that an ioctl could have changed and that can be seen from outside */
struct picture {
	char objects[4096];
	struct ranges ranges, other_ranges;
	long charged;
};

FIXTURE(bad_input)
{
	int iommufd;
	/* The first has a mapping of 4 pages at IOVA, the second is empty. */
	__u32 ioas, other;
	struct vdev dev;
	__u32 pt;
	char *memory;
	struct picture before;
};

static void take_picture(const FIXTURE_DATA(bad_input) *self, struct picture *picture)
{
	char path[64];

	memset(picture, 0, sizeof(*picture));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->iommufd);
	must(__read_text(path, picture->objects, sizeof(picture->objects)));
	must(__ioas_ranges(self->iommufd, self->ioas, &picture->ranges));
	must(__ioas_ranges(self->iommufd, self->other, &picture->other_ranges));
	picture->charged = proc_status_kb(getpid(), "VmPin");
}

FIXTURE_SETUP(bad_input)
{
	struct pci_list edu;

	self->dev.fd = -1;
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	self->other = ioas_alloc(self->iommufd);
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
	self->pt = vdev_attach(&self->dev, self->ioas);
	self->memory = alloc_pages(4 * PAGE);
	ioas_map_at(self->iommufd, self->ioas, self->memory, 4 * PAGE, IOVA);
	take_picture(self, &self->before);
}

FIXTURE_TEARDOWN(bad_input)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

static bool unchanged(const FIXTURE_DATA(bad_input) *self)
{
	struct picture now;

	take_picture(self, &now);
	return !strcmp(now.objects, self->before.objects) &&
	       ranges_equal(&now.ranges, &self->before.ranges) &&
	       ranges_equal(&now.other_ranges, &self->before.other_ranges) &&
	       now.charged == self->before.charged;
}

static int call(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) ? -errno : 0;
}

/* One bad call; what is wrong with it is told when it fails. */
#define EXPECT_ERRNO(want, nr, arg, what, ...)                                    \
	do {                                                                      \
		int __got = call(self->iommufd, nr, arg);                         \
										  \
		EXPECT_EQ(want, __got)                                            \
			TH_LOG(what ": %s, not %s", ##__VA_ARGS__,                \
			       errno_name(-__got), errno_name(-(want)));          \
	} while (0)

#define EXPECT_UNCHANGED(what, ...)                                               \
	do {                                                                      \
		EXPECT_TRUE(unchanged(self)) TH_LOG(what ": something changed",   \
						    ##__VA_ARGS__);               \
	} while (0)

#define EXPECT_REFUSED(want, nr, arg, what, ...)                                  \
	do {                                                                      \
		EXPECT_ERRNO(want, nr, arg, what, ##__VA_ARGS__);                 \
		EXPECT_UNCHANGED(what, ##__VA_ARGS__);                            \
	} while (0)

/* A struct as a table row: the fields that are named, all others zero. */
#define BAD(want, nr, type, ...)                                                  \
	do {                                                                      \
		struct type __arg = { .size = sizeof(__arg), __VA_ARGS__ };       \
										  \
		EXPECT_REFUSED(want, nr, &__arg, #nr " " #__VA_ARGS__);           \
	} while (0)

union argument {
	__u32 size;
	char bytes[2 * PAGE];
};

/* Unknown id, so that a call that is let through fails with something recognisable */
static union argument *fresh(const struct command *c)
{
	static union argument arg;

	memset(&arg, 0, sizeof(arg));
	arg.size = c->size;
	if (c->id)
		*(__u32 *)(arg.bytes + c->id) = NOBODY;
	return &arg;
}

TEST_F(bad_input, size)
{
	const struct command *c;

	for_each_command(c) {
		union argument *arg = fresh(c);
		unsigned int size;

		for (size = 0; size < c->last + c->last_size; size++) {
			arg->size = size;
			EXPECT_ERRNO(-EINVAL, c->nr, arg, "%s size %u", c->name, size);
		}
		EXPECT_UNCHANGED("%s too short", c->name);
		arg->size = c->size + 8;
		arg->bytes[c->size + 7] = 1;
		EXPECT_REFUSED(-E2BIG, c->nr, arg, "%s non-zero tail", c->name);
		arg->size = PAGE;
		arg->bytes[c->size + 7] = 0;
		arg->bytes[PAGE - 1] = 1;
		EXPECT_REFUSED(-E2BIG, c->nr, arg, "%s non-zero byte at 4095", c->name);
		arg->size = UINT_MAX;
		EXPECT_REFUSED(-E2BIG, c->nr, arg, "%s 4 GiB", c->name);
	}
}

static const struct command *command(unsigned long nr)
{
	const struct command *c;

	for_each_command(c)
		if (c->nr == nr)
			return c;
	fatal("no such command");
}

/* Programs built against a newer header give more bytes, all zero. */
TEST_F(bad_input, zero_tail_and_first_version_are_fine)
{
	const struct command *c = command(IOMMU_DESTROY);
	union argument *arg = fresh(c);

	arg->size = c->size + 64;
	EXPECT_REFUSED(-ENOENT, c->nr, arg, "DESTROY with a zero tail");
	c = command(IOMMU_GET_HW_INFO);
	arg = fresh(c);
	arg->size = c->last + c->last_size;
	EXPECT_REFUSED(-ENOENT, c->nr, arg, "GET_HW_INFO of the first version");
	c = command(IOMMU_HWPT_ALLOC);
	arg = fresh(c);
	arg->size = c->last + c->last_size;
	EXPECT_REFUSED(-ENOENT, c->nr, arg, "HWPT_ALLOC of the first version");
}

TEST_F(bad_input, pointer)
{
	char *page = alloc_pages(2 * PAGE);
	const struct command *c;

	ASSERT_EQ(0, mprotect(page + PAGE, PAGE, PROT_NONE));
	for_each_command(c) {
		EXPECT_REFUSED(-EFAULT, c->nr, NULL, "%s null", c->name);
		EXPECT_REFUSED(-EFAULT, c->nr, (void *)-64L, "%s kernel address", c->name);
		EXPECT_REFUSED(-EFAULT, c->nr, page + PAGE, "%s no access", c->name);
		*(__u32 *)(page + PAGE - 4) = c->size;
		EXPECT_REFUSED(-EFAULT, c->nr, page + PAGE - 4, "%s cut off", c->name);
	}
}

static bool has_mock_iommu(void)
{
	return !access("/sys/class/iommu/iommufd_mock_iommu", F_OK);
}

static bool is_of_container(unsigned int nr)
{
	switch (_IO(';', nr)) {
	case VFIO_GET_API_VERSION:
	case VFIO_CHECK_EXTENSION:
	case VFIO_SET_IOMMU:
	case VFIO_IOMMU_GET_INFO:
	case VFIO_IOMMU_MAP_DMA:
	case VFIO_IOMMU_UNMAP_DMA:
	case VFIO_IOMMU_DIRTY_PAGES:
		return true;
	default:
		return false;
	}
}

TEST_F(bad_input, command_word)
{
	const struct command *c;
	unsigned int nr;

	for_each_command(c) {
		unsigned int bare = _IOC_NR(c->nr);

		EXPECT_REFUSED(-ENOTTY, _IOR(';', bare, int), fresh(c), "%s _IOR", c->name);
		EXPECT_REFUSED(-ENOTTY, _IOW(';', bare, int), fresh(c), "%s _IOW", c->name);
		EXPECT_REFUSED(-ENOTTY, _IO('<', bare), fresh(c), "%s type", c->name);
		/* The size is read before the word is looked at. */
		EXPECT_REFUSED(-EFAULT, _IOR(';', bare, int), NULL, "%s _IOR null", c->name);
		EXPECT_REFUSED(-EFAULT, _IO('<', bare), NULL, "%s type, null", c->name);
	}
	for (nr = 0; nr < 256; nr++) {
		union argument *arg = fresh(commands);

		/* Ours, and those of a VFIO container */
		if (nr >= 0x80 && nr <= 0x95)
			continue;
		if (is_of_container(nr))
			continue;
		if (nr == 0xa0 && has_mock_iommu())
			continue;
		EXPECT_REFUSED(-ENOTTY, _IO(';', nr), arg, "command %#x", nr);
	}
}

TEST_F(bad_input, flags)
{
	const struct command *c;
	int bit;

	for_each_command(c) {
		for (bit = 0; c->flags && bit < 32; bit++) {
			union argument *arg = fresh(c);

			if (c->known_flags & 1u << bit)
				continue;
			*(__u32 *)(arg->bytes + c->flags) = 1u << bit;
			EXPECT_ERRNO(-EOPNOTSUPP, c->nr, arg, "%s flag %d", c->name, bit);
		}
		EXPECT_UNCHANGED("%s flags", c->name);
	}
}

TEST_F(bad_input, reserved)
{
	const struct command *c;
	unsigned int i;

	for_each_command(c) {
		for (i = 0; i < c->reserved_len; i++) {
			union argument *arg = fresh(c);

			arg->bytes[c->reserved + i] = 0x80;
			EXPECT_ERRNO(-EOPNOTSUPP, c->nr, arg, "%s reserved byte %u",
				     c->name, i);
		}
		EXPECT_UNCHANGED("%s reserved", c->name);
	}
}

TEST_F(bad_input, unknown_id)
{
	static const __u32 ids[] = { 0, NOBODY, 0x80000000, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		__u32 id = ids[i];

		BAD(-ENOENT, IOMMU_DESTROY, iommu_destroy, .id = id);
		BAD(-ENOENT, IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, .ioas_id = id);
		BAD(-ENOENT, IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, .ioas_id = id);
		BAD(-ENOENT, IOMMU_IOAS_MAP, iommu_ioas_map, .ioas_id = id, .flags = MAP_RW,
		    .length = PAGE, .user_va = (__u64)self->memory);
		BAD(-ENOENT, IOMMU_IOAS_UNMAP, iommu_ioas_unmap, .ioas_id = id, .length = PAGE);
		BAD(-ENOENT, IOMMU_IOAS_COPY, iommu_ioas_copy, .dst_ioas_id = id,
		    .src_ioas_id = self->ioas, .src_iova = IOVA, .length = PAGE,
		    .flags = MAP_RW);
		BAD(-ENOENT, IOMMU_IOAS_COPY, iommu_ioas_copy, .dst_ioas_id = self->other,
		    .src_ioas_id = id, .src_iova = IOVA, .length = PAGE, .flags = MAP_RW);
		BAD(-ENOENT, IOMMU_OPTION, iommu_option, .object_id = id,
		    .option_id = IOMMU_OPTION_HUGE_PAGES, .op = IOMMU_OPTION_OP_GET);
		BAD(-ENOENT, IOMMU_VFIO_IOAS, iommu_vfio_ioas, .ioas_id = id,
		    .op = IOMMU_VFIO_IOAS_SET);
		BAD(-ENOENT, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = id,
		    .pt_id = self->ioas);
		BAD(-EINVAL, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = self->dev.id,
		    .pt_id = id);
		BAD(-ENOENT, IOMMU_GET_HW_INFO, iommu_hw_info, .dev_id = id);
	}
}

TEST_F(bad_input, id_of_another_kind)
{
	__u32 ids[] = { self->dev.id, self->pt };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		__u32 id = ids[i];

		BAD(-EBUSY, IOMMU_DESTROY, iommu_destroy, .id = id);
		BAD(-ENOENT, IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, .ioas_id = id);
		BAD(-ENOENT, IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, .ioas_id = id);
		BAD(-ENOENT, IOMMU_IOAS_MAP, iommu_ioas_map, .ioas_id = id, .flags = MAP_RW,
		    .length = PAGE, .user_va = (__u64)self->memory);
		BAD(-ENOENT, IOMMU_IOAS_UNMAP, iommu_ioas_unmap, .ioas_id = id, .length = PAGE);
		BAD(-ENOENT, IOMMU_IOAS_COPY, iommu_ioas_copy, .dst_ioas_id = self->other,
		    .src_ioas_id = id, .src_iova = IOVA, .length = PAGE, .flags = MAP_RW);
		BAD(-ENOENT, IOMMU_OPTION, iommu_option, .object_id = id,
		    .option_id = IOMMU_OPTION_HUGE_PAGES, .op = IOMMU_OPTION_OP_GET);
	}
	BAD(-ENOENT, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = self->ioas,
	    .pt_id = self->ioas);
	BAD(-EINVAL, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, .dev_id = self->dev.id,
	    .pt_id = self->dev.id);
	BAD(-ENOENT, IOMMU_GET_HW_INFO, iommu_hw_info, .dev_id = self->ioas);
	/* The device holds its IOAS by its page table. */
	BAD(-EBUSY, IOMMU_DESTROY, iommu_destroy, .id = self->ioas);
}

/* Without a page table nothing is pinned, which would find the same. */
TEST_F(bad_input, map_of_memory_that_wraps_around)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	__u64 iova = GIB(1);

	EXPECT_EQ(-EOVERFLOW, __ioas_map(self->iommufd, ioas, MAP_RW, (void *)-PAGE, 2 * PAGE,
					 &iova));
	EXPECT_EQ(0, __ioas_unmap_all(self->iommufd, ioas));
	EXPECT_EQ(0, __destroy(self->iommufd, ioas));
}

TEST_F(bad_input, map)
{
	__u64 va = (__u64)self->memory;
	void *hole = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

#define MAP(want, ...) BAD(want, IOMMU_IOAS_MAP, iommu_ioas_map, \
			   .ioas_id = self->ioas, __VA_ARGS__)
	MAP(-EINVAL, .length = PAGE, .user_va = va, .iova = GIB(1), .flags = 1);
	MAP(-EOVERFLOW, .length = PAGE, .user_va = va, .iova = -1ULL, .flags = MAP_FIXED_RW);
	MAP(-EOVERFLOW, .length = PAGE, .user_va = va, .iova = -1ULL, .flags = MAP_RW);
	MAP(-EOVERFLOW, .length = -1ULL, .user_va = va, .flags = MAP_RW);
	MAP(-EINVAL, .length = 0, .user_va = va, .flags = MAP_RW);
	MAP(-EINVAL, .length = -2ULL, .user_va = va, .flags = MAP_RW);
	MAP(-EOVERFLOW, .length = 2 * PAGE, .user_va = -PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .length = PAGE + 1, .user_va = va, .iova = GIB(1), .flags = MAP_FIXED_RW);
	MAP(-EINVAL, .length = PAGE, .user_va = va, .iova = GIB(1) + 8, .flags = MAP_FIXED_RW);
	MAP(-EINVAL, .length = PAGE, .user_va = va + 8, .iova = GIB(1), .flags = MAP_FIXED_RW);
	MAP(-EOVERFLOW, .length = 2 * PAGE, .user_va = va, .iova = -PAGE,
	    .flags = MAP_FIXED_RW);
	MAP(-EINVAL, .length = PAGE, .user_va = va, .iova = MSI_WINDOW, .flags = MAP_FIXED_RW);
	MAP(-EINVAL, .length = 2 * PAGE, .user_va = va, .iova = MSI_WINDOW - PAGE,
	    .flags = MAP_FIXED_RW);
	MAP(-EEXIST, .length = PAGE, .user_va = va, .iova = IOVA, .flags = MAP_FIXED_RW);
	MAP(-EEXIST, .length = PAGE, .user_va = va, .iova = IOVA + 3 * PAGE,
	    .flags = MAP_FIXED_RW);
	MAP(-EEXIST, .length = 2 * PAGE, .user_va = va, .iova = IOVA - PAGE,
	    .flags = MAP_FIXED_RW);
	MAP(-EFAULT, .length = PAGE, .user_va = 0, .iova = GIB(1), .flags = MAP_FIXED_RW);
	MAP(-EFAULT, .length = PAGE, .user_va = 1ULL << 62, .iova = GIB(1),
	    .flags = MAP_FIXED_RW);
	/* No write permission */
	MAP(-EFAULT, .length = PAGE, .user_va = (__u64)hole, .iova = GIB(1),
	    .flags = MAP_FIXED_RW);
	/* The second page is missing. */
	munmap(hole + PAGE, PAGE);
	MAP(-EFAULT, .length = 2 * PAGE, .user_va = (__u64)hole, .iova = GIB(1),
	    .flags = MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA);
#undef MAP
}

TEST_F(bad_input, map_file)
{
	int memfd = memfd_create("test", MFD_ALLOW_SEALING), other = open("/dev/zero", O_RDWR);

	ASSERT_EQ(0, ftruncate(memfd, 4 * PAGE));
#define MAP(want, ...) BAD(want, IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, \
			   .ioas_id = self->ioas, __VA_ARGS__)
	MAP(-EINVAL, .fd = memfd, .length = PAGE, .flags = 0);
	MAP(-EOVERFLOW, .fd = memfd, .length = -1ULL, .flags = MAP_RW);
	MAP(-EOVERFLOW, .fd = memfd, .length = PAGE, .iova = -1ULL, .flags = MAP_RW);
	MAP(-EINVAL, .fd = memfd, .length = 0, .flags = MAP_RW);
	MAP(-EOVERFLOW, .fd = memfd, .length = 2 * PAGE, .start = -PAGE, .flags = MAP_RW);
	MAP(-EBADF, .fd = -1, .length = PAGE, .flags = MAP_RW);
	MAP(-EBADF, .fd = 1000, .length = PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .fd = other, .length = PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .fd = self->iommufd, .length = PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .fd = memfd, .length = 5 * PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .fd = memfd, .start = 4 * PAGE, .length = PAGE, .flags = MAP_RW);
	MAP(-EINVAL, .fd = memfd, .start = 8, .length = PAGE, .iova = GIB(1),
	    .flags = MAP_FIXED_RW);
	MAP(-EEXIST, .fd = memfd, .length = PAGE, .iova = IOVA, .flags = MAP_FIXED_RW);
#undef MAP
	close(memfd);
	close(other);
}

TEST_F(bad_input, unmap)
{
#define UNMAP(want, ...) BAD(want, IOMMU_IOAS_UNMAP, iommu_ioas_unmap, \
			     .ioas_id = self->ioas, __VA_ARGS__)
	UNMAP(-EINVAL, .iova = IOVA, .length = 0);
	UNMAP(-EOVERFLOW, .iova = -1ULL, .length = PAGE);
	UNMAP(-EOVERFLOW, .iova = PAGE, .length = -1ULL);
	UNMAP(-EOVERFLOW, .iova = -PAGE, .length = 2 * PAGE);
	UNMAP(-ENOENT, .iova = GIB(1), .length = PAGE);
	UNMAP(-ENOENT, .iova = IOVA, .length = PAGE);
	UNMAP(-ENOENT, .iova = IOVA + PAGE, .length = 3 * PAGE);
	UNMAP(-ENOENT, .iova = IOVA - PAGE, .length = 4 * PAGE);
	UNMAP(-ENOENT, .iova = IOVA + 1, .length = 4 * PAGE);
#undef UNMAP
	EXPECT_EQ(4 * PAGE, __ioas_unmap(self->iommufd, self->ioas, IOVA, 4 * PAGE));
	EXPECT_EQ(0, __ioas_unmap_all(self->iommufd, self->ioas));
}

TEST_F(bad_input, copy)
{
	void *readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u64 iova = GIB(2);

	ASSERT_EQ(0, __ioas_map(self->iommufd, self->ioas,
				MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA, readonly, PAGE, &iova));
	take_picture(self, &self->before);
#define COPY(want, ...) BAD(want, IOMMU_IOAS_COPY, iommu_ioas_copy, \
			    .src_ioas_id = self->ioas, .dst_ioas_id = self->ioas, __VA_ARGS__)
	COPY(-EINVAL, .src_iova = IOVA, .length = PAGE, .flags = 1);
	COPY(-EINVAL, .src_iova = IOVA, .length = 0, .flags = MAP_RW);
	COPY(-EOVERFLOW, .src_iova = -1ULL, .length = PAGE, .flags = MAP_RW);
	COPY(-EOVERFLOW, .src_iova = IOVA, .length = -1ULL, .flags = MAP_RW);
	COPY(-EOVERFLOW, .src_iova = IOVA, .dst_iova = -1ULL, .length = PAGE, .flags = MAP_RW);
	COPY(-EOVERFLOW, .src_iova = -PAGE, .length = 2 * PAGE, .flags = MAP_RW);
	COPY(-ENOENT, .src_iova = IOVA - PAGE, .length = PAGE, .flags = MAP_RW);
	COPY(-ENOENT, .src_iova = IOVA - PAGE, .length = 2 * PAGE, .flags = MAP_RW);
	COPY(-ENOENT, .src_iova = IOVA, .length = 5 * PAGE, .flags = MAP_RW);
	COPY(-EPERM, .src_iova = GIB(2), .length = PAGE, .flags = MAP_RW);
	COPY(-EPERM, .src_iova = GIB(2), .length = PAGE, .flags = MAP_W);
	COPY(-EEXIST, .src_iova = IOVA, .dst_iova = IOVA, .length = PAGE,
	     .flags = MAP_FIXED_RW);
	COPY(-EINVAL, .src_iova = IOVA, .dst_iova = MSI_WINDOW, .length = PAGE,
	     .flags = MAP_FIXED_RW);
	COPY(-EINVAL, .src_iova = IOVA, .dst_iova = GIB(1) + 1, .length = PAGE,
	     .flags = MAP_FIXED_RW);
	COPY(-EINVAL, .src_iova = IOVA + 1, .dst_iova = GIB(1), .length = PAGE,
	     .flags = MAP_FIXED_RW);
#undef COPY
}

TEST_F(bad_input, ranges_and_allowed)
{
	struct iommu_iova_range range[2] = { { GIB(4), GIB(5) }, { GIB(5), GIB(6) } };

	BAD(-EMSGSIZE, IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, .ioas_id = self->ioas);
	BAD(-EFAULT, IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges, .ioas_id = self->ioas,
	    .num_iovas = 10, .allowed_iovas = 8);
#define ALLOW(want, ...) BAD(want, IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, \
			     .ioas_id = self->ioas, __VA_ARGS__)
	ALLOW(-EFAULT, .num_iovas = 1, .allowed_iovas = 8);
	ALLOW(-EFAULT, .num_iovas = 1u << 31, .allowed_iovas = 8);
	ALLOW(-EINVAL, .num_iovas = 2, .allowed_iovas = (__u64)range);
	range[0] = (struct iommu_iova_range){ GIB(5), GIB(4) };
	ALLOW(-EINVAL, .num_iovas = 1, .allowed_iovas = (__u64)range);
	range[0] = (struct iommu_iova_range){ GIB(5), GIB(5) };
	ALLOW(-EINVAL, .num_iovas = 1, .allowed_iovas = (__u64)range);
	range[0] = (struct iommu_iova_range){ GIB(1), GIB(4) };
	ALLOW(-EADDRINUSE, .num_iovas = 1, .allowed_iovas = (__u64)range);
#undef ALLOW
}

TEST_F(bad_input, options)
{
#define OPTION(want, ...) BAD(want, IOMMU_OPTION, iommu_option, __VA_ARGS__)
	OPTION(-EOPNOTSUPP, .option_id = 2);
	OPTION(-EOPNOTSUPP, .option_id = ~0u);
	OPTION(-EOPNOTSUPP, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = self->ioas,
	       .op = 2);
	OPTION(-EOPNOTSUPP, .option_id = IOMMU_OPTION_RLIMIT_MODE, .object_id = self->ioas,
	       .op = IOMMU_OPTION_OP_GET);
	OPTION(-EOPNOTSUPP, .option_id = IOMMU_OPTION_RLIMIT_MODE, .op = 2);
	OPTION(-EBUSY, .option_id = IOMMU_OPTION_RLIMIT_MODE, .op = IOMMU_OPTION_OP_SET,
	       .val64 = 1);
	OPTION(-EINVAL, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = self->ioas,
	       .op = IOMMU_OPTION_OP_SET, .val64 = 2);
	/* There are IOPTEs that may be huge. */
	OPTION(-EINVAL, .option_id = IOMMU_OPTION_HUGE_PAGES, .object_id = self->ioas,
	       .op = IOMMU_OPTION_OP_SET, .val64 = 0);
#undef OPTION
	BAD(-EOPNOTSUPP, IOMMU_VFIO_IOAS, iommu_vfio_ioas, .op = 3);
	BAD(-ENODEV, IOMMU_VFIO_IOAS, iommu_vfio_ioas, .op = IOMMU_VFIO_IOAS_GET);
}

TEST_F(bad_input, page_tables)
{
#define ALLOC(want, ...) BAD(want, IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, \
			     .dev_id = self->dev.id, __VA_ARGS__)
	ALLOC(-EOPNOTSUPP, .pt_id = self->ioas, .flags = 1u << 31);
	ALLOC(-EOPNOTSUPP, .pt_id = self->ioas, .flags = 1u << 4);
	ALLOC(-EINVAL, .pt_id = self->ioas, .data_len = 8);
	ALLOC(-EINVAL, .pt_id = self->ioas, .data_type = IOMMU_HWPT_DATA_VTD_S1);
	ALLOC(-EOPNOTSUPP, .pt_id = self->ioas, .data_type = 0xdead, .data_len = 8,
	      .data_uptr = (__u64)self->memory);
	/* An automatic page table is nobody's parent. */
	ALLOC(-EINVAL, .pt_id = self->pt, .data_type = IOMMU_HWPT_DATA_VTD_S1, .data_len = 24,
	      .data_uptr = (__u64)self->memory);
#undef ALLOC
	/* No driver of 6.12 has any. */
	BAD(-EOPNOTSUPP, IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, .dev_id = self->dev.id,
	    .type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3, .hwpt_id = self->pt);
	BAD(-EFAULT, IOMMU_GET_HW_INFO, iommu_hw_info, .dev_id = self->dev.id,
	    .data_len = 64, .data_uptr = 8);
}

TEST_F(bad_input, attach)
{
	static const __u32 ids[] = { 0, NOBODY };
	__u32 pt, dev = self->dev.id;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(ids); i++) {
		pt = ids[i];
		EXPECT_EQ(-ENOENT, __vdev_attach(&self->dev, &pt));
		EXPECT_TRUE(unchanged(self));
	}
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->dev, &dev));
	EXPECT_TRUE(unchanged(self));
}

TEST_HARNESS_MAIN
