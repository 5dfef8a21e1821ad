// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults of mock devices.
 *
 * A device waits for one answer to each group of its requests, and would hang without.
 * The groups that wait are therefore kept here. An answer that none of them waits for is
 * a fault of whoever gave it, and so is a device that is unplugged while one waits.
 *
 * Locks: a spinlock, which is a leaf.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "dev.h"
#include "fault.h"

/* A group of requests, in mdev->unanswered */
struct waiting {
	struct list_head entry;
	u32 pasid;
	u32 grpid;
};

static DEFINE_SPINLOCK(lock); /* protects the lists of all devices and what follows */

static unsigned long page_faults[1 + IOMMU_PAGE_RESP_FAILURE + 1];
module_param_array(page_faults, ulong, NULL, 0400);
MODULE_PARM_DESC(page_faults,
		 "Groups of page requests so far; of these answered with success, invalid, failure");

static bool is_last(const struct iopf_fault *event)
{
	return event->fault.prm.flags & IOMMU_FAULT_PAGE_REQUEST_LAST_PAGE;
}

static int wait_for_answer(struct mock_dev *mdev, const struct iopf_fault *event)
{
	struct waiting *group = kzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);

	if (!group)
		return -ENOMEM;
	group->pasid = event->fault.prm.pasid;
	group->grpid = event->fault.prm.grpid;
	guard(spinlock)(&lock);
	list_add_tail(&group->entry, &mdev->unanswered);
	page_faults[0]++;
	return 0;
}

static struct waiting *find(struct mock_dev *mdev, const struct iommu_page_response *answer)
{
	struct waiting *group;

	lockdep_assert_held(&lock);
	list_for_each_entry(group, &mdev->unanswered, entry)
		if (group->pasid == answer->pasid && group->grpid == answer->grpid)
			return group;
	return NULL;
}

/**
 * mock_fault_report - Have a page fault
 * @mdev: the device
 * @event: says where. If it is not the last of its group it waits for that one
 *
 * Context: Process context, may sleep. Takes mdev->switching for read, and mdev->mutex.
 * Return: 0; -EINVAL: faults are off, or nobody takes it and it is not the last; -ENOMEM.
 */
int mock_fault_report(struct mock_dev *mdev, struct iopf_fault *event)
{
	int ret;

	guard(rwsem_read)(&mdev->switching);
	guard(mutex)(&mdev->mutex);
	if (!mdev->faults)
		return -EINVAL;
	if (!is_last(event))
		return iommu_report_device_fault(&mdev->pdev.dev, event);
	ret = wait_for_answer(mdev, event);
	if (!ret)
		iommu_report_device_fault(&mdev->pdev.dev, event);
	return ret;
}

/**
 * mock_fault_answer - A group of page requests is answered
 * @dev: the device
 * @fault: the last of the group
 * @answer: to the group
 *
 * Context: Any but interrupts.
 */
void mock_fault_answer(struct device *dev, struct iopf_fault *fault,
		       struct iommu_page_response *answer)
{
	struct waiting *group;

	/* The core also refuses requests that wait for no answer. */
	if (!is_last(fault))
		return;
	guard(spinlock)(&lock);
	group = find(mock_dev_from(dev), answer);
	if (dev_WARN_ONCE(dev, !group, "page fault %u of PASID %u is not open, yet answered\n",
			  answer->grpid, answer->pasid))
		return;
	list_del(&group->entry);
	kfree(group);
	page_faults[1 + answer->code]++;
}

/**
 * mock_fault_forget - The device is unplugged
 * @mdev: a device whose faults are off
 *
 * Context: Any but interrupts.
 */
void mock_fault_forget(struct mock_dev *mdev)
{
	struct waiting *group, *tmp;

	guard(spinlock)(&lock);
	dev_WARN_ONCE(&mdev->pdev.dev, !list_empty(&mdev->unanswered),
		      "page faults were never answered\n");
	list_for_each_entry_safe(group, tmp, &mdev->unanswered, entry) {
		list_del(&group->entry);
		kfree(group);
	}
}
