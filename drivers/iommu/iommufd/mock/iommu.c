// SPDX-License-Identifier: GPL-2.0
/*
 * The mock IOMMU and its driver.
 *
 * The core finds it by its firmware node. It translates for mock devices only, puts
 * each in a group of its own unless told otherwise, and blocks what is not attached.
 */
#include <linux/err.h>
#include <linux/iommu.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/property.h>
#include <linux/slab.h>
#include <uapi/linux/iommufd.h>

#include "dev.h"
#include "domain.h"
#include "fault.h"
#include "iommu.h"
#include "nested.h"
#include "viommu.h"

#define NAME "iommufd_mock_iommu"

static const struct property_entry properties[] = {
	PROPERTY_ENTRY_U32("pasid-num-bits", MOCK_PASID_WIDTH),
	{ }
};

static struct iommu_device mock_iommu;
static struct platform_device *hwdev;
static struct iopf_queue *iopf_queue;

static int block(struct iommu_domain *domain, struct device *dev)
{
	mock_dev_set_viommu(mock_dev_from(dev), NULL);
	return 0;
}

static const struct iommu_domain_ops blocking_ops = {
	.attach_dev = block,
};

static struct iommu_domain blocking_domain = {
	.type = IOMMU_DOMAIN_BLOCKED,
	.ops = &blocking_ops,
};

