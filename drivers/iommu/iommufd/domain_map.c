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
#include <linux/sizes.h>

#include "area.h"
#include "device_memory.h"
#include "domain_map.h"
#include "extent.h"
#include "pages.h"

/* Bytes of IOVA that are mapped or unmapped without letting others run */
#define STEP ((unsigned long)SZ_1G)

/* Nobody but us maps anything here, so what is mapped so far is [start, end). */
static void undo(struct iommu_domain *domain, unsigned long start, unsigned long end)
{
	if (end != start)
		WARN_ON(iommu_unmap(domain, start, end - start) != end - start);
}

/* Without huge pages, IOVA and length are page aligned and each page is a call. */
static int map_run(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys,
		   unsigned long length, int prot, bool huge_pages)
{
	unsigned long done = 0, n;
	int ret;

	while (done < length) {
		n = huge_pages ? STEP - (iova + done) % STEP : PAGE_SIZE;
		n = min(n, length - done);
		ret = iommu_map(domain, iova + done, phys + done, n, prot,
				GFP_KERNEL_ACCOUNT);
		if (ret) {
			undo(domain, iova, iova + done);
			return ret;
		}
		done += n;
		if (done < length)
			cond_resched();
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
 * After an error nothing of the area is mapped.
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
		ret = map_run(domain, iova, PFN_PHYS(pfn) + offset, length, area->prot,
			      huge_pages);
		if (ret)
			break;

		index += npages;
		iova += length;
		left -= length;
		offset = 0;
		runs++;
	}
	if (ret)
		undo(domain, area->span.start, iova);
	else
		WRITE_ONCE(area->runs, runs);
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
	unsigned long iova = area->span.start, last = area->span.last;

	if (iommufd_pages_of_device(area->pages)) {
		iommufd_device_memory_unmap(domain, area);
		return;
	}
	while (iova <= last) {
		unsigned long step_last = min(iova | (STEP - 1), last);
		size_t length = step_last - iova + 1;

		/* A fault of the driver. The IOPTEs that stay behind keep the memory. */
		if (WARN_ON(iommu_unmap(domain, iova, length) != length)) {
			area->lost = true;
			return;
		}
		if (step_last == ULONG_MAX)
			return;
		iova = step_last + 1;
		cond_resched();
	}
}
