/* SPDX-License-Identifier: GPL-2.0 */
/*
 * iommufd for other modules: contexts, physical devices, in-kernel accesses, and what a
 * driver of an IOMMU needs to lend parts of it to virtual machines.
 *
 * Names and behaviour are those of Linux 6.12, so that its VFIO builds against this
 * header unchanged. The part for IOMMU drivers follows later kernels;
 * iommufd_access_next_area(), iommufd_access_get_file() and the map operation are
 * additions.
 */
#ifndef __LINUX_IOMMUFD_H
#define __LINUX_IOMMUFD_H

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/iommufd.h>

struct device;
struct file;
struct iommu_device;
struct iommu_domain;
struct iommu_group;
struct iommu_ops;
struct iommu_user_data;
struct iommu_user_data_array;
struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_hw_queue;
struct iommufd_hwpt;
struct iommufd_object_class;
struct iommufd_viommu_ops;
struct module;
struct page;

/**
 * struct iommufd_access_ops - What an in-kernel user of an IOAS provides
 * @needs_pin_pages: it will pin pages, so mappings must be page aligned
 * @unmap: let go of every page pinned in [@iova, @iova + @length) before returning.
 *	   Called without any lock of iommufd; must not attach, detach or destroy the
 *	   access. May come again for the same range.
 * @map: optional, for users that follow the IOAS: [@iova, @iova + @length) has been
 *	 mapped, and possibly changed again since. The mapping is undone if it returns
 *	 an error. Called without any lock of iommufd, but not by
 *	 iommufd_access_attach() and _replace(); must not attach, detach or destroy the
 *	 access.
 */
struct iommufd_access_ops {
	u8 needs_pin_pages : 1;
	void (*unmap)(void *data, unsigned long iova, unsigned long length);
	int (*map)(void *data, unsigned long iova, unsigned long length);
};

/* Flags of iommufd_access_rw() and iommufd_access_pin_pages() */
enum {
	IOMMUFD_ACCESS_RW_READ = 0,
	IOMMUFD_ACCESS_RW_WRITE = 1 << 0,
	/* The caller is a kernel thread */
	IOMMUFD_ACCESS_RW_KTHREAD = 1 << 1,
	/* For tests */
	__IOMMUFD_ACCESS_RW_SLOW_PATH = 1 << 2,
};

struct iommufd_device *iommufd_device_bind(struct iommufd_ctx *ictx, struct device *dev,
					   u32 *id);
void iommufd_device_unbind(struct iommufd_device *idev);

int iommufd_device_attach(struct iommufd_device *idev, u32 *pt_id);
int iommufd_device_replace(struct iommufd_device *idev, u32 *pt_id);
void iommufd_device_detach(struct iommufd_device *idev);

int iommufd_device_attach_pasid(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
int iommufd_device_replace_pasid(struct iommufd_device *idev, u32 pasid, u32 *pt_id);
void iommufd_device_detach_pasid(struct iommufd_device *idev, u32 pasid);

struct iommufd_ctx *iommufd_device_to_ictx(struct iommufd_device *idev);
u32 iommufd_device_to_id(struct iommufd_device *idev);

struct iommufd_access *iommufd_access_create(struct iommufd_ctx *ictx,
					     const struct iommufd_access_ops *ops,
					     void *data, u32 *id);
void iommufd_access_destroy(struct iommufd_access *access);
int iommufd_access_attach(struct iommufd_access *access, u32 ioas_id);
int iommufd_access_replace(struct iommufd_access *access, u32 ioas_id);
void iommufd_access_detach(struct iommufd_access *access);

void iommufd_ctx_get(struct iommufd_ctx *ictx);

/*
 * What a VMA of the driver maps: the device, as it was bound, and in *@phys the address
 * of the memory at its beginning. NULL when it can not be accessed now. The mmap lock is
 * held.
 */
typedef struct device *(*iommufd_device_memory_fn_t)(struct vm_area_struct *vma,
						     phys_addr_t *phys);

#if IS_ENABLED(CONFIG_IOMMUFD)
void iommufd_device_memory_provide(const struct vm_operations_struct *vm_ops,
				   iommufd_device_memory_fn_t find);
void iommufd_device_memory_revoke(struct device *dev);

struct iommufd_ctx *iommufd_ctx_from_file(struct file *file);
struct iommufd_ctx *iommufd_ctx_from_fd(int fd);
void iommufd_ctx_put(struct iommufd_ctx *ictx);
bool iommufd_ctx_has_group(struct iommufd_ctx *ictx, struct iommu_group *group);

int iommufd_access_pin_pages(struct iommufd_access *access, unsigned long iova,
			     unsigned long length, struct page **out_pages,
			     unsigned int flags);
void iommufd_access_unpin_pages(struct iommufd_access *access, unsigned long iova,
				unsigned long length);
int iommufd_access_rw(struct iommufd_access *access, unsigned long iova, void *data,
		      size_t len, unsigned int flags);
int iommufd_access_next_area(struct iommufd_access *access, unsigned long *iova,
			     unsigned long *length, int *prot);

struct file *iommufd_access_get_file(struct iommufd_access *access, unsigned long iova,
				     u64 *offset);

int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id);
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx);
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx);
#else
static inline void
iommufd_device_memory_provide(const struct vm_operations_struct *vm_ops,
			      iommufd_device_memory_fn_t find)
{
}

