// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers of IOMMUs call.
 *
 * Most of what a driver does for iommufd are ops of the IOMMU core. vIOMMUs have none
 * there in 6.12. A driver tells of them here, and an IOMMU whose driver did not has none.
 *
 * Locks: drivers_mutex for the list, a leaf. It is not held while a driver is called:
 * the reference on its module keeps it from unregistering.
 */
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "device.h"
#include "iommu_core.h"
#include "viommu.h"

static DEFINE_MUTEX(drivers_mutex); /* protects @drivers */
static LIST_HEAD(drivers);

static struct iommufd_viommu_driver *find_driver(const struct iommu_ops *ops)
{
	struct iommufd_viommu_driver *driver;

	lockdep_assert_held(&drivers_mutex);
	list_for_each_entry(driver, &drivers, entry)
		if (driver->iommu_ops == ops)
			return driver;
	return NULL;
}

/**
 * iommufd_viommu_driver_register - Offer vIOMMUs
 * @driver: valid until iommufd_viommu_driver_unregister()
 *
 * Context: Process context.
 * Return: 0; -EEXIST: there is one with the same iommu_ops.
 */
int iommufd_viommu_driver_register(struct iommufd_viommu_driver *driver)
{
	guard(mutex)(&drivers_mutex);
	if (find_driver(driver->iommu_ops))
		return -EEXIST;
	list_add_tail(&driver->entry, &drivers);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_driver_register, IOMMUFD);

/**
 * iommufd_viommu_driver_unregister - Offer no more vIOMMUs
 * @driver: as it was registered. Its module is being unloaded, so none exists
 *
 * Context: Process context.
 */
void iommufd_viommu_driver_unregister(struct iommufd_viommu_driver *driver)
{
	guard(mutex)(&drivers_mutex);
	list_del(&driver->entry);
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_driver_unregister, IOMMUFD);

/**
 * iommufd_driver_get - Who makes vIOMMUs for a device?
 * @dev: device with an IOMMU
 *
 * Context: Process context.
 * Return: the driver, to be returned with iommufd_driver_put(); NULL: nobody.
 */
struct iommufd_viommu_driver *iommufd_driver_get(struct device *dev)
{
	struct iommufd_viommu_driver *driver;

	guard(mutex)(&drivers_mutex);
	driver = find_driver(iommufd_core_ops(dev));
	return driver && try_module_get(driver->iommu_ops->owner) ? driver : NULL;
}

/**
 * iommufd_driver_put - Return what iommufd_driver_get() gave
 * @driver: may be unloaded when this returns
 */
void iommufd_driver_put(struct iommufd_viommu_driver *driver)
{
	module_put(driver->iommu_ops->owner);
}

/**
 * _iommufd_object_depend - Let an object be destroyed only after another one
 * @obj_dependent: the one that goes first
 * @obj_depended: the one that has to wait, of the same kind
 *
 * Context: Any.
 * Return: 0; -EINVAL: they are not of a kind; -ENOENT: @obj_depended is on its way
 * in or out.
 */
int _iommufd_object_depend(struct iommufd_object *obj_dependent,
			   struct iommufd_object *obj_depended)
{
	/* Across kinds iommufd itself says what depends on what. */
	if (WARN_ON_ONCE(obj_dependent->class != obj_depended->class))
		return -EINVAL;
	return iommufd_object_use_published(obj_depended);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_depend, IOMMUFD);

/**
 * _iommufd_object_undepend - Undo _iommufd_object_depend()
 * @obj_dependent: as it was given
 * @obj_depended: as it was given
 *
 * Context: Any.
 */
void _iommufd_object_undepend(struct iommufd_object *obj_dependent,
			      struct iommufd_object *obj_depended)
{
	iommufd_object_unuse(obj_depended);
}
EXPORT_SYMBOL_NS_GPL(_iommufd_object_undepend, IOMMUFD);

/**
 * iommufd_vdevice_to_device - The device behind a vDEVICE
 * @vdev: vDEVICE that the caller knows to exist
 *
 * Context: Any.
 * Return: the device, without a reference.
 */
struct device *iommufd_vdevice_to_device(struct iommufd_vdevice *vdev)
{
	return vdev->idev->dev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vdevice_to_device, IOMMUFD);

/**
 * iommufd_viommu_find_dev - Which device does the guest mean?
 * @viommu: the vIOMMU
 * @virt_id: how the guest names it
 *
 * Context: Any. Holds the lock of viommu->vdevs, and may use the device until it drops
 * it: a vDEVICE leaves the table before its device does.
 * Return: the device, or NULL.
 */
struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu, unsigned long virt_id)
{
	struct iommufd_vdevice *named = xa_load(&viommu->vdevs, virt_id);

	/* Without it the answer is old before the caller sees it. */
	lockdep_assert_held(&viommu->vdevs.xa_lock);
	if (!named)
		return NULL;
	return named->idev->dev;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_find_dev, IOMMUFD);

/**
 * iommufd_viommu_get_vdev_id - How does the guest name a device?
 * @viommu: the vIOMMU
 * @dev: the device
 * @virt_id: set to the name
 *
 * Context: Any. Takes the lock of viommu->vdevs.
 * Return: 0; -ENOENT: the guest does not know the device.
 */
int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu, struct device *dev,
			       unsigned long *virt_id)
{
	struct iommufd_vdevice *named;
	unsigned long name;

	/* A guest has few devices, and the table goes the other way. */
	guard(spinlock)(&viommu->vdevs.xa_lock);
	xa_for_each(&viommu->vdevs, name, named) {
		if (named->idev->dev != dev)
			continue;
		*virt_id = name;
		return 0;
	}
	return -ENOENT;
}
EXPORT_SYMBOL_NS_GPL(iommufd_viommu_get_vdev_id, IOMMUFD);
