// SPDX-License-Identifier: GPL-2.0
/*
 * Fault queues.
 *
 * The IOMMU core hands a group of page requests to the handler of the domain, which
 * queues it. Reading gives a group a cookie and moves it to those that wait for a
 * response; the response, or the end of the attachment, takes it from there. A group is
 * at any time in exactly one of the two places, so it is answered exactly once. No lock
 * but the readers' own is held while user memory is touched: a reader that stands still
 * keeps other readers waiting, and nobody else.
 *
 * Locks: fault->answering, inside igroup->lock, from taking a group to having answered
 * it: when an attachment has ended, no answer to its device is under way. Then
 * fault->lock, a leaf but for the lock of fault->read inside.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pci-ats.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "device.h"
#include "fault.h"
#include "group.h"
#include "hwpt.h"
#include "ioctl.h"
#include "iommu_core.h"
#include "trace.h"

static struct iommufd_fault *to_fault(struct iommufd_eventq *eventq)
{
	return container_of(eventq, struct iommufd_fault, eventq);
}

static struct iommufd_fault_handle *to_handle(struct iopf_group *group)
{
	return container_of(group->attach_handle, struct iommufd_fault_handle, handle);
}

static int queue_group(struct iopf_group *group)
{
	struct iommufd_hwpt *hwpt = group->attach_handle->domain->fault_data;
	struct iommufd_fault *fault = hwpt->fault;

	/* From here on we, and not the core, owe the device an answer. */
	iommufd_core_fault_dequeue(group);
	scoped_guard(spinlock, &fault->lock)
		list_add_tail(&group->node, &fault->queued);
	wake_up_interruptible(&fault->eventq.wait);
	return 0;
}

static void answer_group(struct iommufd_fault *fault, struct iopf_group *group, u32 cookie,
			 enum iommu_page_response_code code)
{
	trace_iommufd_fault_answer(fault->eventq.obj.ictx, fault->eventq.obj.id,
				   to_handle(group)->idev->obj.id, cookie, code);
	iommufd_core_fault_answer(group, code);
	iopf_free_group(group);
}

static void fault_destroy(struct iommufd_object *obj)
{
	struct iommufd_fault *fault = container_of(obj, struct iommufd_fault, eventq.obj);

	/* No page table is left, and the end of each attachment answered its groups. */
	WARN_ON(!list_empty(&fault->queued) || !xa_empty(&fault->read));
	xa_destroy(&fault->read);
	mutex_destroy(&fault->answering);
}

static const struct iommufd_object_class fault_class = {
	.name = "fault queue",
	.destroy = fault_destroy,
};

static void fill_records(struct iopf_group *group, u32 cookie,
			 struct iommu_hwpt_pgfault *record)
{
	struct iopf_fault *iopf;

	list_for_each_entry(iopf, &group->faults, list) {
		const struct iommu_fault_page_request *req = &iopf->fault.prm;

		*record++ = (struct iommu_hwpt_pgfault){
			.flags = req->flags & (IOMMU_PGFAULT_FLAGS_PASID_VALID |
					       IOMMU_PGFAULT_FLAGS_LAST_PAGE),
			.dev_id = to_handle(group)->idev->obj.id,
			.pasid = req->pasid,
			.grpid = req->grpid,
			.perm = req->perm,
			.addr = req->addr,
			.cookie = cookie,
		};
	}
}

/* How many records the next group has; 0 when there is none. */
static size_t next_size(struct iommufd_fault *fault)
{
	struct iopf_group *group;

	guard(spinlock)(&fault->lock);
	group = list_first_entry_or_null(&fault->queued, struct iopf_group, node);
	return group ? group->fault_count : 0;
}

/* Let the first group, if it has at most @max records, wait under @cookie. */
static size_t take_group(struct iommufd_fault *fault, u32 cookie, size_t max,
			 struct iommu_hwpt_pgfault *records)
{
	struct iopf_group *group;

	guard(spinlock)(&fault->lock);
	group = list_first_entry_or_null(&fault->queued, struct iopf_group, node);
	if (!group || group->fault_count > max)
		return 0;

	fill_records(group, cookie, records);
	list_del(&group->node);
	/* The slot was reserved. */
	xa_store(&fault->read, cookie, group, GFP_ATOMIC);
	return group->fault_count;
}

static void give_back(struct iommufd_fault *fault, u32 cookie)
{
	struct iopf_group *group;

	guard(spinlock)(&fault->lock);
	group = xa_erase(&fault->read, cookie);
	if (group) {
		list_add(&group->node, &fault->queued);
		/* Somebody may have looked meanwhile, and waits. */
		wake_up_interruptible(&fault->eventq.wait);
	}
}