static inline void iommufd_device_memory_revoke(struct device *dev)
{
}

static inline struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static inline void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
}

static inline int iommufd_access_pin_pages(struct iommufd_access *access,
					   unsigned long iova, unsigned long length,
					   struct page **out_pages, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline void iommufd_access_unpin_pages(struct iommufd_access *access,
					      unsigned long iova, unsigned long length)
{
}

static inline int iommufd_access_rw(struct iommufd_access *access, unsigned long iova,
				    void *data, size_t len, unsigned int flags)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}

static inline int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	return -EOPNOTSUPP;
}
#endif /* CONFIG_IOMMUFD */

/**
 * struct iommufd_object - Head of every object; the first member, named obj
 * @class: kind of the object, immutable
 * @ictx: the context it belongs to, immutable
 * @id: its number in @ictx, immutable
 * @users: lasting users plus one
 * @short_users: threads inside a system call plus one
 *
 * It is here because drivers embed objects. They leave it alone.
 */
struct iommufd_object {
	const struct iommufd_object_class *class;
	struct iommufd_ctx *ictx;
	u32 id;
	refcount_t users;
	refcount_t short_users;
};

/**
 * struct iommufd_viommu - The part of an IOMMU that one virtual machine has
 * @ictx: the context, immutable
 * @iommu_dev: the IOMMU, immutable
 * @ops: what the driver does for it; set by the driver's viommu_init
 * @type: what kind user space asked for, immutable
 * @vdevs: how the guest names a device -> struct iommufd_vdevice. A driver may hold its
 *	   lock around iommufd_viommu_find_dev() and what it does with the device
 *
 * A driver embeds this at the beginning of a structure of its own.
 */
struct iommufd_viommu {
	/* private: for iommufd, immutable */
	struct iommufd_object obj;
	struct iommufd_hwpt *hwpt;
	struct module *owner;
	spinlock_t events_lock; /* protects @veventqs and what is in them */
	struct list_head veventqs;

	/* public: */
	struct iommufd_ctx *ictx;
	struct iommu_device *iommu_dev;
	const struct iommufd_viommu_ops *ops;
	enum iommu_viommu_type type;
	struct xarray vdevs;
};

/**
 * struct iommufd_vdevice - A device as the guest sees it behind a vIOMMU
 * @viommu: that vIOMMU, immutable
 * @virt_id: how the guest names the device to its IOMMU, immutable
 * @destroy: undoes the driver's vdevice_init, which sets this; or NULL
 *
 * A driver may embed this at the beginning of a structure of its own.
 */
struct iommufd_vdevice {
	/* private: for iommufd, immutable */
	struct iommufd_object obj;
	struct iommufd_device *idev;

	/* public: */
	struct iommufd_viommu *viommu;
	u64 virt_id;
	void (*destroy)(struct iommufd_vdevice *vdev);
};

/**
 * struct iommufd_hw_queue - A queue of a guest that the IOMMU reads itself
 * @viommu: the guest's vIOMMU, immutable
 * @base_addr: where the queue is in the guest, immutable
 * @length: bytes of it, immutable
 * @type: what kind user space asked for, immutable
 * @destroy: undoes the driver's hw_queue_init_phys, which sets this; or NULL
 *
 * A driver embeds this at the beginning of a structure of its own.
 */
struct iommufd_hw_queue {
	/* private: for iommufd */
	struct iommufd_object obj;

	/* public: */
	struct iommufd_viommu *viommu;
	u64 base_addr;
	size_t length;
	enum iommu_hw_queue_type type;
	void (*destroy)(struct iommufd_hw_queue *hw_queue);
};

/**
 * struct iommufd_viommu_ops - What a driver does for its vIOMMUs
 * @destroy: undo viommu_init; nothing is left below the vIOMMU. Optional
 * @alloc_domain_nested: make a domain of IOMMU_DOMAIN_NESTED, whose addresses go through
 *			 the parent of the vIOMMU. @flags are those of
 *			 enum iommufd_hwpt_alloc_flags that concern a driver. Optional
 * @cache_invalidate: carry out requests of the guest, and set the array's entry_num to
 *		      how many. Also called without any, to see if the type is known.
 *		      Optional
 * @supports_veventq: may events of that type be reported? Optional; without it user
 *		      space can have a queue of any type
 * @vdevice_size: bytes of the driver's vDEVICE, 0 if it has none of its own
 * @vdevice_init: prepare a device for the guest; find_dev finds it already. Optional
 * @get_hw_queue_size: bytes of the driver's structure that begins with struct
 *		       iommufd_hw_queue, 0 if there are no queues of that type. Optional
 * @hw_queue_init_phys: let hardware read the queue at that physical address. Optional
 */
