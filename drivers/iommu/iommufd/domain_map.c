// SPDX-License-Identifier: GPL-2.0
/*
 * From runs of PFNs to IOPTEs.
 *
 * A domain gets one iommu_map() per physically contiguous run, which lets the driver
 * choose the largest IOPTEs that fit. The way out needs no PFNs at all: the IOVAs of
 * the area are enough.
 *
 * Nothing is mapped across a multiple of 1 GiB by one call, so areas can be unmapped in
 * such steps without cutting an IOPTE. Each step is flushed by itself. One flush for
 * several would be no faster, drivers flush when the ranges are not adjacent, and VT-d
 * frees the tables of a range that it has not flushed then.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>

#include "area.h"
#include "device_memory.h"
#include "domain_map.h"
#include "extent.h"
#include "pages.h"

/*
 * Take [@start, @last] out, which is fully mapped, and flush. False: a fault of the driver,
 * IOPTEs stay behind.
 */
static bool unmap_steps(struct iommu_domain *domain, unsigned long start, unsigned long last)
{
	for (;;) {
		unsigned long step_last = min(start | (IOMMUFD_DOMAIN_STEP - 1), last);
		size_t length = step_last - start + 1;

		if (WARN_ON(iommu_unmap(domain, start, length) != length))
			return false;
		if (step_last == last)
			return true;
		start = step_last + 1;
		cond_resched();
	}
}

/*
 * Map a run and move *@iova behind what has been mapped, also when it is not all. Without
 * huge pages, IOVA and length are page aligned and each page is a call.
 */
static int map_run(struct iommu_domain *domain, unsigned long *iova, phys_addr_t phys,
		   unsigned long length, int prot, bool huge_pages)
{
	unsigned long step = huge_pages ? IOMMUFD_DOMAIN_STEP : PAGE_SIZE, n;
	int ret;

	for (; length; length -= n, phys += n) {
		n = min(step - *iova % step, length);
		ret = iommu_map(domain, *iova, phys, n, prot, GFP_KERNEL_ACCOUNT);
		if (ret)
			return ret;
		*iova += n;
		if (n == length)
			return 0;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/**
 * iommufd_domain_map - Map a whole area
 * @domain: paging domain in which nothing is mapped at the area's IOVAs
 * @area: area that is held
 * @huge_pages: whether IOPTEs above PAGE_SIZE may be used
 *
 * Context: Process context, may sleep. Holds area->pages->mutex.
 * Return: 0; -EINTR: a fatal signal came; what the driver returned, -ENOMEM as a rule.
 * After an error nothing of the area is mapped, or it is marked lost.
 */
int iommufd_domain_map(struct iommu_domain *domain, struct iommufd_area *area,
		       bool huge_pages)
{
	unsigned long index = area->holder.node.start, last = area->holder.node.last;
	unsigned long iova = area->span.start, left = iommufd_area_length(area);
	unsigned long offset = area->page_offset, pause = index, runs = 0;
	int ret = 0;

	lockdep_assert_held(&area->pages->mutex);
	if (iommufd_pages_of_device(area->pages))
		return iommufd_device_memory_map(domain, area, huge_pages);

	while (left) {
		unsigned long pfn, npages, length;

		if (index >= pause) {
			pause = index + IOMMUFD_CHUNK_PAGES;
			cond_resched();
			if (fatal_signal_pending(current)) {
				ret = -EINTR;
				break;
			}
		}

		npages = iommufd_extents_run(&area->pages->extents, index, last, &pfn);
		if (WARN_ON(!npages)) {
			ret = -EFAULT;
			break;
		}
		length = min(npages * PAGE_SIZE - offset, left);
		ret = map_run(domain, &iova, PFN_PHYS(pfn) + offset, length, area->prot,
			      huge_pages);
		if (ret)
			break;

		index += npages;
		left -= length;
		offset = 0;
		runs++;
	}
	if (!ret)
		WRITE_ONCE(area->runs, runs);
	else if (iova != area->span.start && !unmap_steps(domain, area->span.start, iova - 1))
		area->lost = true;
	return ret;
}

/**
 * iommufd_domain_unmap - Unmap a whole area, and flush
 * @domain: domain in which the area is mapped
 * @area: the area
 *
 * Devices can not reach the memory through @domain afterwards. Should a driver not have
 * unmapped everything, the area is marked lost: its pages stay pinned for ever.
 *
 * Context: Process context, may sleep.
 */
void iommufd_domain_unmap(struct iommu_domain *domain, struct iommufd_area *area)
{
	if (iommufd_pages_of_device(area->pages))
		iommufd_device_memory_unmap(domain, area);
	else if (!unmap_steps(domain, area->span.start, area->span.last))
		area->lost = true;
}
