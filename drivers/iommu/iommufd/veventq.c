// SPDX-License-Identifier: GPL-2.0
/*
 * vEVENTQs: what a guest's IOMMU has to tell the guest.
 *
 * The IOMMU driver reports events, from any context and without waiting. A queue is
 * bounded. Events beyond its depth are lost but numbered. A reader that has seen all others
 * is told so by a header of its own, unless an event came after: then the gap in the numbers
 * says it.
 *
 * Locks: viommu->events_lock, a leaf, for the queues of a vIOMMU and all that is in them.
 * User memory is touched without it, so what can not be delivered is put back.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "eventq.h"
#include "ioctl.h"
#include "veventq.h"
#include "viommu.h"

/* More are a mistake; all of them are kernel memory. */
#define MAX_DEPTH BIT(19)

/**
 * struct event - One event
 * @entry: in veventq->queued
 * @header: as user space gets it
 * @length: bytes of @data
 * @data: the driver's
 */
struct event {
	struct list_head entry;
	struct iommufd_vevent_header header;
	size_t length;
	u8 data[] __counted_by(length);
};

/**
 * struct iommufd_veventq - One queue
 * @eventq: its file is the only user
 * @viommu: whose events; a use of its object. Immutable
 * @type: which of them, immutable
 * @depth: how many are kept, immutable
 * @entry: in viommu->veventqs
 * @queued: struct event
 * @nevents: how many of them
 * @next: number of the next event
 * @lost: the event before @next was lost, and nobody has been told
 */
struct iommufd_veventq {
	struct iommufd_eventq eventq;
	struct iommufd_viommu *viommu;
	enum iommu_veventq_type type;
	unsigned int depth;

	/* viommu->events_lock */
	struct list_head entry;
	struct list_head queued;
	unsigned int nevents;
	u32 next;
	bool lost;
};

static struct iommufd_veventq *to_veventq(struct iommufd_eventq *eventq)
{
	return container_of(eventq, struct iommufd_veventq, eventq);
}

static void veventq_destroy(struct iommufd_object *obj)
{
	struct iommufd_veventq *veventq =
		container_of(obj, struct iommufd_veventq, eventq.obj);
	struct iommufd_viommu *viommu = veventq->viommu;
	struct event *event, *tmp;

	scoped_guard(spinlock_irqsave, &viommu->events_lock)
		list_del(&veventq->entry);
	/* Nobody reports to it any more, and its file is closed. */
	list_for_each_entry_safe(event, tmp, &veventq->queued, entry)
		kfree(event);
	iommufd_object_unuse(&viommu->obj);
}

static const struct iommufd_object_class veventq_class = {
	.name = "vEVENTQ",
	.destroy = veventq_destroy,
};

static size_t record_size(const struct event *event)
{
	return sizeof(struct iommufd_vevent_header) + (event ? event->length : 0);
}

static u32 number_after(u32 number)
{
	return (number + 1) & INT_MAX;
}

static u32 number_before(u32 number)
{
	return (number - 1) & INT_MAX;
}

/*
 * Take the first event. NULL with a size: there is none, and the last one was lost. Sets
 * *@size to 0 when there is nothing to tell.
 */
static struct event *take_event(struct iommufd_veventq *veventq, size_t max, ssize_t *size,
				struct iommufd_vevent_header *header)
{
	struct event *event;

	guard(spinlock_irqsave)(&veventq->viommu->events_lock);
	event = list_first_entry_or_null(&veventq->queued, struct event, entry);
	*size = 0;
	if (!event && !veventq->lost)
		return NULL;
	if (record_size(event) > max) {
		*size = -EINVAL;
		return NULL;
	}
	*size = record_size(event);
	if (event) {
		list_del(&event->entry);
		veventq->nevents--;
		*header = event->header;
	} else {
		veventq->lost = false;
		header->flags = IOMMU_VEVENTQ_FLAG_LOST_EVENTS;
		header->sequence = number_before(veventq->next);
	}
	return event;
}

/* What could not be delivered is first again; a mark only if no event came meanwhile. */
static void give_back(struct iommufd_veventq *veventq, struct event *event,
		      const struct iommufd_vevent_header *header)
{
	guard(spinlock_irqsave)(&veventq->viommu->events_lock);
	if (event) {
		list_add(&event->entry, &veventq->queued);
		veventq->nevents++;
	} else if (header->sequence == number_before(veventq->next)) {
		veventq->lost = true;
	}
	/* Somebody may have looked meanwhile, and waits. */
	wake_up_interruptible(&veventq->eventq.wait);
}

/* Returns bytes, 0 when there is nothing, or an errno. */
static ssize_t read_event(struct iommufd_veventq *veventq, char __user *buf, size_t max)
{
	struct iommufd_vevent_header header = { };
	struct event *event;
	ssize_t size;

	event = take_event(veventq, max, &size, &header);
	if (size <= 0)
		return size;
	if (copy_to_user(buf, &header, sizeof(header)) ||
	    (event && copy_to_user(buf + sizeof(header), event->data, event->length))) {
		give_back(veventq, event, &header);
		return -EFAULT;
	}
	kfree(event);
	return size;
}

static ssize_t veventq_read(struct iommufd_eventq *eventq, char __user *buf, size_t count)
{
	size_t done = 0;
	ssize_t ret;

	if (count < sizeof(struct iommufd_vevent_header))
		return -EINVAL;
	do {
		ret = read_event(to_veventq(eventq), buf + done, count - done);
		if (ret > 0)
			done += ret;
	} while (ret > 0);
	return done ?: ret;
}

