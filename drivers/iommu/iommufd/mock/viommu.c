// SPDX-License-Identifier: GPL-2.0
/*
 * vIOMMUs of the mock IOMMU.
 *
 * A request to invalidate names a device as the guest does, and reaches the cache that
 * every mock device has for the purpose.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/mutex.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include "dev.h"
#include "nested.h"
#include "viommu.h"

#define MMAP_LENGTH (2 * PAGE_SIZE)

/**
 * struct mock_viommu - One vIOMMU
 * @core: as iommufd sees it
 * @parent: the nest parent, immutable
 * @page: what user space can map, or NULL. Immutable
 * @offset: where in the iommufd, immutable
 * @mutex: protects @queues
 * @queues: hardware queues by index; each but the first depends on the one before
 */
struct mock_viommu {
	struct iommufd_viommu core;
	struct iommu_domain *parent;
	u32 *page;
	unsigned long offset;

	struct mutex mutex; /* protects @queues */
	struct mock_queue *queues[IOMMU_TEST_HW_QUEUE_MAX];
};

struct mock_vdevice {
	struct iommufd_vdevice core;
	struct mock_dev *mdev;
};

struct mock_queue {
	struct iommufd_hw_queue core;
	u32 index;
};

static struct mock_viommu *to_mock(struct iommufd_viommu *viommu)
{
	return container_of(viommu, struct mock_viommu, core);
}

static struct iommu_domain *alloc_nested(struct iommufd_viommu *viommu, u32 flags,
					 const struct iommu_user_data *data)
{
	if (flags & ~IOMMU_HWPT_ALLOC_PASID)
		return ERR_PTR(-EOPNOTSUPP);
	return mock_nested_alloc(to_mock(viommu)->parent, viommu, data);
}

static int invalidate_device(struct iommufd_viommu *viommu,
			     const struct iommu_viommu_invalidate_selftest *req)
{
	struct device *dev;

	/* The lock keeps the device. */
	guard(spinlock)(&viommu->vdevs.xa_lock);
	dev = iommufd_viommu_find_dev(viommu, req->vdev_id);
	if (!dev)
		return -EINVAL;
	mock_dev_invalidate(mock_dev_from(dev), req->cache_id,
			    req->flags & IOMMU_TEST_INVALIDATE_FLAG_ALL);
	return 0;
}

static int invalidate_one(struct iommufd_viommu *viommu,
			  const struct iommu_user_data_array *array, unsigned int index)
{
	struct iommu_viommu_invalidate_selftest req;
	int ret;

	ret = iommu_copy_struct_from_user_array(&req, array,
						IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST,
						index, cache_id);
	if (ret)
		return ret;
	if (req.flags & ~IOMMU_TEST_INVALIDATE_FLAG_ALL)
		return -EOPNOTSUPP;
	if (req.cache_id > MOCK_DEV_CACHE_ID_MAX)
		return -EINVAL;
	return invalidate_device(viommu, &req);
}

static int cache_invalidate(struct iommufd_viommu *viommu,
			    struct iommu_user_data_array *array)
{
	unsigned int i;
	int ret = 0;

	if (array->type != IOMMU_VIOMMU_INVALIDATE_DATA_SELFTEST)
		ret = -EINVAL;
	for (i = 0; !ret && i < array->entry_num; i++) {
		ret = invalidate_one(viommu, array, i);
		if (ret)
			break;
	}
	array->entry_num = i;
	return ret;
}

static bool supports_veventq(struct iommufd_viommu *viommu, enum iommu_veventq_type type)
{
	return type == IOMMU_VEVENTQ_TYPE_SELFTEST;
}

static void destroy_vdevice(struct iommufd_vdevice *core)
{
	struct mock_vdevice *vdev = container_of(core, struct mock_vdevice, core);

	vdev->mdev->in_guest = false;
}

static int init_vdevice(struct iommufd_vdevice *core)
{
	struct mock_vdevice *vdev = container_of(core, struct mock_vdevice, core);

	if (core->virt_id == MOCK_VIRT_ID_REFUSED)
		return -ENXIO;
	vdev->mdev = mock_dev_from(iommufd_vdevice_to_device(core));
	WARN_ON(vdev->mdev->in_guest);
	vdev->mdev->in_guest = true;
	core->destroy = destroy_vdevice;
	return 0;
}

static size_t queue_size(struct iommufd_viommu *viommu, enum iommu_hw_queue_type type)
{
	return type == IOMMU_HW_QUEUE_TYPE_SELFTEST ? sizeof(struct mock_queue) : 0;
}

static void destroy_queue(struct iommufd_hw_queue *core)
{
	struct mock_queue *queue = container_of(core, struct mock_queue, core);
	struct mock_viommu *mock = to_mock(core->viommu);

	guard(mutex)(&mock->mutex);
	mock->queues[queue->index] = NULL;
	if (queue->index)
		iommufd_hw_queue_undepend(core, &mock->queues[queue->index - 1]->core);
}

