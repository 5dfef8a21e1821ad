// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of the mock IOMMU that user space would fill.
 *
 * There is no such table. All one can see of it is an IOTLB of a few entries, which
 * begin with a value that user space chose and are zero once they are invalidated.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "dev.h"
#include "domain.h"
#include "nested.h"

struct mock_nested {
	struct iommu_domain domain;
	struct iommufd_viommu *viommu;
	u32 iotlb[MOCK_NESTED_DOMAIN_IOTLB_NUM];
};

static struct mock_nested *to_nested(struct iommu_domain *domain)
{
	return container_of(domain, struct mock_nested, domain);
}

/* A guest's IOMMU translates for none but the guest's devices. */
static bool suits(struct mock_nested *nested, struct device *dev)
{
	unsigned long virt_id;

	return !nested->viommu || !iommufd_viommu_get_vdev_id(nested->viommu, dev, &virt_id);
}

static int set_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		     struct iommu_domain *old)
{
	if (!suits(to_nested(domain), dev))
		return -ENOENT;
	return mock_dev_set_pasid(mock_dev_from(dev), pasid, domain, old);
}

static int attach_dev(struct iommu_domain *domain, struct device *dev)
{
	struct mock_nested *nested = to_nested(domain);

	/* What it has it can have again, which a replace that fails relies on. */
	if (!suits(nested, dev) && iommu_get_domain_for_dev(dev) != domain)
		return -ENOENT;
	mock_dev_set_viommu(mock_dev_from(dev), nested->viommu);
	return 0;
}

static int invalidate_one(struct mock_nested *nested,
			  const struct iommu_user_data_array *array, unsigned int index)
{
	struct iommu_hwpt_invalidate_selftest req;
	int ret;

	ret = iommu_copy_struct_from_user_array(&req, array,
						IOMMU_HWPT_INVALIDATE_DATA_SELFTEST,
						index, iotlb_id);
	if (ret)
		return ret;
	if (req.flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (req.iotlb_id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;

	if (req.flags & IOMMU_TEST_INVALIDATE_FLAG_ALL)
		memset(nested->iotlb, 0, sizeof(nested->iotlb));
	else
		WRITE_ONCE(nested->iotlb[req.iotlb_id], 0);
	return 0;
}

static int cache_invalidate_user(struct iommu_domain *domain,
				 struct iommu_user_data_array *array)
{
	unsigned int i;
	int ret = 0;

	if (array->type != IOMMU_HWPT_INVALIDATE_DATA_SELFTEST)
		ret = -EINVAL;
	for (i = 0; !ret && i < array->entry_num; i++) {
		ret = invalidate_one(to_nested(domain), array, i);
		if (ret)
			break;
	}
	array->entry_num = i;
	return ret;
}

static void free_domain(struct iommu_domain *domain)
{
	kfree(to_nested(domain));
	module_put(THIS_MODULE);
}

static const struct iommu_domain_ops domain_ops = {
	.attach_dev = attach_dev,
	.set_dev_pasid = set_pasid,
	.cache_invalidate_user = cache_invalidate_user,
	.free = free_domain,
};

/* Without cache_invalidate_user: that is up to the vIOMMU. */
static const struct iommu_domain_ops viommu_domain_ops = {
	.attach_dev = attach_dev,
	.set_dev_pasid = set_pasid,
	.free = free_domain,
};

static bool is_nested(struct iommu_domain *domain)
{
	return domain->ops == &domain_ops || domain->ops == &viommu_domain_ops;
}

/**
 * mock_nested_alloc - Make a nested page table
 * @parent: what its addresses would go through
 * @viommu: the vIOMMU it is made on, or NULL
 * @data: struct iommu_hwpt_selftest
 *
 * Return: the domain; ERR_PTR(-EOPNOTSUPP): data of another kind; ERR_PTR(-EINVAL):
 * not a page table of ours, or data too short; ERR_PTR(-EFAULT); ERR_PTR(-ENOMEM).
 */
struct iommu_domain *mock_nested_alloc(struct iommu_domain *parent,
				       struct iommufd_viommu *viommu,
				       const struct iommu_user_data *data)
{
	struct iommu_hwpt_selftest cfg;
	struct mock_nested *nested;
	unsigned int i;
	int ret;

	if (data->type != IOMMU_HWPT_DATA_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	if (!mock_domain_is(parent))
		return ERR_PTR(-EINVAL);
	ret = iommu_copy_struct_from_user(&cfg, data, IOMMU_HWPT_DATA_SELFTEST, iotlb);
	if (ret)
		return ERR_PTR(ret);

	nested = kzalloc(sizeof(*nested), GFP_KERNEL_ACCOUNT);
	if (!nested)
		return ERR_PTR(-ENOMEM);
	__module_get(THIS_MODULE);
	nested->domain.type = IOMMU_DOMAIN_NESTED;
	nested->domain.ops = viommu ? &viommu_domain_ops : &domain_ops;
	nested->viommu = viommu;
	for (i = 0; i < MOCK_NESTED_DOMAIN_IOTLB_NUM; i++)
		nested->iotlb[i] = cfg.iotlb;
	return &nested->domain;
}

/**
 * mock_nested_check - Look at an entry of the IOTLB
 * @domain: nested page table of any driver
 * @id: which entry
 * @value: what it should be
 *
 * Return: 0; -EINVAL: another value, no such entry, or not a page table of ours.
 */
int mock_nested_check(struct iommu_domain *domain, u32 id, u32 value)
{
	if (!is_nested(domain) || id > MOCK_NESTED_DOMAIN_IOTLB_ID_MAX)
		return -EINVAL;
	return READ_ONCE(to_nested(domain)->iotlb[id]) == value ? 0 : -EINVAL;
}