struct iommufd_viommu_ops {
	void (*destroy)(struct iommufd_viommu *viommu);
	struct iommu_domain *(*alloc_domain_nested)(struct iommufd_viommu *viommu, u32 flags,
						    const struct iommu_user_data *user_data);
	int (*cache_invalidate)(struct iommufd_viommu *viommu,
				struct iommu_user_data_array *array);
	bool (*supports_veventq)(struct iommufd_viommu *viommu, enum iommu_veventq_type type);
	size_t vdevice_size;
	int (*vdevice_init)(struct iommufd_vdevice *vdev);
	size_t (*get_hw_queue_size)(struct iommufd_viommu *viommu,
				    enum iommu_hw_queue_type type);
	int (*hw_queue_init_phys)(struct iommufd_hw_queue *hw_queue, u32 index,
				  phys_addr_t base_addr_pa);
};

/**
 * struct iommufd_viommu_driver - An IOMMU driver that has vIOMMUs
 * @iommu_ops: what it gave to iommu_device_register(). Their owner stays loaded while a
 *	       vIOMMU exists
 * @get_viommu_size: bytes of its structure that begins with struct iommufd_viommu; 0 if
 *		     it has no vIOMMU of that type for the device's IOMMU
 * @viommu_init: set ops and prepare the rest. The user's data may be written to
 *
 * The struct iommu_ops of later kernels has these two. In that of 6.12 there is no room
 * for them, so a driver registers them next to it.
 */
struct iommufd_viommu_driver {
	const struct iommu_ops *iommu_ops;
	size_t (*get_viommu_size)(struct device *dev, enum iommu_viommu_type type);
	int (*viommu_init)(struct iommufd_viommu *viommu, struct iommu_domain *parent_domain,
			   const struct iommu_user_data *user_data);

	/* private: for iommufd */
	struct list_head entry;
};

int iommufd_viommu_driver_register(struct iommufd_viommu_driver *driver);
void iommufd_viommu_driver_unregister(struct iommufd_viommu_driver *driver);

struct device *iommufd_vdevice_to_device(struct iommufd_vdevice *vdev);
struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu, unsigned long virt_id);
int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu, struct device *dev,
			       unsigned long *virt_id);
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, enum iommu_veventq_type type,
				void *data, size_t length);

int _iommufd_object_depend(struct iommufd_object *obj_dependent,
			   struct iommufd_object *obj_depended);
void _iommufd_object_undepend(struct iommufd_object *obj_dependent,
			      struct iommufd_object *obj_depended);

/**
 * iommufd_hw_queue_depend - Let a queue be destroyed only after another one
 * @dependent: the one that goes first
 * @depended: the one that has to wait for it
 *
 * Context: Any.
 * Return: 0; -ENOENT: @depended is on its way out.
 */
static inline int iommufd_hw_queue_depend(struct iommufd_hw_queue *dependent,
					  struct iommufd_hw_queue *depended)
{
	return _iommufd_object_depend(&dependent->obj, &depended->obj);
}

/**
 * iommufd_hw_queue_undepend - Undo iommufd_hw_queue_depend()
 * @dependent: as it was given
 * @depended: as it was given
 */
static inline void iommufd_hw_queue_undepend(struct iommufd_hw_queue *dependent,
					     struct iommufd_hw_queue *depended)
{
	_iommufd_object_undepend(&dependent->obj, &depended->obj);
}

int _iommufd_alloc_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			phys_addr_t phys, size_t length, unsigned long *offset);
void _iommufd_destroy_mmap(struct iommufd_ctx *ictx, struct iommufd_object *owner,
			   unsigned long offset);

/**
 * iommufd_viommu_alloc_mmap - Let user space map registers of a vIOMMU
 * @viommu: the vIOMMU, which can not be destroyed while they are mapped
 * @phys: where they are, page aligned
 * @length: bytes, whole pages
 * @offset: set to what user space has to give to mmap() of the iommufd
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL: not whole pages; -ENOMEM.
 */
static inline int iommufd_viommu_alloc_mmap(struct iommufd_viommu *viommu, phys_addr_t phys,
					    size_t length, unsigned long *offset)
{
	return _iommufd_alloc_mmap(viommu->ictx, &viommu->obj, phys, length, offset);
}

/**
 * iommufd_viommu_destroy_mmap - Undo iommufd_viommu_alloc_mmap()
 * @viommu: the vIOMMU, which is being destroyed
 * @offset: as it was set
 */
static inline void iommufd_viommu_destroy_mmap(struct iommufd_viommu *viommu,
					       unsigned long offset)
{
	_iommufd_destroy_mmap(viommu->ictx, &viommu->obj, offset);
}

#endif
