// SPDX-License-Identifier: GPL-2.0
/*
 * vIOMMUs of the mock IOMMU.
 *
 * A request to invalidate names a device as the guest does, and reaches the cache that
 * every mock device has for the purpose.
 */
#include <linux/iommu.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "dev.h"
#include "nested.h"
#include "viommu.h"

struct mock_viommu {
	struct iommufd_viommu core;
	struct iommu_domain *parent;
};

static struct mock_viommu *to_mock(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct mock_viommu, core);
}

static struct iommu_domain *alloc_nested(struct iommufd_viommu *viommu, u32 flags,
					 const struct iommu_user_data *data)
{
	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(-EOPNOTSUPP);
	return mock_nested_alloc(to_mock(viommu)->parent, viommu, data);
}

static int invalidate_device(struct iommufd_viommu *viommu,
			     const struct iommu_viommu_invalidate_selftest *req)
{
	struct device *dev;

	/* The lock keeps the device. */
	guard(spinlock)(&viommu->vdevs.xa_lock);
	dev = iommufd_viommu_find_dev(viommu, req->vdev_id);
	if (!dev)
		return -EINVAL;
	mock_dev_invalidate(mock_dev_from(dev), req->cache_id,
			    req->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL);
	return 0;
}

static int invalidate_one(struct iommufd_viommu *viommu,
			  const struct iommu_user_data_array *array, unsigned int index)
{
	struct iommu_viommu_invalidate_selftest req;
	int ret;

	ret = iommu_copy_struct_from_user_array(&req, array,
						IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
						index, cache_id);
	if (ret)
		return ret;
	if (req.flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (req.cache_id > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;
	return invalidate_device(viommu, &req);
}

static int cache_invalidate(struct iommufd_viommu *viommu,
			    struct iommu_user_data_array *array)
{
	unsigned int i;
	int ret = 0;

	if (array->type != IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST)
		ret = -EINVAL;
	for (i = 0; !ret && i < array->entry_num; i++) {
		ret = invalidate_one(viommu, array, i);
		if (ret)
			break;
	}
	array->entry_num = i;
	return ret;
}

static const struct iommufd_viommu_ops viommu_ops = {
	.alloc_domain_nested = alloc_nested,
	.cache_invalidate = cache_invalidate,
};

/**
 * mock_viommu_size - Memory for a vIOMMU
 * @dev: any mock device
 * @type: IOMMU_VIOMMU_TYPE_SELFTEST is the only one we have
 *
 * Return: bytes, or 0.
 */
size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type)
{
	return type == IOMMU_VIOMMU_TYPE_SELFTEST ? sizeof(struct mock_viommu) : 0;
}

/* Give back what came in, so that a test sees data go both ways. */
static int answer(const struct iommu_user_data *data)
{
	struct iommu_viommu_selftest cfg;
	int ret;

	ret = iommu_copy_struct_from_user(&cfg, data, IOMMU_VIOMMU_TYPE_SELFTEST,
					  out_mmap_length);
	if (ret)
		return ret;
	cfg.out_data = cfg.in_data;
	return copy_to_user(data->uptr, &cfg, sizeof(cfg)) ? -EFAULT : 0;
}

/**
 * mock_viommu_init - Set a vIOMMU up
 * @viommu: the vIOMMU
 * @parent_domain: through which the addresses of its page tables would go
 * @user_data: struct iommu_viommu_selftest, or NULL
 *
 * Return: 0; -EINVAL: data of another size; -EFAULT.
 */
int mock_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent_domain,
		     const struct iommu_user_data *user_data)
{
	to_mock(viommu)->parent = parent_domain;
	viommu->ops = &viommu_ops;
	return user_data ? answer(user_data) : 0;
}
