// SPDX-License-Identifier: GPL-2.0
/*
 * Domains come and go, and every domain maps every area of its IOAS.
 *
 * A domain joins or leaves under ioas->domains_rwsem held for write, when no area is
 * half-way: areas are either in all domains or in none. The first domain makes the areas
 * hold their pages, and the last one that leaves lets them go.
 *
 * Locks: ioas->domains_rwsem, then ioas->iova_rwsem, then pages->mutex.
 */
#include <linux/iommu.h>
#include <linux/mm.h>

#include "area.h"
#include "dirty_log.h"
#include "domain_map.h"
#include "ioas.h"
#include "mapping.h"
#include "mirror.h"
#include "owner.h"
#include "pages.h"

static int reserve_range(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror,
			 unsigned long start, unsigned long last)
{
	int ret = iommufd_iova_reserve(&ioas->iova, &mirror->outside, start, last);

	if (ret == -EADDRINUSE)
		iommufd_owner_report_conflict(mirror->outside.owner, start, last);
	return ret;
}

static int reserve_outside(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	const struct iommu_domain_geometry *geometry = &mirror->domain->geometry;
	int ret = 0;

	if (geometry->aperture_start)
		ret = reserve_range(ioas, mirror, 0, geometry->aperture_start - 1);
	if (!ret && geometry->aperture_end < ULONG_MAX)
		ret = reserve_range(ioas, mirror, geometry->aperture_end + 1, ULONG_MAX);
	return ret;
}

static int join_iova_space(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	unsigned long smallest = 1UL << __ffs(mirror->domain->pgsize_bitmap);
	int ret;

	if (smallest > PAGE_SIZE)
		return -EINVAL;

	guard(rwsem_write)(&ioas->iova_rwsem);
	ret = iommufd_ioas_raise_alignment(ioas, smallest);
	if (ret)
		return ret;
	ret = reserve_outside(ioas, mirror);
	if (ret) {
		iommufd_iova_unreserve(&ioas->iova, &mirror->outside);
		iommufd_ioas_update_alignment(ioas);
	}
	return ret;
}

static void leave_iova_space(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	guard(rwsem_write)(&ioas->iova_rwsem);
	iommufd_iova_unreserve(&ioas->iova, &mirror->outside);
	iommufd_ioas_update_alignment(ioas);
}

/* Take the areas below @end out of a domain, and release them if it was the last. */
static void drain(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror,
		  const struct iommufd_area *end)
{
	struct iommufd_area *area;

	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		if (area == end)
			break;
		iommufd_domain_unmap(mirror->domain, area);
	}

	if (!list_empty(&ioas->mirrors))
		return;
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		if (area == end)
			break;
		iommufd_mapping_release(area);
	}
}

static int fill_one(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror,
		    struct iommufd_area *area)
{
	bool first = list_empty(&ioas->mirrors);
	int ret;

	guard(mutex)(&area->pages->mutex);
	if (first && !area->lost) {
		ret = iommufd_pages_hold(area->pages, &area->holder);
		if (ret)
			return ret;
	}
	ret = iommufd_domain_map(mirror->domain, area, ioas->huge_pages);
	if (ret && first && !area->lost)
		iommufd_pages_release(area->pages, &area->holder);
	return ret;
}

static int fill(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	struct iommufd_area *area;
	int ret;

	guard(rwsem_read)(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, 0, ULONG_MAX) {
		ret = fill_one(ioas, mirror, area);
		if (ret) {
			drain(ioas, mirror, area);
			return ret;
		}
	}
	return 0;
}

/**
 * iommufd_mirror_join - Make a new domain a mirror of an IOAS
 * @ioas: the IOAS
 * @mirror: with its domain filled in and its reservation initialised; nothing is mapped there yet
 *
 * Context: Process context, may sleep for long.
 * Return: 0; -EINVAL: the domain has no small enough pages; -EADDRINUSE: what is mapped
 * or allowed does not fit the domain; errors of iommufd_pages_hold() and
 * iommufd_domain_map(). After an error everything is as before.
 */
int iommufd_mirror_join(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	int ret;

	guard(rwsem_write)(&ioas->domains_rwsem);

	ret = join_iova_space(ioas, mirror);
	if (ret)
		return ret;

	ret = fill(ioas, mirror);
	if (ret) {
		leave_iova_space(ioas, mirror);
		return ret;
	}
	list_add_tail(&mirror->entry, &ioas->mirrors);
	return 0;
}

/**
 * iommufd_mirror_leave - Empty a domain and stop mirroring
 * @ioas: the IOAS
 * @mirror: its domain, to which no device is attached any more
 *
 * Context: Process context, may sleep for long.
 */
void iommufd_mirror_leave(struct iommufd_ioas *ioas, struct iommufd_mirror *mirror)
{
	guard(rwsem_write)(&ioas->domains_rwsem);
	list_del(&mirror->entry);
	scoped_guard(rwsem_read, &ioas->iova_rwsem) {
		iommufd_dirty_log_lose_mirror(ioas);
		drain(ioas, mirror, NULL);
	}
	leave_iova_space(ioas, mirror);
}