static int init_queue(struct iommufd_hw_queue *core, u32 index, phys_addr_t base)
{
	struct mock_queue *queue = container_of(core, struct mock_queue, core);
	struct mock_viommu *mock = to_mock(core->viommu);
	int ret;

	if (index >= IOMMU_TEST_HW_QUEUE_MAX)
		return -EINVAL;
	guard(mutex)(&mock->mutex);
	if (mock->queues[index])
		return -EEXIST;
	if (index && !mock->queues[index - 1])
		return -EIO;
	/* The memory should be what the nest parent leads to. */
	if (base != iommu_iova_to_phys(mock->parent, core->base_addr))
		return -ENXIO;
	if (index) {
		ret = iommufd_hw_queue_depend(core, &mock->queues[index - 1]->core);
		if (ret)
			return ret;
	}
	queue->index = index;
	core->destroy = destroy_queue;
	mock->queues[index] = queue;
	return 0;
}

static void destroy(struct iommufd_viommu *viommu)
{
	struct mock_viommu *mock = to_mock(viommu);

	mutex_destroy(&mock->mutex);
	if (!mock->page)
		return;
	iommufd_viommu_destroy_mmap(viommu, mock->offset);
	free_pages_exact(mock->page, MMAP_LENGTH);
}

static const struct iommufd_viommu_ops viommu_ops = {
	.destroy = destroy,
	.vdevice_size = sizeof(struct mock_vdevice),
	.vdevice_init = init_vdevice,
	.get_hw_queue_size = queue_size,
	.hw_queue_init_phys = init_queue,
	.supports_veventq = supports_veventq,
	.alloc_domain_nested = alloc_nested,
	.cache_invalidate = cache_invalidate,
};

static const struct iommufd_viommu_ops bare_ops = { };

/**
 * mock_viommu_event - Something happens to a device of the guest
 * @viommu: vIOMMU of the page table it is attached to
 * @dev: the device
 *
 * Return: 0; -ENOENT: the guest does not know it; errors of iommufd_viommu_report_event().
 */
int mock_viommu_event(struct iommufd_viommu *viommu, struct device *dev)
{
	struct iommu_viommu_event_selftest event;
	unsigned long virt_id;
	int ret;

	ret = iommufd_viommu_get_vdev_id(viommu, dev, &virt_id);
	if (ret)
		return ret;
	/* The ABI of the test has no name for this one. */
	if (!virt_id)
		return -ENOENT;
	event.virt_id = virt_id;
	return iommufd_viommu_report_event(viommu, IOMMU_VEVENTQ_TYPE_SELFTEST, &event,
					   sizeof(event));
}

/**
 * mock_viommu_size - Memory for a vIOMMU
 * @dev: any mock device
 * @type: IOMMU_VIOMMU_TYPE_SELFTEST or IOMMU_VIOMMU_TYPE_SELFTEST_BARE
 *
 * Return: bytes, or 0.
 */
size_t mock_viommu_size(struct device *dev, enum iommu_viommu_type type)
{
	switch ((u32)type) {
	case IOMMU_VIOMMU_TYPE_SELFTEST:
		return sizeof(struct mock_viommu);
	case IOMMU_VIOMMU_TYPE_SELFTEST_BARE:
		return sizeof(struct iommufd_viommu);
	default:
		return 0;
	}
}

/* Give back what came in, in the data and in a page to be mapped. */
static int answer(struct mock_viommu *mock, const struct iommu_user_data *data)
{
	struct iommu_viommu_selftest cfg;
	int ret;

	ret = iommu_copy_struct_from_user(&cfg, data, IOMMU_VIOMMU_TYPE_SELFTEST,
					  out_mmap_length);
	if (ret)
		return ret;
	mock->page = alloc_pages_exact(MMAP_LENGTH, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!mock->page)
		return -ENOMEM;
	mock->page[0] = cfg.in_data;
	ret = iommufd_viommu_alloc_mmap(&mock->core, virt_to_phys(mock->page), MMAP_LENGTH,
					&mock->offset);
	if (ret)
		goto free;

	cfg.out_data = cfg.in_data;
	cfg.out_mmap_offset = mock->offset;
	cfg.out_mmap_length = MMAP_LENGTH;
	if (!copy_to_user(data->uptr, &cfg, sizeof(cfg)))
		return 0;
	ret = -EFAULT;
	iommufd_viommu_destroy_mmap(&mock->core, mock->offset);
free:
	free_pages_exact(mock->page, MMAP_LENGTH);
	mock->page = NULL;
	return ret;
}

/**
 * mock_viommu_init - Set a vIOMMU up
 * @viommu: the vIOMMU
 * @parent_domain: through which the addresses of its page tables would go
 * @user_data: struct iommu_viommu_selftest, or NULL
 *
 * Return: 0; -EINVAL: data of another size; -EFAULT; -ENOMEM.
 */
int mock_viommu_init(struct iommufd_viommu *viommu, struct iommu_domain *parent_domain,
		     const struct iommu_user_data *user_data)
{
	struct mock_viommu *mock = to_mock(viommu);

	if (viommu->type == IOMMU_VIOMMU_TYPE_SELFTEST_BARE) {
		viommu->ops = &bare_ops;
		return 0;
	}
	mock->parent = parent_domain;
	mutex_init(&mock->mutex);
	viommu->ops = &viommu_ops;
	return user_data ? answer(mock, user_data) : 0;
}
