// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users that follow an IOAS: they want to have all of it, like a domain, and
 * not only the pages that they ask for.
 *
 * Such a user walks through what is mapped when it attaches, and its map is called for
 * everything that comes later. The two overlap, so it has to recognise what it has. It
 * learns from unmap, as every user, what leaves.
 *
 * Locks: none is held while map is called; an area may be gone again by then.
 */
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/module.h>

#include "access.h"
#include "area.h"
#include "device_memory.h"
#include "ioas.h"
#include "pages.h"

/**
 * iommufd_access_next_area - Find what is mapped
 * @access: attached access
 * @iova: where to begin; set to the first byte of the mapping that is there, or comes
 *	  next. That may be before where it begins
 * @length: set to the number of bytes of that mapping
 * @prot: set to IOMMU_READ, IOMMU_WRITE or both
 *
 * Mappings that are being made or removed are passed over: for the one map is called
 * later, and unmap has been called, if need be, for the other. So is memory of devices,
 * which can not be pinned.
 *
 * Context: Process context, may sleep.
 * Return: 0; -ENOENT: not attached, or nothing is mapped from *@iova on.
 */
int iommufd_access_next_area(struct iommufd_access *access, unsigned long *iova,
			     unsigned long *length, int *prot)
{
	struct iommufd_area *area;

	guard(mutex)(&access->mutex);
	if (!access->ioas)
		return -ENOENT;
	guard(rwsem_read)(&access->ioas->iova_rwsem);

	iommufd_area_for_each(area, access->ioas, *iova, ULONG_MAX) {
		if (area->state != IOMMUFD_AREA_MAPPED || iommufd_pages_of_device(area->pages))
			continue;
		*iova = area->span.start;
		*length = area->span.last - *iova + 1;
		*prot = area->prot & (IOMMU_READ | IOMMU_WRITE);
		return 0;
	}
	return -ENOENT;
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_next_area, IOMMUFD);

/**
 * iommufd_access_get_file - Find the file behind a mapping
 * @access: attached access
 * @iova: an address there; the caller has it pinned, so that it stays
 * @offset: set to the byte of the file at @iova
 *
 * For users that play the device in a process, to which physical memory means nothing.
 *
 * Context: Process context, may sleep.
 * Return: the file, with a reference; ERR_PTR(-ENOENT): nothing is mapped there;
 * ERR_PTR(-EOPNOTSUPP): the memory is not of a file.
 */
struct file *iommufd_access_get_file(struct iommufd_access *access, unsigned long iova,
				     u64 *offset)
{
	struct iommufd_pages *pages;
	struct iommufd_area *area;

	guard(mutex)(&access->mutex);
	if (!access->ioas)
		return ERR_PTR(-ENOENT);
	guard(rwsem_read)(&access->ioas->iova_rwsem);

	area = iommufd_area_first(access->ioas, iova, iova);
	if (!area)
		return ERR_PTR(-ENOENT);
	pages = area->pages;
	if (!pages->ops->file)
		return ERR_PTR(-EOPNOTSUPP);
	*offset = pages->addr + iommufd_area_offset(area, iova);
	return get_file(pages->ops->file(pages));
}
EXPORT_SYMBOL_NS_GPL(iommufd_access_get_file, IOMMUFD);

/**
 * iommufd_access_notify_map - Tell the users that follow what is new
 * @ioas: the IOAS
 * @iova: first byte
 * @length: bytes
 *
 * Context: Process context, no locks held, may sleep for long.
 * Return: 0, or the error of a user that can not take it. The others have it then.
 */
int iommufd_access_notify_map(struct iommufd_ioas *ioas, unsigned long iova,
			      unsigned long length)
{
	struct iommufd_access *access;
	unsigned long id = 0;
	int ret = 0;

	while (!ret && (access = iommufd_access_next(ioas, &id))) {
		if (access->ops->map)
			ret = access->ops->map(access->data, iova, length);
		iommufd_object_put(&access->obj);
	}
	return ret;
}
