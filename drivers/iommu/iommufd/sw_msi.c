// SPDX-License-Identifier: GPL-2.0
/*
 * Where MSI writes of devices go on platforms whose IOMMU translates them.
 *
 * There the core maps the page of the interrupt controller into the domain, in a window
 * that the driver reports as a region of type SW_MSI. On others, x86 among them, the
 * window is not translated and its region only has to be kept free.
 */
#include <linux/iommu.h>

#include "device.h"
#include "sw_msi.h"

static bool find_window(struct device *dev, phys_addr_t *start)
{
	struct iommu_resv_region *region;
	bool found = false;
	LIST_HEAD(regions);

	iommu_get_resv_regions(dev, &regions);
	list_for_each_entry(region, &regions, list) {
		found = region->type == IOMMU_RESV_SW_MSI;
		if (found) {
			*start = region->start;
			break;
		}
	}
	iommu_put_resv_regions(dev, &regions);
	return found;
}

/**
 * iommufd_sw_msi_setup - Give a new domain its MSI window
 * @idev: device for whose IOMMU the domain is
 * @domain: new paging domain
 *
 * Context: Process context, may sleep.
 * Return: 0, also where no window is needed; -ENOMEM.
 */
int iommufd_sw_msi_setup(struct iommufd_device *idev, struct iommu_domain *domain)
{
	phys_addr_t start;

	return find_window(idev->dev, &start) ? iommu_get_msi_cookie(domain, start) : 0;
}
