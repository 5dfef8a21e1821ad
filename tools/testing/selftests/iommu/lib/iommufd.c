// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "iommufd.h"

int iommufd_open(void)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fatal("/dev/iommu: %s; is the module iommufd loaded?", errno_name(errno));
	return fd;
}

int __iommufd_ioctl(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

int __ioas_alloc(int fd, __u32 *id)
{
	struct iommu_ioas_alloc cmd = { .size = sizeof(cmd) };
	int ret = __iommufd_ioctl(fd, IOMMU_IOAS_ALLOC, &cmd);

	*id = cmd.out_ioas_id;
	return ret;
}

__u32 ioas_alloc(int fd)
{
	__u32 id;

	must(__ioas_alloc(fd, &id));
	return id;
}

int __destroy(int fd, __u32 id)
{
	struct iommu_destroy cmd = { .size = sizeof(cmd), .id = id };

	return __iommufd_ioctl(fd, IOMMU_DESTROY, &cmd);
}

int __ioas_map(int fd, __u32 ioas, __u32 flags, const void *va, __u64 length, __u64 *iova)
{
	struct iommu_ioas_map cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)va,
		.length = length,
		.iova = *iova,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_IOAS_MAP, &cmd);

	*iova = cmd.iova;
	return ret;
}

__u64 ioas_map(int fd, __u32 ioas, const void *va, __u64 length)
{
	__u64 iova = 0;

	must(__ioas_map(fd, ioas, MAP_RW, va, length, &iova));
	return iova;
}

int __ioas_map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova)
{
	return __ioas_map(fd, ioas, MAP_FIXED_RW, va, length, &iova);
}

void ioas_map_at(int fd, __u32 ioas, const void *va, __u64 length, __u64 iova)
{
	must(__ioas_map_at(fd, ioas, va, length, iova));
}

int __ioas_map_file_at(int fd, __u32 ioas, __u32 flags, int file, __u64 start, __u64 length,
		       __u64 iova)
{
	struct iommu_ioas_map_file cmd = {
		.size = sizeof(cmd),
		.flags = flags | IOMMU_IOAS_MAP_FIXED_IOVA,
		.ioas_id = ioas,
		.fd = file,
		.start = start,
		.length = length,
		.iova = iova,
	};

	return __iommufd_ioctl(fd, IOMMU_IOAS_MAP_FILE, &cmd);
}

long __ioas_unmap(int fd, __u32 ioas, __u64 iova, __u64 length)
{
	struct iommu_ioas_unmap cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.iova = iova,
		.length = length,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_IOAS_UNMAP, &cmd);

	return ret ? ret : (long)cmd.length;
}

long __ioas_unmap_all(int fd, __u32 ioas)
{
	return __ioas_unmap(fd, ioas, 0, UINT64_MAX);
}

int __ioas_copy(int fd, __u32 flags, __u32 dst, __u32 src, __u64 length, __u64 *dst_iova,
		__u64 src_iova)
{
	struct iommu_ioas_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dst_ioas_id = dst,
		.src_ioas_id = src,
		.length = length,
		.dst_iova = *dst_iova,
		.src_iova = src_iova,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_IOAS_COPY, &cmd);

	*dst_iova = cmd.dst_iova;
	return ret;
}

int __ioas_ranges(int fd, __u32 ioas, struct ranges *out)
{
	struct iommu_ioas_iova_ranges cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = MAX_RANGES,
		.allowed_iovas = (uintptr_t)out->range,
	};
	int ret;

	memset(out, 0, sizeof(*out));
	ret = __iommufd_ioctl(fd, IOMMU_IOAS_IOVA_RANGES, &cmd);
	out->n = ret ? 0 : cmd.num_iovas;
	out->alignment = cmd.out_iova_alignment;
	return ret;
}

int __ioas_allow(int fd, __u32 ioas, unsigned int n, const struct iommu_iova_range *range)
{
	struct iommu_ioas_allow_iovas cmd = {
		.size = sizeof(cmd),
		.ioas_id = ioas,
		.num_iovas = n,
		.allowed_iovas = (uintptr_t)range,
	};

	return __iommufd_ioctl(fd, IOMMU_IOAS_ALLOW_IOVAS, &cmd);
}

static int option(int fd, __u32 option, __u16 op, __u32 object, __u64 *value)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd),
		.option_id = option,
		.op = op,
		.object_id = object,
		.val64 = *value,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_OPTION, &cmd);

	*value = cmd.val64;
	return ret;
}

int __option_set(int fd, __u32 id, __u32 object, __u64 value)
{
	return option(fd, id, IOMMU_OPTION_OP_SET, object, &value);
}

long __option_get(int fd, __u32 id, __u32 object)
{
	__u64 value = 0;
	int ret = option(fd, id, IOMMU_OPTION_OP_GET, object, &value);

	return ret ? ret : (long)value;
}

int __vfio_ioas(int fd, __u16 op, __u32 *ioas)
{
	struct iommu_vfio_ioas cmd = { .size = sizeof(cmd), .op = op, .ioas_id = *ioas };
	int ret = __iommufd_ioctl(fd, IOMMU_VFIO_IOAS, &cmd);

	*ioas = cmd.ioas_id;
	return ret;
}

void vfio_ioas(int fd, __u32 ioas)
{
	must(__vfio_ioas(fd, IOMMU_VFIO_IOAS_SET, &ioas));
}

int __hwpt_alloc(int fd, __u32 dev, __u32 pt, __u32 flags, __u32 *id)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.dev_id = dev,
		.pt_id = pt,
	};
	int ret = __iommufd_ioctl(fd, IOMMU_HWPT_ALLOC, &cmd);

	*id = cmd.out_hwpt_id;
	return ret;
}

int __fault_alloc(int fd, __u32 *id)
{
	struct iommu_fault_alloc cmd = { .size = sizeof(cmd) };
	int ret = __iommufd_ioctl(fd, IOMMU_FAULT_QUEUE_ALLOC, &cmd);

	*id = cmd.out_fault_id;
	return ret ?: (int)cmd.out_fault_fd;
}

int __hw_info(int fd, __u32 dev, void *data, __u32 length, struct iommu_hw_info *out)
{
	*out = (struct iommu_hw_info){
		.size = sizeof(*out),
		.dev_id = dev,
		.data_len = length,
		.data_uptr = (uintptr_t)data,
	};
	return __iommufd_ioctl(fd, IOMMU_GET_HW_INFO, out);
}

bool ranges_equal(const struct ranges *a, const struct ranges *b)
{
	return a->n == b->n && a->alignment == b->alignment &&
	       !memcmp(a->range, b->range, a->n * sizeof(a->range[0]));
}

bool ranges_contain(const struct ranges *r, __u64 start, __u64 last)
{
	unsigned int i;

	for (i = 0; i < r->n; i++)
		if (r->range[i].start <= start && last <= r->range[i].last)
			return true;
	return false;
}
