// SPDX-License-Identifier: GPL-2.0
/*
 * Who reserved IOVAs, in words, for those who wonder why something can not be mapped or
 * attached. The errno can not tell.
 */
#include <linux/device.h>
#include <linux/pid.h>
#include <linux/sched.h>

#include "device.h"
#include "hwpt.h"
#include "ioas.h"
#include "owner.h"

/**
 * iommufd_owner_text - Name the owner of a reservation
 * @owner: a device, a page table, or NULL
 * @text: where to
 * @size: of @text, IOMMUFD_OWNER_LEN
 *
 * Context: ioas->iova_rwsem, which keeps the reservation and thereby the owner.
 */
void iommufd_owner_text(const struct iommufd_object *owner, char *text, size_t size)
{
	if (!owner)
		strscpy(text, "a test", size);
	else if (owner->class == &iommufd_device_class)
		snprintf(text, size, "device %u (%s)", owner->id,
			 dev_name(container_of(owner, struct iommufd_device, obj)->dev));
	else
		snprintf(text, size, "%s %u, which can not translate it", owner->class->name,
			 owner->id);
}

/**
 * iommufd_owner_report_hit - Say which reserved range is in the way of a mapping
 * @ioas: the IOAS
 * @start: first byte to be mapped
 * @last: last byte, inclusive
 *
 * Says nothing if there is none.
 *
 * Context: Holds ioas->iova_rwsem.
 */
void iommufd_owner_report_hit(const struct iommufd_ioas *ioas, unsigned long start,
			      unsigned long last)
{
	const struct iommufd_iova_range *range;
	char owner[IOMMUFD_OWNER_LEN];

	lockdep_assert_held(&ioas->iova_rwsem);
	range = iommufd_iova_first_reserved(&ioas->iova, start, last);
	if (!range)
		return;
	iommufd_owner_text(range->owner, owner, sizeof(owner));
	pr_info_ratelimited("iommufd: %s (%d): IOVA %#lx-%#lx can not be mapped, %#lx-%#lx is reserved by %s\n",
			    current->comm, task_tgid_nr(current), start, last,
			    range->node.start, range->node.last, owner);
}

/**
 * iommufd_owner_report_conflict - Say what prevents a device or page table from joining
 * @owner: who wants to reserve
 * @start: first byte of what it wants
 * @last: last byte, inclusive
 *
 * Context: Any, with @owner kept.
 */
void iommufd_owner_report_conflict(const struct iommufd_object *owner, unsigned long start,
				   unsigned long last)
{
	char text[IOMMUFD_OWNER_LEN];

	iommufd_owner_text(owner, text, sizeof(text));
	pr_info_ratelimited("iommufd: %s (%d): IOVA %#lx-%#lx must be free for %s, but there is a mapping or an allowed range\n",
			    current->comm, task_tgid_nr(current), start, last, text);
}
