// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "iommufd.h"
#include "mock.h"

#define KSFT_SKIP 4

static int run(int fd, struct iommu_test_cmd *cmd)
{
	cmd->size = sizeof(*cmd);
	return __iommufd_ioctl(fd, IOMMU_TEST_CMD, cmd);
}

int mock_open(void)
{
	int fd = iommufd_open();

	if (__mock_memory_limit(fd, 65536) == -ENOTTY) {
		printf("      SKIP      the kernel has no mock IOMMU (iommufd_mock)\n");
		_exit(KSFT_SKIP);
	}
	return fd;
}

static int create_device(int fd, struct iommu_test_cmd *cmd, struct mock_device *dev)
{
	int ret = run(fd, cmd);

	if (ret)
		return ret;
	dev->stdev = cmd->mock_domain.out_stdev_id;
	dev->idev = cmd->mock_domain.out_idev_id;
	dev->hwpt = cmd->mock_domain.out_hwpt_id;
	return 0;
}

int __mock_device(int fd, __u32 pt, __u32 flags, struct mock_device *dev)
{
	struct iommu_test_cmd cmd = {
		.op = flags ? IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS : IOMMU_TEST_OP_MOCK_DOMAIN,
		.id = pt,
		.mock_domain_flags.dev_flags = flags,
	};

	return create_device(fd, &cmd, dev);
}

int __mock_device_in_group(int fd, __u32 pt, __u32 flags, __u32 peer,
			   struct mock_device *dev)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.id = pt,
		.mock_domain_flags = {
			.dev_flags = flags | MOCK_FLAGS_DEVICE_IN_GROUP,
			.group_of = peer,
		},
	};

	return create_device(fd, &cmd, dev);
}

struct mock_device mock_device(int fd, __u32 pt)
{
	struct mock_device dev;

	must(__mock_device(fd, pt, 0, &dev));
	return dev;
}

bool mock_can_track(int fd, __u32 idev)
{
	struct iommu_hw_info info;

	must(__hw_info(fd, idev, NULL, 0, &info));
	return info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING;
}

int __mock_replace(int fd, __u32 stdev, __u32 *pt)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE,
		.id = stdev,
		.mock_domain_replace.pt_id = *pt,
	};
	int ret = run(fd, &cmd);

	if (!ret)
		*pt = cmd.mock_domain_replace.pt_id;
	return ret;
}

static int nested(int fd, __u32 dev, __u32 parent, __u32 flags, __u32 fault, __u32 *id)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev,
		.pt_id = parent,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
		.fault_id = fault,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return ret;
}

int __mock_nested(int fd, __u32 dev, __u32 parent, __u32 *id)
{
	return nested(fd, dev, parent, 0, 0, id);
}

int __mock_nested_fault(int fd, __u32 dev, __u32 parent, __u32 fault, __u32 *id)
{
	return nested(fd, dev, parent, IOMMU_HWPT_FAULT_ID_VALID, fault, id);
}

int __mock_pasid_attach(int fd, __u32 stdev, __u32 pasid, __u32 pt)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_PASID_ATTACH,
		.id = stdev,
		.pasid_attach = { .pasid = pasid, .pt_id = pt },
	};

	return run(fd, &cmd);
}

int __mock_pasid_replace(int fd, __u32 stdev, __u32 pasid, __u32 pt)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_PASID_REPLACE,
		.id = stdev,
		.pasid_replace = { .pasid = pasid, .pt_id = pt },
	};

	return run(fd, &cmd);
}

int __mock_pasid_detach(int fd, __u32 stdev, __u32 pasid)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_PASID_DETACH,
		.id = stdev,
		.pasid_detach.pasid = pasid,
	};

	return run(fd, &cmd);
}

int __mock_pasid_check(int fd, __u32 stdev, __u32 pasid, __u32 hwpt)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_PASID_CHECK_HWPT,
		.id = stdev,
		.pasid_check = { .pasid = pasid, .hwpt_id = hwpt },
	};

	return run(fd, &cmd);
}

int __mock_reserve(int fd, __u32 ioas, __u64 start, __u64 length)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ADD_RESERVED,
		.id = ioas,
		.add_reserved = { .start = start, .length = length },
	};

	return run(fd, &cmd);
}

int __mock_memory_limit(int fd, __u32 limit)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT,
		.memory_limit.limit = limit,
	};

	return run(fd, &cmd);
}

int __mock_check_map(int fd, __u32 hwpt, const void *va, __u64 length, __u64 iova)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_MAP,
		.id = hwpt,
		.check_map = { .iova = iova, .length = length, .uptr = (uintptr_t)va },
	};

	return run(fd, &cmd);
}

int __mock_check_refs(int fd, const void *va, __u64 length, __u32 pins)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_REFS,
		.check_refs = { .length = length, .uptr = (uintptr_t)va, .refs = pins },
	};

	return run(fd, &cmd);
}

