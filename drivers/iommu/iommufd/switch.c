// SPDX-License-Identifier: GPL-2.0
/*
 * Keeping maps and unmaps away while the hardware changes from one page table to another.
 *
 * VT-d takes levels away from a page table that is deeper than the IOMMU of the device can
 * walk, and does not flush a page table that it is about to detach, or has just attached.
 *
 * Locks: domains_rwsem of the IOAS of both page tables, for write, the one at the lower
 * address first. iommufd_switch_rwsem, for what maps without an IOAS's locks, inside.
 */
#include <linux/minmax.h>
#include <linux/rwsem.h>

#include "device_memory.h"
#include "hwpt.h"
#include "switch.h"

/**
 * iommufd_switch_begin - Before page tables are attached or detached
 * @hwpt: one of them
 * @other: another one, or NULL
 *
 * Context: Process context, may sleep. Takes domains_rwsem of both and
 * iommufd_switch_rwsem.
 */
void iommufd_switch_begin(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other)
{
	struct iommufd_ioas *first = hwpt->paging->ioas;
	struct iommufd_ioas *second = other ? other->paging->ioas : first;

	if (second < first)
		swap(first, second);
	down_write(&first->domains_rwsem);
	if (second != first)
		down_write_nested(&second->domains_rwsem, SINGLE_DEPTH_NESTING);
	down_write(&iommufd_switch_rwsem);
}

/**
 * iommufd_switch_end - Afterwards
 * @hwpt: as for iommufd_switch_begin()
 * @other: as for iommufd_switch_begin()
 *
 * Context: Process context. Drops what iommufd_switch_begin() took.
 */
void iommufd_switch_end(struct iommufd_hwpt *hwpt, struct iommufd_hwpt *other)
{
	up_write(&iommufd_switch_rwsem);
	if (other && other->paging->ioas != hwpt->paging->ioas)
		up_write(&other->paging->ioas->domains_rwsem);
	up_write(&hwpt->paging->ioas->domains_rwsem);
}