static bool veventq_pending(struct iommufd_eventq *eventq)
{
	struct iommufd_veventq *veventq = to_veventq(eventq);

	guard(spinlock_irqsave)(&veventq->viommu->events_lock);
	return veventq->lost || !list_empty(&veventq->queued);
}

static const struct iommufd_eventq_ops veventq_ops = {
	.name = "[iommufd-viommu-event]",
	.read = veventq_read,
	.pending = veventq_pending,
};

static struct iommufd_veventq *find_queue(struct iommufd_viommu *viommu,
					  enum iommu_veventq_type type)
{
	struct iommufd_veventq *veventq;

	lockdep_assert_held(&viommu->events_lock);
	list_for_each_entry(veventq, &viommu->veventqs, entry)
		if (veventq->type == type)
			return veventq;
	return NULL;
}

static struct event *new_event(const void *data, size_t length)
{
	struct event *event = kzalloc(struct_size(event, data, length), GFP_ATOMIC);

	if (!event)
		return NULL;
	event->length = length;
	memcpy(event->data, data, length);
	return event;
}

/* The event has a number in any case; NULL: it is lost. */
static void queue_last(struct iommufd_veventq *veventq, struct event *event)
{
	veventq->lost = !event;
	if (event) {
		event->header.sequence = veventq->next;
		list_add_tail(&event->entry, &veventq->queued);
		veventq->nevents++;
	}
	veventq->next = number_after(veventq->next);
}

/**
 * iommufd_viommu_report_event - Have something to tell to a guest
 * @viommu: the guest's vIOMMU
 * @type: kind of the event
 * @data: the event in the form that belongs to @type
 * @length: bytes of it
 *
 * Context: Any. Takes viommu->events_lock.
 * Return: 0, also when the queue was full and a mark tells so; -EOPNOTSUPP: the guest
 * does not want events of the type; -ENOMEM: it gets the mark.
 */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, enum iommu_veventq_type type,
				void *data, size_t length)
{
	struct iommufd_veventq *veventq;
	struct event *event = NULL;
	bool full;

	if (WARN_ON_ONCE(!data || !length))
		return -EINVAL;
	guard(spinlock_irqsave)(&viommu->events_lock);
	veventq = find_queue(viommu, type);
	if (!veventq)
		return -EOPNOTSUPP;

	full = veventq->nevents >= veventq->depth;
	if (!full)
		event = new_event(data, length);
	queue_last(veventq, event);
	wake_up_interruptible(&veventq->eventq.wait);
	return event || full ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_report_event, IOMMUFD);

static int link_viommu(struct iommufd_veventq *veventq)
{
	struct iommufd_viommu *viommu = veventq->viommu;

	guard(spinlock_irqsave)(&viommu->events_lock);
	if (find_queue(viommu, veventq->type))
		return -EEXIST;
	list_add(&veventq->entry, &viommu->veventqs);
	return 0;
}

static int init_veventq(struct iommufd_veventq *veventq)
{
	int ret;

	INIT_LIST_HEAD(&veventq->queued);
	iommufd_eventq_init(&veventq->eventq, &veventq_ops);
	ret = iommufd_object_use(&veventq->viommu->obj);
	if (ret)
		return ret;
	ret = link_viommu(veventq);
	if (ret)
		iommufd_object_unuse(&veventq->viommu->obj);
	return ret;
}

DEFINE_FREE(discard, struct iommufd_veventq *,
	    IS_ERR_OR_NULL(_T) ? (void)0 : iommufd_object_discard(&_T->eventq.obj))

static struct iommufd_veventq *make_veventq(struct iommufd_viommu *viommu, u32 type,
					    u32 depth)
{
	const struct iommufd_viommu_ops *ops = viommu->ops;
	int ret;

	if (ops->supports_veventq && !ops->supports_veventq(viommu, type))
		return ERR_PTR(-EOPNOTSUPP);
	struct iommufd_veventq *veventq __free(discard) =
		iommufd_object_new_at(viommu->ictx, &veventq_class, struct iommufd_veventq,
				      eventq.obj);
	if (IS_ERR(veventq))
		return_ptr(veventq);
	veventq->viommu = viommu;
	veventq->type = type;
	veventq->depth = depth;
	ret = init_veventq(veventq);
	if (ret)
		return ERR_PTR(ret);
	return_ptr(veventq);
}

/**
 * iommufd_veventq_alloc - IOMMU_VEVENTQ_ALLOC
 * @cmd: struct iommu_veventq_alloc
 *
 * Return: 0; -EOPNOTSUPP: the vIOMMU has no events of the type; -EINVAL: depth; -ENOENT: no
 * such vIOMMU; -EEXIST: it has a queue of the type; -ENOMEM; -EMFILE, -ENFILE.
 */
int iommufd_veventq_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_veventq_alloc *arg = cmd->arg;
	struct iommufd_veventq *veventq;

	if (arg->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	if (!arg->veventq_depth || arg->veventq_depth > MAX_DEPTH)
		return -EINVAL;
	struct iommufd_viommu *viommu __free(iommufd_viommu_put) =
		iommufd_viommu_get(cmd->ictx, arg->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);

	veventq = make_veventq(viommu, arg->type, arg->veventq_depth);
	if (IS_ERR(veventq))
		return PTR_ERR(veventq);
	arg->out_veventq_id = veventq->eventq.obj.id;
	cmd->new_obj = &veventq->eventq.obj;
	/* On failure the dispatcher aborts the object. */
	return iommufd_eventq_prepare_fd(&veventq->eventq, cmd, &arg->out_veventq_fd);
}
