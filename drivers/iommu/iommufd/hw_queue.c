// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware queues: queues in the memory of a guest that the IOMMU reads itself.
 *
 * The IOMMU reads them by physical address, past any page table. So the memory has to be
 * contiguous, and to stay where it is for as long as the queue exists: its areas are
 * locked, and nobody unmaps them. They need no pin of their own. The nest parent of the
 * vIOMMU mirrors the IOAS, so what is mapped there is pinned.
 *
 * Locks: ioas->iova_rwsem for read around the walk over the areas.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <uapi/linux/iommufd.h>

#include "area.h"
#include "hw_queue.h"
#include "hwpt.h"
#include "ioctl.h"
#include "pages.h"
#include "viommu.h"

static struct iommufd_ioas *ioas_of(struct iommufd_hw_queue *queue)
{
	return queue->viommu->hwpt->ioas;
}

/* Where is [from, to] of an area, and is it in one piece? */
static int area_phys(struct iommufd_area *area, unsigned long from, unsigned long to,
		     phys_addr_t *phys)
{
	unsigned long offset = iommufd_area_offset(area, from), pfn;
	unsigned long first = offset >> PAGE_SHIFT;
	unsigned long last = iommufd_area_offset(area, to) >> PAGE_SHIFT;

	guard(mutex)(&area->pages->mutex);
	if (iommufd_extents_run(&area->pages->extents, first, last, &pfn) != last - first + 1)
		return -EFAULT;
	*phys = PFN_PHYS(pfn) + offset_in_page(offset);
	return 0;
}

static int check_area(struct iommufd_area *area)
{
	if (area->state != IOMMUFD_AREA_MAPPED)
		return -EBUSY;
	return area->prot & IOMMU_READ ? 0 : -EPERM;
}

/* Where is the whole range, and is it in one piece? */
static int range_phys(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
		      phys_addr_t *phys)
{
	struct iommufd_area *area;
	phys_addr_t piece;
	int ret;

	if (!iommufd_area_covers(ioas, start, last))
		return -ENOENT;
	iommufd_area_for_each(area, ioas, start, last) {
		unsigned long from = max(area->span.start, start);

		ret = check_area(area);
		if (ret)
			return ret;
		ret = area_phys(area, from, min(area->span.last, last), &piece);
		if (ret)
			return ret;
		if (from == start)
			*phys = piece;
		else if (piece != *phys + (from - start))
			return -EFAULT;
	}
	return 0;
}

/* Nobody unmaps the range from here on. */
static int lock_range(struct iommufd_hw_queue *queue, unsigned long last, phys_addr_t *phys)
{
	struct iommufd_ioas *ioas = ioas_of(queue);
	struct iommufd_area *area;
	int ret;

	guard(rwsem_read)(&ioas->iova_rwsem);
	ret = range_phys(ioas, queue->base_addr, last, phys);
	if (ret)
		return ret;
	iommufd_area_for_each(area, ioas, queue->base_addr, last)
		atomic_inc(&area->locks);
	return 0;
}

static void unlock_range(struct iommufd_hw_queue *queue)
{
	struct iommufd_ioas *ioas = ioas_of(queue);
	unsigned long last = queue->base_addr + queue->length - 1;
	struct iommufd_area *area;

	guard(rwsem_read)(&ioas->iova_rwsem);
	iommufd_area_for_each(area, ioas, queue->base_addr, last)
		atomic_dec(&area->locks);
}

static void hw_queue_destroy(struct iommufd_object *obj)
{
	struct iommufd_hw_queue *queue = container_of(obj, struct iommufd_hw_queue, obj);

	if (queue->destroy)
		queue->destroy(queue);
	unlock_range(queue);
	iommufd_object_unuse(&queue->viommu->obj);
}

static const struct iommufd_object_class hw_queue_class = {
	.name = "HW queue",
	.destroy = hw_queue_destroy,
};

static int init_queue(struct iommufd_hw_queue *queue, u32 index, unsigned long last)
{
	struct iommufd_viommu *viommu = queue->viommu;
	phys_addr_t phys;
	int ret;

	ret = iommufd_object_use(&viommu->obj);
	if (ret)
		return ret;
	ret = lock_range(queue, last, &phys);
	if (ret)
		goto unuse;
	ret = viommu->ops->hw_queue_init_phys(queue, index, phys);
	if (ret)
		goto unlock;
	return 0;

unlock:
	unlock_range(queue);
unuse:
	iommufd_object_unuse(&viommu->obj);
	return ret;
}

static struct iommufd_hw_queue *make_queue(struct iommufd_viommu *viommu,
					   const struct iommu_hw_queue_alloc *arg,
					   unsigned long last)
{
	const struct iommufd_viommu_ops *ops = viommu->ops;
	size_t size = 0;
	int ret;

	if (ops->get_hw_queue_size && ops->hw_queue_init_phys)
		size = ops->get_hw_queue_size(viommu, arg->type);
	if (!size)
		return ERR_PTR(-EOPNOTSUPP);
	struct iommufd_hw_queue *queue __free(iommufd_object_discard) =
		__iommufd_object_new(viommu->ictx, &hw_queue_class, size);
	if (IS_ERR(queue))
		return_ptr(queue);
	queue->viommu = viommu;
	queue->type = arg->type;
	queue->base_addr = arg->nesting_parent_iova;
	queue->length = arg->length;
	ret = init_queue(queue, arg->index, last);
	if (ret)
		return ERR_PTR(ret);
	return_ptr(queue);
}

static int check_range(const struct iommu_hw_queue_alloc *arg, unsigned long *last)
{
	unsigned long start, length;

	if (!arg->length)
		return -EINVAL;
	if (overflows_type(arg->nesting_parent_iova, start) ||
	    overflows_type(arg->length, length))
		return -EOVERFLOW;
	start = arg->nesting_parent_iova;
	length = arg->length;
	if (check_add_overflow(start, length - 1, last))
		return -EOVERFLOW;
	/* In whole pages it would go round the end. */
	return (*last | ~PAGE_MASK) == ULONG_MAX ? -ERANGE : 0;
}

/**
 * iommufd_hw_queue_alloc - IOMMU_HW_QUEUE_ALLOC
 * @cmd: struct iommu_hw_queue_alloc
 *
 * Return: 0; -EOPNOTSUPP: the vIOMMU has no queues of the type; -EINVAL: length 0;
 * -EOVERFLOW, -ERANGE: the range goes round the end; -ENOENT: no such vIOMMU, or the range
 * is not mapped; -EPERM: not readable; -EFAULT: not physically contiguous; -EBUSY: being
 * unmapped; -ENOMEM; errors of the driver.
 */
int iommufd_hw_queue_alloc(struct iommufd_cmd *cmd)
{
	struct iommu_hw_queue_alloc *arg = cmd->arg;
	struct iommufd_hw_queue *queue;
	unsigned long last;
	int ret;

	if (arg->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
		return -EOPNOTSUPP;
	ret = check_range(arg, &last);
	if (ret)
		return ret;
	struct iommufd_viommu *viommu __free(iommufd_viommu_put) =
		iommufd_viommu_get(cmd->ictx, arg->viommu_id);
	if (IS_ERR(viommu))
		return PTR_ERR(viommu);

	queue = make_queue(viommu, arg, last);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	arg->out_hw_queue_id = queue->obj.id;
	cmd->new_obj = &queue->obj;
	return 0;
}
