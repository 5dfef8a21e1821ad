/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices behind the mock IOMMU.
 */
#ifndef __IOMMUFD_MOCK_DEV_H
#define __IOMMUFD_MOCK_DEV_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include "iommufd_test.h"

struct iommu_domain;
struct iommufd_viommu;

/**
 * struct mock_dev - One device
 * @pdev: as the rest of the kernel sees it; no driver binds to it
 * @flags: MOCK_FLAGS_DEVICE_*
 * @peer: while it is plugged in, the device in whose group it is to be, or NULL
 * @switching: for write while page tables are switched, for read while a fault is reported.
 *	      Hardware's drivers drain faults when they switch, but the core of 6.12 names
 *	      the new page table only afterwards: a fault of that moment is reported with
 *	      what iommufd is about to free
 * @mutex: protects @faults, @viommu and @reserved_pasid_uses, also while one of them is in use
 * @faults: page faults are on
 * @unanswered: page requests that wait for an answer, see fault.c
 * @in_guest: it has a vDEVICE, of which there is one at a time
 * @viommu: the vIOMMU of the page table it is attached to, or NULL
 * @pasids: PASID -> struct iommu_domain it is attached to
 * @reserved_pasid_uses: how often IOMMU_TEST_PASID_RESERVED was attached
 * @cache: what it has cached, as far as a guest's IOMMU is concerned
 */
struct mock_dev {
	struct platform_device pdev;
	u32 flags;
	struct mock_dev *peer;
	struct rw_semaphore switching;
	struct mutex mutex; /* protects @faults and what follows */
	bool faults;
	struct list_head unanswered; /* has a lock of its own */
	bool in_guest;
	struct iommufd_viommu *viommu;
	struct xarray pasids;
	unsigned int reserved_pasid_uses;
	u32 cache[MOCK_DEV_CACHE_NUM];
};

static inline struct mock_dev *mock_dev_from(struct device *dev)
{
	return container_of(dev, struct mock_dev, pdev.dev);
}

struct mock_dev *mock_dev_create(u32 flags, struct mock_dev *peer);
void mock_dev_destroy(struct mock_dev *mdev);
bool mock_dev_is(struct device *dev);
int mock_dev_event(struct mock_dev *mdev);
void mock_dev_set_viommu(struct mock_dev *mdev, struct iommufd_viommu *viommu);
int mock_dev_set_pasid(struct mock_dev *mdev, u32 pasid, struct iommu_domain *domain,
		       struct iommu_domain *old);
void mock_dev_remove_pasid(struct mock_dev *mdev, u32 pasid);
struct iommu_domain *mock_dev_pasid_domain(struct mock_dev *mdev, u32 pasid);
void mock_dev_invalidate(struct mock_dev *mdev, u32 id, bool all);
bool mock_dev_cache_is(struct mock_dev *mdev, u32 id, u32 value);

#endif
