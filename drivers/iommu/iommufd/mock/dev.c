// SPDX-License-Identifier: GPL-2.0
/*
 * Devices behind the mock IOMMU.
 *
 * They sit on the platform bus, which is one of those that the IOMMU core watches. What
 * ties them to the mock IOMMU is their firmware node: the core takes a device to the
 * driver of the IOMMU that its firmware specification names.
 */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dev.h"
#include "fault.h"
#include "iommu.h"
#include "viommu.h"

static DEFINE_IDA(numbers);

static unsigned long pasids_blocked;
module_param(pasids_blocked, ulong, 0600);
MODULE_PARM_DESC(pasids_blocked, "How often a PASID lost its page table and got no other");

static void release(struct device *dev)
{
	struct mock_dev *mdev = mock_dev_from(dev);

	ida_free(&numbers, mdev->pdev.id);
	/* The core has done this if it ever saw the device. */
	iommu_fwspec_free(dev);
	kfree(dev->iommu);
	xa_destroy(&mdev->pasids);
	mutex_destroy(&mdev->mutex);
	kfree(mdev);
}

/**
 * mock_dev_create - Plug a device in
 * @flags: MOCK_FLAGS_DEVICE_*
 * @peer: in the group of this one. NULL: in a group of its own
 *
 * Context: Process context, may sleep.
 * Return: the device; ERR_PTR(-ENODEV): the IOMMU did not take it; ERR_PTR(-ENOMEM).
 */
struct mock_dev *mock_dev_create(u32 flags, struct mock_dev *peer)
{
	struct mock_dev *mdev = kzalloc(sizeof(*mdev), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!mdev)
		return ERR_PTR(-ENOMEM);
	ret = ida_alloc(&numbers, GFP_KERNEL);
	if (ret < 0) {
		kfree(mdev);
		return ERR_PTR(ret);
	}

	mdev->flags = flags;
	mdev->peer = peer;
	memset32(mdev->cache, IOMMU_TEST_DEV_CACHE_DEFAULT, MOCK_DEV_CACHE_NUM);
	init_rwsem(&mdev->switching);
	mutex_init(&mdev->mutex);
	xa_init(&mdev->pasids);
	INIT_LIST_HEAD(&mdev->unanswered);
	mdev->pdev.name = "iommufd_mock";
	mdev->pdev.id = ret;
	device_initialize(&mdev->pdev.dev);
	mdev->pdev.dev.release = release;
	ret = iommu_fwspec_init(&mdev->pdev.dev, mock_iommu_fwnode()) ?:
	      platform_device_add(&mdev->pdev);
	mdev->peer = NULL;
	/* The bus goes on when there is no memory for the name. */
	if (ret == -EINVAL && !dev_name(&mdev->pdev.dev))
		ret = -ENOMEM;
	if (ret) {
		put_device(&mdev->pdev.dev);
		return ERR_PTR(ret);
	}
	/* The bus does not mind when the IOMMU core could not make a group. */
	if (!device_iommu_mapped(&mdev->pdev.dev)) {
		mock_dev_destroy(mdev);
		return ERR_PTR(-ENOMEM);
	}
	return mdev;
}

/**
 * mock_dev_destroy - Unplug a device
 * @mdev: device that is not bound
 *
 * Context: Process context, may sleep.
 */
void mock_dev_destroy(struct mock_dev *mdev)
{
	WARN_ON(mdev->in_guest);
	mock_fault_forget(mdev);
	platform_device_unregister(&mdev->pdev);
}

/**
 * mock_dev_is - Is a device one of ours?
 * @dev: any device
 *
 * Return: true if so.
 */
bool mock_dev_is(struct device *dev)
{
	return dev->release == release;
}

/**
 * mock_dev_event - Have something to tell to the guest
 * @mdev: the device
 *
 * Context: Process context. Takes mdev->mutex, which keeps the vIOMMU.
 * Return: 0; -ENOENT: it is not attached through a vIOMMU; errors of mock_viommu_event().
 */
int mock_dev_event(struct mock_dev *mdev)
{
	guard(mutex)(&mdev->mutex);
	return mdev->viommu ? mock_viommu_event(mdev->viommu, &mdev->pdev.dev) : -ENOENT;
}

/**
 * mock_dev_set_viommu - Take down through what the device is attached
 * @mdev: the device
 * @viommu: vIOMMU of its page table, or NULL
 *
 * Context: Process context. Takes mdev->mutex.
 */
void mock_dev_set_viommu(struct mock_dev *mdev, struct iommufd_viommu *viommu)
{
	guard(mutex)(&mdev->mutex);
	mdev->viommu = viommu;
}

/**
 * mock_dev_set_pasid - Attach a PASID
 * @mdev: the device
 * @pasid: which PASID
 * @domain: to what
 * @old: what it is attached to so far, or NULL
 *
 * The second time that IOMMU_TEST_PASID_RESERVED is attached fails.
 *
 * Context: Process context. Takes mdev->mutex.
 * Return: 0; -ENOMEM.
 */
int mock_dev_set_pasid(struct mock_dev *mdev, u32 pasid, struct iommu_domain *domain,
		       struct iommu_domain *old)
{
	guard(mutex)(&mdev->mutex);
	if (pasid == IOMMU_TEST_PASID_RESERVED && ++mdev->reserved_pasid_uses == 2)
		return -ENOMEM;
	if (!old)
		return xa_insert(&mdev->pasids, pasid, domain, GFP_KERNEL_ACCOUNT);
	WARN_ON(xa_store(&mdev->pasids, pasid, domain, GFP_KERNEL_ACCOUNT) != old);
	return 0;
}

/**
 * mock_dev_remove_pasid - Detach a PASID
 * @mdev: the device
 * @pasid: which is attached
 *
 * Context: Process context. Waits in mdev->mutex for a fault that is being reported.
 */
void mock_dev_remove_pasid(struct mock_dev *mdev, u32 pasid)
{
	guard(mutex)(&mdev->mutex);
	WARN_ON(!xa_erase(&mdev->pasids, pasid));
	pasids_blocked++;
}

/**
 * mock_dev_pasid_domain - To what is a PASID attached?
 * @mdev: the device
 * @pasid: the PASID
 *
 * Return: the domain, which the caller does not use but as a number; NULL: nothing.
 */
struct iommu_domain *mock_dev_pasid_domain(struct mock_dev *mdev, u32 pasid)
{
	return xa_load(&mdev->pasids, pasid);
}

/**
 * mock_dev_invalidate - Drop what the device has cached
 * @mdev: the device
 * @id: which entry, at most MOCK_DEV_CACHE_ID_MAX
 * @all: all of them
 *
 * Context: Any.
 */
void mock_dev_invalidate(struct mock_dev *mdev, u32 id, bool all)
{
	unsigned int i;

	for (i = 0; i < MOCK_DEV_CACHE_NUM; i++)
		if (all || i == id)
			WRITE_ONCE(mdev->cache[i], 0);
}

/**
 * mock_dev_cache_is - Look at what the device has cached
 * @mdev: the device
 * @id: which entry
 * @value: what it should be
 *
 * Return: true if it is; false: another value, or no such entry.
 */
bool mock_dev_cache_is(struct mock_dev *mdev, u32 id, u32 value)
{
	return id < MOCK_DEV_CACHE_NUM && READ_ONCE(mdev->cache[id]) == value;
}