/* Copy one group of @n records; returns bytes, 0 if it has gone or grown meanwhile. */
static ssize_t read_group(struct iommufd_fault *fault, char __user *buf, size_t n)
{
	struct iommu_hwpt_pgfault *records __free(kvfree) =
		kvcalloc(n, sizeof(*records), GFP_KERNEL_ACCOUNT);
	size_t taken;
	u32 cookie;

	if (!records)
		return -ENOMEM;
	if (xa_alloc_cyclic(&fault->read, &cookie, XA_ZERO_ENTRY, xa_limit_32b,
			    &fault->next_cookie, GFP_KERNEL_ACCOUNT) < 0)
		return -ENOMEM;

	taken = take_group(fault, cookie, n, records);
	if (!taken) {
		xa_release(&fault->read, cookie);
		return 0;
	}
	if (copy_to_user(buf, records, taken * sizeof(*records))) {
		give_back(fault, cookie);
		return -EFAULT;
	}
	trace_iommufd_fault_deliver(fault->eventq.obj.ictx, fault->eventq.obj.id, records,
				    taken);
	return taken * sizeof(*records);
}

static ssize_t fault_read(struct iommufd_eventq *eventq, char __user *buf, size_t count)
{
	struct iommufd_fault *fault = to_fault(eventq);
	size_t done = 0, n;
	ssize_t ret;

	if (count % sizeof(struct iommu_hwpt_pgfault))
		return -ESPIPE;

	while ((n = next_size(fault))) {
		if (n * sizeof(struct iommu_hwpt_pgfault) > count - done)
			return done ?: -EINVAL;
		ret = read_group(fault, buf + done, n);
		if (ret < 0)
			return done ?: ret;
		done += ret;
	}
	return done;
}

static int respond(struct iommufd_fault *fault, const struct iommu_hwpt_page_response *resp)
{
	struct iopf_group *group;

	if (resp->code != IOMMUFD_PAGE_RESP_SUCCESS && resp->code != IOMMUFD_PAGE_RESP_INVALID)
		return -EINVAL;
	guard(mutex)(&fault->answering);
	/* A cookie that is only reserved belongs to a read under way. */
	scoped_guard(spinlock, &fault->lock) {
		group = xa_load(&fault->read, resp->cookie);
		if (group)
			xa_erase(&fault->read, resp->cookie);
	}
	if (!group)
		return -EINVAL;
	answer_group(fault, group, resp->cookie,
		     resp->code == IOMMUFD_PAGE_RESP_SUCCESS ? IOMMU_PAGE_RESP_SUCCESS :
							       IOMMU_PAGE_RESP_INVALID);
	return 0;
}

static ssize_t fault_write(struct iommufd_eventq *eventq, const char __user *buf,
			   size_t count)
{
	struct iommu_hwpt_page_response resp;
	size_t done = 0;
	int ret = 0;

	if (count % sizeof(resp))
		return -ESPIPE;

	while (done < count) {
		if (copy_from_user(&resp, buf + done, sizeof(resp)))
			ret = -EFAULT;
		else
			ret = respond(to_fault(eventq), &resp);
		if (ret)
			break;
		done += sizeof(resp);
	}
	return done ?: ret;
}

static bool fault_pending(struct iommufd_eventq *eventq)
{
	return next_size(to_fault(eventq));
}

static const struct iommufd_eventq_ops fault_ops = {
	.name = "[iommufd-pgfault]",
	.read = fault_read,
	.write = fault_write,
	.pending = fault_pending,
};

/**
 * iommufd_fault_alloc - IOMMU_FAULT_QUEUE_ALLOC
 * @cmd: struct iommu_fault_alloc
 *
 * Return: 0; -ENOMEM; -EMFILE, -ENFILE: no free descriptor.
 */
int iommufd_fault_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_fault_alloc *arg = cmd->arg;
	struct iommufd_fault *fault;

	fault = iommufd_object_new_at(cmd->ictx, &fault_class, struct iommufd_fault,
				      eventq.obj);
	if (IS_ERR(fault))
		return PTR_ERR(fault);

	mutex_init(&fault->answering);
	spin_lock_init(&fault->lock);
	INIT_LIST_HEAD(&fault->queued);
	xa_init_flags(&fault->read, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	iommufd_eventq_init(&fault->eventq, &fault_ops);
	arg->out_fault_id = fault->eventq.obj.id;
	cmd->new_obj = &fault->eventq.obj;
	/* On failure the dispatcher aborts the object. */
	return iommufd_eventq_prepare_fd(&fault->eventq, cmd, &arg->out_fault_fd);
}