static bool has_cap(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;
	case IOMMU_CAP_DIRTY_TRACKING:
		return !(mock_dev_from(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
	default:
		return false;
	}
}

static void *hw_info(struct device *dev, u32 *length, u32 *type)
{
	struct iommu_test_hw_info *info;

	if (*type != IOMMU_HW_INFO_TYPE_DEFAULT && *type != IOMMU_HW_INFO_TYPE_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	info = kzalloc(sizeof(*info), GFP_KERNEL_ACCOUNT);
	if (!info)
		return ERR_PTR(-ENOMEM);
	info->test_reg = IOMMU_HW_INFO_SELFTEST_REGVAL;
	*length = sizeof(*info);
	*type = IOMMU_HW_INFO_TYPE_SELFTEST;
	return info;
}

static struct iommu_domain *alloc_paging(struct device *dev)
{
	return mock_domain_alloc(mock_dev_from(dev)->flags & MOCK_FLAGS_DEVICE_HUGE_IOVA,
				 false);
}

static struct iommu_domain *alloc_user(struct device *dev, u32 flags,
				       struct iommu_domain *parent,
				       const struct iommu_user_data *data)
{
	bool huge = mock_dev_from(dev)->flags & MOCK_FLAGS_DEVICE_HUGE_IOVA;
	bool dirty = flags & IOMMU_HWPT_ALLOC_DIRTY_TRACKING;
	struct iommu_hwpt_selftest cfg = { };
	int ret;

	if (parent)
		return flags ? ERR_PTR(-EOPNOTSUPP) : mock_nested_alloc(parent, NULL, data);

	if (flags & ~(IOMMU_HWPT_ALLOC_NEST_PARENT | IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
		      IOMMU_HWPT_ALLOC_PASID))
		return ERR_PTR(-EOPNOTSUPP);
	if (dirty && !has_cap(dev, IOMMU_CAP_DIRTY_TRACKING))
		return ERR_PTR(-EOPNOTSUPP);
	if (data && data->type != IOMMU_HWPT_DATA_SELFTEST)
		return ERR_PTR(-EOPNOTSUPP);
	if (data) {
		ret = iommu_copy_struct_from_user(&cfg, data, IOMMU_HWPT_DATA_SELFTEST,
						  pagetable_type);
		if (ret)
			return ERR_PTR(ret);
	}
	return mock_domain_alloc(huge || cfg.pagetable_type == MOCK_IOMMUPT_HUGE, dirty);
}

/*
 * The core asks the node of the device how many PASIDs there are, before it calls
 * probe_finalize. It is the node of the IOMMU and the device's for so long only: the driver
 * core puts a node twice if it had no memory for the links to it.
 */
static struct iommu_device *probe_device(struct device *dev)
{
	if (!mock_dev_is(dev))
		return ERR_PTR(-ENODEV);
	if (mock_dev_from(dev)->flags & MOCK_FLAGS_DEVICE_PASID)
		device_set_node(dev, mock_iommu_fwnode());
	return &mock_iommu;
}

static void forget_node(struct device *dev)
{
	device_set_node(dev, NULL);
}

static struct iommu_group *device_group(struct device *dev)
{
	struct mock_dev *peer = mock_dev_from(dev)->peer;

	return peer ? iommu_group_get(&peer->pdev.dev) : generic_device_group(dev);
}

static void add_region(struct list_head *regions, phys_addr_t start)
{
	struct iommu_resv_region *region =
		iommu_alloc_resv_region(start, MOCK_RESERVED_LENGTH, 0, IOMMU_RESV_RESERVED,
					GFP_KERNEL);

	if (region)
		list_add_tail(&region->list, regions);
}

static void get_resv_regions(struct device *dev, struct list_head *regions)
{
	u32 flags = mock_dev_from(dev)->flags;

	if (flags & MOCK_FLAGS_DEVICE_RESERVED)
		add_region(regions, MOCK_RESERVED_START);
	if (flags & MOCK_FLAGS_DEVICE_RESERVED_NEXT)
		add_region(regions, MOCK_RESERVED_START + MOCK_RESERVED_LENGTH);
}

static int enable_feature(struct device *dev, enum iommu_dev_features feature)
{
	struct mock_dev *mdev = mock_dev_from(dev);
	int ret;

	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	guard(mutex)(&mdev->mutex);
	ret = iopf_queue_add_device(iopf_queue, dev);
	mdev->faults = !ret;
	return ret;
}

static int disable_feature(struct device *dev, enum iommu_dev_features feature)
{
	struct mock_dev *mdev = mock_dev_from(dev);

	if (feature != IOMMU_DEV_FEAT_IOPF)
		return -ENODEV;
	guard(mutex)(&mdev->mutex);
	mdev->faults = false;
	iopf_queue_remove_device(iopf_queue, dev);
	return 0;
}

static void remove_pasid(struct device *dev, ioasid_t pasid, struct iommu_domain *domain)
{
	mock_dev_remove_pasid(mock_dev_from(dev), pasid);
}

static const struct iommu_ops mock_ops = {
	.owner = THIS_MODULE,
	.capable = has_cap,
	.hw_info = hw_info,
	.domain_alloc_user = alloc_user,
	.domain_alloc_paging = alloc_paging,
	.probe_device = probe_device,
	.probe_finalize = forget_node,
	.release_device = forget_node,
	.device_group = device_group,
	.get_resv_regions = get_resv_regions,
	.dev_enable_feat = enable_feature,
	.dev_disable_feat = disable_feature,
	.remove_dev_pasid = remove_pasid,
	.page_response = mock_fault_answer,
	.default_domain = &blocking_domain,
	.blocked_domain = &blocking_domain,
	.pgsize_bitmap = MOCK_PAGE_SIZE,
	.user_pasid_table = 1,
};

static struct iommufd_viommu_driver viommu_driver = {
	.iommu_ops = &mock_ops,
	.get_viommu_size = mock_viommu_size,
	.viommu_init = mock_viommu_init,
};

/**
 * mock_iommu_fwnode - What leads a device to the mock IOMMU
 *
 * Return: the node, owned by this file.
 */
struct fwnode_handle *mock_iommu_fwnode(void)
{
	return dev_fwnode(&hwdev->dev);
}

static int add_hwdev(void)
{
	struct fwnode_handle *fwnode = fwnode_create_software_node(properties, NULL);
	struct platform_device_info info = {
		.name = NAME,
		.id = PLATFORM_DEVID_NONE,
		.fwnode = fwnode,
	};

	if (IS_ERR(fwnode))
		return PTR_ERR(fwnode);
	hwdev = platform_device_register_full(&info);
	if (IS_ERR(hwdev))
		fwnode_remove_software_node(fwnode);
	return PTR_ERR_OR_ZERO(hwdev);
}

static void remove_hwdev(void)
{
	struct fwnode_handle *fwnode = mock_iommu_fwnode();

	platform_device_unregister(hwdev);
	fwnode_remove_software_node(fwnode);
}

static int add_iommu(void)
{
	int ret;

	mock_iommu.max_pasids = 1U << MOCK_PASID_WIDTH;
	ret = iommu_device_sysfs_add(&mock_iommu, &hwdev->dev, NULL, "%s", NAME);
	if (ret)
		return ret;
	ret = iommu_device_register(&mock_iommu, &mock_ops, &hwdev->dev);
	if (ret)
		iommu_device_sysfs_remove(&mock_iommu);
	return ret;
}

static void remove_iommu(void)
{
	iommu_device_sysfs_remove(&mock_iommu);
	iommu_device_unregister(&mock_iommu);
}

/**
 * mock_iommu_register - Plug the IOMMU in
 *
 * Return: 0 or what the core said.
 */
int mock_iommu_register(void)
{
	int ret;

	iopf_queue = iopf_queue_alloc("mock-iopfq");
	if (!iopf_queue)
		return -ENOMEM;
	ret = add_hwdev();
	if (ret)
		goto free_queue;
	ret = add_iommu();
	if (ret)
		goto no_hwdev;
	ret = iommufd_viommu_driver_register(&viommu_driver);
	if (ret)
		goto no_iommu;
	return 0;

no_iommu:
	remove_iommu();
no_hwdev:
	remove_hwdev();
free_queue:
	iopf_queue_free(iopf_queue);
	return ret;
}

/**
 * mock_iommu_unregister - Unplug the IOMMU, of which no device is left
 */
void mock_iommu_unregister(void)
{
	iommufd_viommu_driver_unregister(&viommu_driver);
	remove_iommu();
	remove_hwdev();
	iopf_queue_free(iopf_queue);
}