int __mock_check_iotlb(int fd, __u32 hwpt, __u32 entry, __u32 value)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_MD_CHECK_IOTLB,
		.id = hwpt,
		.check_iotlb = { .id = entry, .iotlb = value },
	};

	return run(fd, &cmd);
}

int __mock_check_cache(int fd, __u32 idev, __u32 entry, __u32 value)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DEV_CHECK_CACHE,
		.id = idev,
		.check_dev_cache = { .id = entry, .cache = value },
	};

	return run(fd, &cmd);
}

int __mock_event(int fd, __u32 idev)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_TRIGGER_VEVENT,
		.trigger_vevent.dev_id = idev,
	};

	return run(fd, &cmd);
}

int __mock_dirty(int fd, __u32 hwpt, __u64 iova, __u64 length, __u64 page_size,
		 const void *bitmap, __u64 *marked)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DIRTY,
		.id = hwpt,
		.dirty = {
			.iova = iova,
			.length = length,
			.page_size = page_size,
			.uptr = (uintptr_t)bitmap,
		},
	};
	int ret = run(fd, &cmd);

	if (!ret)
		*marked = cmd.dirty.out_nr_dirty;
	return ret;
}

static int request_page(int fd, __u32 op, __u32 idev, __u32 pasid, __u32 grpid, __u64 addr)
{
	struct iommu_test_cmd cmd = {
		.op = op,
		.trigger_iopf = {
			.dev_id = idev,
			.pasid = pasid,
			.grpid = grpid,
			.perm = IOMMU_PGFAULT_PERM_READ | IOMMU_PGFAULT_PERM_WRITE,
			.addr = addr,
		},
	};

	return run(fd, &cmd);
}

int __mock_fault(int fd, __u32 idev, __u32 pasid, __u32 grpid, __u64 addr)
{
	return request_page(fd, IOMMU_TEST_OP_TRIGGER_IOPF, idev, pasid, grpid, addr);
}

int __mock_partial_fault(int fd, __u32 idev, __u32 pasid, __u32 grpid, __u64 addr)
{
	return request_page(fd, IOMMU_TEST_OP_TRIGGER_PARTIAL_IOPF, idev, pasid, grpid, addr);
}

struct mock_page_faults mock_page_faults(void)
{
	struct mock_page_faults n;
	char text[96];

	must(__read_text("/sys/module/iommufd_mock/parameters/page_faults", text,
			 sizeof(text)));
	if (sscanf(text, "%lu,%lu,%lu,%lu", &n.raised, &n.success, &n.invalid, &n.failure) != 4)
		fatal("page_faults: %s", text);
	return n;
}

int __mock_access(int fd, __u32 ioas, __u32 flags)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_CREATE_ACCESS,
		.id = ioas,
		.create_access.flags = flags,
	};
	int ret = run(fd, &cmd);

	return ret ?: (int)cmd.create_access.out_access_fd;
}

int __mock_access_replace(int fd, int access, __u32 ioas)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_REPLACE_IOAS,
		.id = access,
		.access_replace_ioas.ioas_id = ioas,
	};

	return run(fd, &cmd);
}

int __mock_pin(int fd, int access, __u32 flags, __u64 iova, __u64 length, const void *va)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_PAGES,
		.id = access,
		.access_pages = {
			.flags = flags,
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)va,
		},
	};
	int ret = run(fd, &cmd);

	return ret ?: (int)cmd.access_pages.out_access_pages_id;
}

int __mock_unpin(int fd, int access, __u32 item)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_DESTROY_ACCESS_PAGES,
		.id = access,
		.destroy_access_pages.access_pages_id = item,
	};

	return run(fd, &cmd);
}

int __mock_rw(int fd, int access, __u32 flags, __u64 iova, void *data, __u64 length)
{
	struct iommu_test_cmd cmd = {
		.op = IOMMU_TEST_OP_ACCESS_RW,
		.id = access,
		.access_rw = {
			.flags = flags,
			.iova = iova,
			.length = length,
			.uptr = (uintptr_t)data,
		},
	};

	return run(fd, &cmd);
}

unsigned long mock_pasids_blocked(void)
{
	char text[24];

	must(__read_text("/sys/module/iommufd_mock/parameters/pasids_blocked", text,
			 sizeof(text)));
	return strtoul(text, NULL, 10);
}

static void set_parameter(const char *name, __u64 value)
{
	char path[80], text[24];

	snprintf(path, sizeof(path), "/sys/module/iommufd_mock/parameters/%s", name);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	must(__write_text(path, text));
}

void mock_fail_map(__u64 iova, int after)
{
	set_parameter("fail_map_after", after);
	set_parameter("fail_map_iova", iova);
}