/**
 * iommufd_fault_set - Let the faults of a new page table go to a queue
 * @hwpt: not published
 * @fault_id: id of the queue
 *
 * Return: 0; -ENOENT: no such queue.
 */
int iommufd_fault_set(struct iommufd_hwpt *hwpt, u32 fault_id)
{
	struct iommufd_object *obj __free(iommufd_object_put) =
		iommufd_object_get(hwpt->obj.ictx, fault_id, &fault_class);
	int ret;

	if (IS_ERR(obj))
		return PTR_ERR(obj);
	ret = iommufd_object_use(obj);
	if (ret)
		return ret;
	hwpt->fault = container_of(obj, struct iommufd_fault, eventq.obj);
	hwpt->domain->iopf_handler = queue_group;
	hwpt->domain->fault_data = hwpt;
	return 0;
}

/**
 * iommufd_fault_clear - A page table goes away
 * @hwpt: nothing is attached to it; with or without a queue
 */
void iommufd_fault_clear(struct iommufd_hwpt *hwpt)
{
	if (hwpt->fault)
		iommufd_object_unuse(&hwpt->fault->eventq.obj);
}

static int check_device(struct device *dev)
{
	/* Virtual functions share the page request interface of the physical one. */
	if (dev_is_pci(dev) && to_pci_dev(dev)->is_virtfn &&
	    pci_pri_supported(to_pci_dev(dev)))
		return -EINVAL;
	return 0;
}

/**
 * iommufd_fault_device_on - Let a device send page requests
 * @idev: the device, whose requests there is one more attachment to deliver to
 *
 * Context: Process context, may sleep. Holds igroup->lock.
 * Return: 0; -ENODEV: it can not; errors of the driver.
 */
int iommufd_fault_device_on(struct iommufd_device *idev)
{
	int ret = 0;

	lockdep_assert_held(&idev->igroup->lock);
	if (!idev->faulting)
		ret = iommu_dev_enable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
	if (!ret)
		idev->faulting++;
	return ret;
}

/**
 * iommufd_fault_device_off - Undo iommufd_fault_device_on()
 * @idev: the device
 *
 * Context: as iommufd_fault_device_on().
 */
void iommufd_fault_device_off(struct iommufd_device *idev)
{
	lockdep_assert_held(&idev->igroup->lock);
	if (!--idev->faulting)
		iommu_dev_disable_feature(idev->dev, IOMMU_DEV_FEAT_IOPF);
}

/**
 * iommufd_fault_handle_new - Make a handle to attach a device with
 * @idev: the only device that will be attached with it
 * @delivers: its page table has a fault queue
 *
 * Return: the handle; ERR_PTR(-EINVAL): the device's faults can not be told apart;
 * ERR_PTR(-ENOMEM).
 */
struct iommufd_fault_handle *iommufd_fault_handle_new(struct iommufd_device *idev,
						      bool delivers)
{
	struct iommufd_fault_handle *handle;
	int ret;

	ret = delivers ? check_device(idev->dev) : 0;
	if (ret)
		return ERR_PTR(ret);
	handle = kzalloc(sizeof(*handle), GFP_KERNEL_ACCOUNT);
	if (!handle)
		return ERR_PTR(-ENOMEM);
	handle->idev = idev;
	return handle;
}

/**
 * iommufd_fault_end - Answer all that an attachment leaves open
 * @fault: the queue
 * @handle: attachment that has ended in the core, so that no new faults come; freed
 *
 * The device gets the answer "invalid" for each, and none afterwards.
 *
 * Context: Process context. Holds igroup->lock.
 */
void iommufd_fault_end(struct iommufd_fault *fault, struct iommufd_fault_handle *handle)
{
	struct iopf_group *group, *tmp;
	unsigned long cookie;
	LIST_HEAD(open);

	guard(mutex)(&fault->answering);
	scoped_guard(spinlock, &fault->lock) {
		list_for_each_entry_safe(group, tmp, &fault->queued, node)
			if (group->attach_handle == &handle->handle)
				list_move_tail(&group->node, &open);
		xa_for_each(&fault->read, cookie, group) {
			if (group->attach_handle != &handle->handle)
				continue;
			xa_erase(&fault->read, cookie);
			list_add_tail(&group->node, &open);
		}
	}
	list_for_each_entry_safe(group, tmp, &open, node) {
		list_del(&group->node);
		answer_group(fault, group, 0, IOMMU_PAGE_RESP_INVALID);
	}
	kfree(handle);
}
