// SPDX-License-Identifier: GPL-2.0
#include "iommufd.h"
#include "viommu.h"

struct mock_guest mock_guest(int fd, __u32 ioas)
{
	struct mock_guest guest = { .dev = mock_device(fd, ioas) };

	must(__hwpt_alloc(fd, guest.dev.idev, ioas, IOMMU_HWPT_ALLOC_NEST_PARENT,
			  &guest.parent));
	guest.viommu = viommu_alloc(fd, guest.dev.idev, guest.parent);
	return guest;
}

static int alloc_of_type(int fd, __u32 type, __u32 dev, __u32 parent, void *data,
			 __u32 length, __u32 *id)
{
	struct iommu_viommu_alloc cmd = {
		.size = sizeof(cmd),
		.type = type,
		.dev_id = dev,
		.hwpt_id = parent,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_VIOMMU_ALLOC, &cmd);

	*id = cmd.out_viommu_id;
	return ret;
}

int __viommu_alloc(int fd, __u32 dev, __u32 parent, void *data, __u32 length, __u32 *id)
{
	return alloc_of_type(fd, IOMMU_VIOMMU_TYPE_SELFTEST, dev, parent, data, length, id);
}

int __viommu_alloc_bare(int fd, __u32 dev, __u32 parent, __u32 *id)
{
	return alloc_of_type(fd, IOMMU_VIOMMU_TYPE_SELFTEST_BARE, dev, parent, NULL, 0, id);
}

__u32 viommu_alloc(int fd, __u32 dev, __u32 parent)
{
	__u32 id;

	must(__viommu_alloc(fd, dev, parent, NULL, 0, &id));
	return id;
}

int __vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id, __u32 *id)
{
	struct iommu_vdevice_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu,
		.dev_id = dev,
		.virt_id = virt_id,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_VDEVICE_ALLOC, &cmd);

	*id = cmd.out_vdevice_id;
	return ret;
}

__u32 vdevice_alloc(int fd, __u32 viommu, __u32 dev, __u64 virt_id)
{
	__u32 id;

	must(__vdevice_alloc(fd, viommu, dev, virt_id, &id));
	return id;
}

int __veventq_alloc(int fd, __u32 viommu, __u32 type, __u32 depth, __u32 *id)
{
	struct iommu_veventq_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu,
		.type = type,
		.veventq_depth = depth,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_VEVENTQ_ALLOC, &cmd);

	*id = cmd.out_veventq_id;
	return ret ?: (int)cmd.out_veventq_fd;
}

int __hw_queue_alloc(int fd, __u32 viommu, __u32 index, __u64 iova, __u64 length, __u32 *id)
{
	struct iommu_hw_queue_alloc cmd = {
		.size = sizeof(cmd),
		.viommu_id = viommu,
		.type = IOMMU_HW_QUEUE_TYPE_SELFTEST,
		.index = index,
		.nesting_parent_iova = iova,
		.length = length,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_HW_QUEUE_ALLOC, &cmd);

	*id = cmd.out_hw_queue_id;
	return ret;
}

int __nested_alloc(int fd, __u32 dev, __u32 base, __u32 flags, __u32 fault, __u32 *id)
{
	struct iommu_hwpt_selftest data = { .iotlb = IOMMU_TEST_IOTLB_DEFAULT };
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev,
		.pt_id = base,
		.data_type = IOMMU_HWPT_DATA_SELFTEST,
		.data_len = sizeof(data),
		.data_uptr = (uintptr_t)&data,
		.fault_id = fault,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return ret;
}

int __invalidate(int fd, __u32 id, __u32 type, const void *reqs, __u32 length, __u32 n,
		 __u32 *done)
{
	struct iommu_hwpt_invalidate cmd = {
		.size = sizeof(cmd),
		.hwpt_id = id,
		.data_uptr = (uintptr_t)reqs,
		.data_type = type,
		.entry_len = length,
		.entry_num = n,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_HWPT_INVALIDATE, &cmd);

	*done = cmd.entry_num;
	return ret;
}
