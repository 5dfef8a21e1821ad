/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of devices, such as the BARs of vfio-pci, as the target of other devices.
 */
#ifndef __IOMMUFD_DEVICE_MEMORY_H
#define __IOMMUFD_DEVICE_MEMORY_H

#include "internal.h"
#include "pages.h"

struct device;
struct rw_semaphore;
struct iommu_domain;
struct iommufd_area;
struct iommufd_device_memory;
struct iommufd_place;

/* For write around the switch of a domain; see device_memory.c */
extern struct rw_semaphore iommufd_switch_rwsem;

/* Such pages are not pinned, not charged, and may be gone at any time. */
static inline bool iommufd_pages_of_device(const struct iommufd_pages *pages)
{
	return !pages->ops->pin;
}

int iommufd_device_memory_add(struct iommufd_ctx *ictx, struct device *dev);
void iommufd_device_memory_remove(struct device *dev);

struct iommufd_pages *iommufd_device_memory_pages(struct iommufd_ctx *ictx,
						  const struct iommufd_place *place,
						  int prot);
int iommufd_device_memory_map(struct iommu_domain *domain, struct iommufd_area *area,
			      bool huge_pages);
void iommufd_device_memory_unmap(struct iommu_domain *domain, struct iommufd_area *area);

#endif
