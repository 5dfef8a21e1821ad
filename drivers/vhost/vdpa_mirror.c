// SPDX-License-Identifier: GPL-2.0
/*
 * An address space of a vDPA device that translates by itself, kept equal to an IOAS.
 *
 * A mirror pins all that is mapped in its IOAS and has a list of it for the device
 * (vdpa_pieces.c). It is live when the device uses that list. The device moves to another
 * IOAS by a new mirror, which is filled before the two change places, so that what both
 * map is never out of reach.
 *
 * Pages are unpinned after the device has been told that they are gone, and the device
 * driver has to wait in its set_map or dma_unmap until it does not use them any more. A
 * driver can fail to tell. Then they stay pinned, until it has managed or the device has
 * been reset. Not so with a device that maps files: it has no physical address that a
 * pin would have to keep valid, and what its program has mapped by itself nobody can
 * take from it. A program that does not answer shall not hold anybody up.
 *
 * Locks: mirror->lock, held while pages are pinned and the device driver is called; of
 * two mirrors of one address space, that of the live one first. It is inside of the mutex
 * of the vhost device, and iommufd's callbacks take it, so it is not held while the access
 * is attached or destroyed.
 */
#include <linux/interval_tree.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

#include "vdpa_mirror.h"
#include "vdpa_pieces.h"

/**
 * struct vhost_vdpa_mirror - One address space of a device, and the IOAS it shows
 * @vdpa: the device. Immutable
 * @asid: number of the address space. Immutable
 * @ioas_id: immutable
 * @access: the device as iommufd sees it. Immutable
 * @id: id of @access. Immutable
 * @files: the device maps files. Immutable
 * @parked: for the list of those that the device may still use a part of
 * @lock: protects what follows
 * @live: the device uses @iotlb
 * @stuck: the device may use a part of @iotlb, and is not to be given it
 * @iotlb: pieces, for the device
 * @areas: struct mirrored by IOVA: whose pages are pinned
 */
struct vhost_vdpa_mirror {
	struct vdpa_device *vdpa;
	u32 asid;
	u32 ioas_id;
	struct iommufd_access *access;
	u32 id;
	bool files;
	struct list_head parked;

	struct mutex lock; /* protects what follows */
	bool live;
	bool stuck;
	struct vhost_iotlb iotlb;
	struct rb_root_cached areas;
};

/* One mapping of the IOAS, pinned as a whole. */
struct mirrored {
	struct interval_tree_node node;
};

/* For devices that are told of every piece. */
static int dma_map_range(struct vhost_vdpa_mirror *mirror, u64 start, u64 last)
{
	struct vdpa_device *vdpa = mirror->vdpa;
	struct vhost_iotlb_map *map;
	int ret;

	for (map = vhost_iotlb_itree_first(&mirror->iotlb, start, last); map;
	     map = vhost_iotlb_itree_next(map, start, last)) {
		ret = vdpa->config->dma_map(vdpa, mirror->asid, map->start, map->size,
					    map->addr, map->perm, NULL);
		if (ret)
			return ret;
	}
	return 0;
}

/* Is there something else now than what was looked up? */
static bool has_gone(struct vhost_vdpa_mirror *mirror, unsigned long iova,
		     unsigned long length, int prot)
{
	unsigned long now = iova, now_length;
	int now_prot;

	return iommufd_access_next_area(mirror->access, &now, &now_length, &now_prot) ||
	       now != iova || now_length != length || now_prot != prot;
}

/*
 * -ESTALE: the mapping is another one by now. Nothing is locked between looking it up and
 * having it pinned; from then on it stays as it is.
 *
 * Pages that a device with dma_map may have got stay, also when it did not take all. The
 * unmap that follows asks for them.
 */
static int add_area(struct vhost_vdpa_mirror *mirror, unsigned long iova,
		    unsigned long length, int prot)
{
	unsigned long last = iova + length - 1;
	int ret;

	struct mirrored *area __free(kfree) = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);
	if (!area)
		return -ENOMEM;
	area->node.start = iova;
	area->node.last = last;

	ret = vhost_vdpa_pieces_add(&mirror->iotlb, mirror->access, iova, length, prot,
				    mirror->files);
	if (has_gone(mirror, iova, length, prot)) {
		if (!ret) {
			vhost_vdpa_pieces_del(&mirror->iotlb, iova, last);
			iommufd_access_unpin_pages(mirror->access, iova, length);
		}
		return -ESTALE;
	}
	if (ret)
		return ret;
	interval_tree_insert(&no_free_ptr(area)->node, &mirror->areas);
	if (!mirror->live || !mirror->vdpa->config->dma_map)
		return 0;
	return dma_map_range(mirror, iova, last);
}

/* Take over what is mapped in [@iova, @last] and not yet known. */
static int follow(struct vhost_vdpa_mirror *mirror, unsigned long iova, unsigned long last)
{
	unsigned long length;
	int prot, ret;

	lockdep_assert_held(&mirror->lock);
	while (!iommufd_access_next_area(mirror->access, &iova, &length, &prot) &&
	       iova <= last) {
		if (!interval_tree_iter_first(&mirror->areas, iova, iova + length - 1)) {
			ret = add_area(mirror, iova, length, prot);
			if (ret == -ESTALE)
				continue;
			if (ret)
				return ret;
		}
		if (check_add_overflow(iova, length, &iova))
			break;
	}
	return 0;
}

/* Make the list of a live mirror, or one that becomes live, the device's. */
static int show(struct vhost_vdpa_mirror *mirror)
{
	struct vdpa_device *vdpa = mirror->vdpa;

	return vdpa->config->set_map(vdpa, mirror->asid, &mirror->iotlb);
}

/* What is mapped is new to the device, or it knows it already. */
static int mirror_map(void *data, unsigned long iova, unsigned long length)
{
	struct vhost_vdpa_mirror *mirror = data;
	int ret;

	guard(mutex)(&mirror->lock);
	ret = follow(mirror, iova, iova + length - 1);
	if (!ret && mirror->live && mirror->vdpa->config->set_map)
		ret = show(mirror);
	return ret;
}

/* Take what overlaps the range out of the list. The device must be told. */
static int hide(struct vhost_vdpa_mirror *mirror, unsigned long start, unsigned long last)
{
	struct vdpa_device *vdpa = mirror->vdpa;
	struct interval_tree_node *node;
	int ret = 0;

	for (node = interval_tree_iter_first(&mirror->areas, start, last); node && !ret;
	     node = interval_tree_iter_next(node, start, last)) {
		if (mirror->live && !vdpa->config->set_map)
			ret = vdpa->config->dma_unmap(vdpa, mirror->asid, node->start,
						      node->last - node->start + 1);
		vhost_vdpa_pieces_del(&mirror->iotlb, node->start, node->last);
	}
	return ret;
}

static void unpin(struct vhost_vdpa_mirror *mirror, unsigned long start, unsigned long last)
{
	struct interval_tree_node *node;

	while ((node = interval_tree_iter_first(&mirror->areas, start, last))) {
		interval_tree_remove(node, &mirror->areas);
		iommufd_access_unpin_pages(mirror->access, node->start,
					   node->last - node->start + 1);
		kfree(container_of(node, struct mirrored, node));
	}
}

/*
 * Should the device not let go of the memory it stays pinned and out of the list, and the
 * unmap, which calls again and again, fails in the end.
 */
static void mirror_unmap(void *data, unsigned long iova, unsigned long length)
{
	struct vhost_vdpa_mirror *mirror = data;
	unsigned long last;
	int ret;

	if (check_add_overflow(iova, length - 1, &last))
		last = ULONG_MAX;
	guard(mutex)(&mirror->lock);
	if (mirror->stuck || !interval_tree_iter_first(&mirror->areas, iova, last))
		return;
	ret = hide(mirror, iova, last);
	if (!ret && mirror->live && mirror->vdpa->config->set_map)
		ret = show(mirror);
	if (!ret || mirror->files)
		unpin(mirror, iova, last);
}

static const struct iommufd_access_ops mirror_ops = {
	.needs_pin_pages = 1,
	.map = mirror_map,
	.unmap = mirror_unmap,
};

/**
 * vhost_vdpa_mirror_create - Pin what an IOAS maps, for a device to use later
 * @vdpa: the device
 * @asid: its address space
 * @ictx: the context
 * @ioas_id: the IOAS there
 *
 * Context: Process context, may sleep for long. The caller holds no lock that a user of
 * the IOAS could want.
 * Return: the mirror, which is not live; ERR_PTR(-ENOENT): no such IOAS; other errors of
 * iommufd_access_attach() and iommufd_access_pin_pages(); ERR_PTR(-ENOMEM).
 */
struct vhost_vdpa_mirror *vhost_vdpa_mirror_create(struct vdpa_device *vdpa, u32 asid,
						   struct iommufd_ctx *ictx, u32 ioas_id)
{
	struct vhost_vdpa_mirror *mirror = kzalloc(sizeof(*mirror), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!mirror)
		return ERR_PTR(-ENOMEM);
	mirror->vdpa = vdpa;
	mirror->asid = asid;
	mirror->ioas_id = ioas_id;
	mirror->files = vhost_vdpa_maps_files(vdpa);
	INIT_LIST_HEAD(&mirror->parked);
	mutex_init(&mirror->lock);
	vhost_iotlb_init(&mirror->iotlb, UINT_MAX, 0);
	mirror->areas = RB_ROOT_CACHED;

	mirror->access = iommufd_access_create(ictx, &mirror_ops, mirror, &mirror->id);
	if (IS_ERR(mirror->access)) {
		ret = PTR_ERR(mirror->access);
		mutex_destroy(&mirror->lock);
		kfree(mirror);
		return ERR_PTR(ret);
	}
	ret = iommufd_access_attach(mirror->access, ioas_id);
	if (!ret) {
		guard(mutex)(&mirror->lock);
		ret = follow(mirror, 0, ULONG_MAX);
	}
	if (ret) {
		vhost_vdpa_mirror_destroy(mirror);
		return ERR_PTR(ret);
	}
	return mirror;
}

/**
 * vhost_vdpa_mirror_destroy - Unpin everything
 * @mirror: the device uses nothing of it, or has been reset. Not to be used afterwards
 *
 * Context: Process context, may sleep for long. No lock but the vhost device's mutex.
 */
void vhost_vdpa_mirror_destroy(struct vhost_vdpa_mirror *mirror)
{
	list_del(&mirror->parked);
	scoped_guard(mutex, &mirror->lock) {
		mirror->live = false;
		mirror->stuck = false;
	}
	iommufd_access_destroy(mirror->access);
	vhost_vdpa_pieces_del(&mirror->iotlb, 0, U64_MAX);
	mutex_destroy(&mirror->lock);
	kfree(mirror);
}

/* The device knows nothing of the address space afterwards, and can not use it. */
static int show_nothing(struct vdpa_device *vdpa, u32 asid)
{
	struct vhost_iotlb nothing;

	if (!vdpa->config->set_map)
		return vdpa->config->dma_unmap(vdpa, asid, 0, U64_MAX);
	vhost_iotlb_init(&nothing, 1, 0);
	return vdpa->config->set_map(vdpa, asid, &nothing);
}

/**
 * vhost_vdpa_mirror_block - Make an address space that has no mirror empty
 * @vdpa: the device
 * @asid: its address space
 *
 * Devices may begin with an address space that reaches all memory.
 *
 * Context: Process context.
 * Return: 0, or the error of the device's driver.
 */
int vhost_vdpa_mirror_block(struct vdpa_device *vdpa, u32 asid)
{
	return show_nothing(vdpa, asid);
}

static int show_new(struct vhost_vdpa_mirror *new)
{
	if (new->vdpa->config->set_map)
		return show(new);
	/* A device of this kind has no way to change all in one step. */
	return show_nothing(new->vdpa, new->asid) ?: dma_map_range(new, 0, U64_MAX);
}

/* Back to where the device was, or to nothing. */
static int show_old(struct vhost_vdpa_mirror *old, struct vhost_vdpa_mirror *new)
{
	if (old && !show_new(old))
		return 0;
	return show_nothing(new->vdpa, new->asid);
}

/**
 * vhost_vdpa_mirror_switch - Let the device use another mirror
 * @old: the live one of the address space, or NULL
 * @new: one that is not live
 *
 * Context: Process context, may sleep. The caller serialises the calls for a device.
 * Return: 0, or the error of the device's driver, and @old is live as before. Then the
 * caller parks @new.
 */
int vhost_vdpa_mirror_switch(struct vhost_vdpa_mirror *old, struct vhost_vdpa_mirror *new)
{
	int ret;

	/* Neither may lose pages while it is not clear which one the device uses. */
	if (old)
		mutex_lock(&old->lock);
	mutex_lock_nested(&new->lock, SINGLE_DEPTH_NESTING);
	ret = show_new(new);
	if (ret) {
		new->stuck = show_old(old, new) && !new->files;
	} else {
		new->live = true;
		if (old)
			old->live = false;
	}
	mutex_unlock(&new->lock);
	if (old)
		mutex_unlock(&old->lock);
	return ret;
}

/**
 * vhost_vdpa_mirror_park - Destroy a mirror that did not become live
 * @mirror: the mirror. Not to be used afterwards
 * @parked: a list for it, if the device may be using it all the same: it took neither
 *	    this one nor the one before, and not even nothing. What is in the list has to
 *	    be destroyed once the device has been reset
 *
 * Context: as vhost_vdpa_mirror_destroy().
 */
void vhost_vdpa_mirror_park(struct vhost_vdpa_mirror *mirror, struct list_head *parked)
{
	if (mirror->stuck)
		list_add(&mirror->parked, parked);
	else
		vhost_vdpa_mirror_destroy(mirror);
}

/**
 * vhost_vdpa_mirror_unpark - Destroy all that have been parked
 * @parked: the list
 *
 * Context: as vhost_vdpa_mirror_destroy(). The device has been reset.
 */
void vhost_vdpa_mirror_unpark(struct list_head *parked)
{
	struct vhost_vdpa_mirror *mirror, *tmp;

	list_for_each_entry_safe(mirror, tmp, parked, parked)
		vhost_vdpa_mirror_destroy(mirror);
}

/**
 * vhost_vdpa_mirror_stop - Let the device reach nothing
 * @mirror: the live one of the address space
 *
 * Context: as vhost_vdpa_mirror_switch().
 * Return: 0, or the error of the device's driver, and nothing has changed.
 */
int vhost_vdpa_mirror_stop(struct vhost_vdpa_mirror *mirror)
{
	int ret;

	guard(mutex)(&mirror->lock);
	ret = show_nothing(mirror->vdpa, mirror->asid);
	if (ret && !mirror->files)
		return ret;
	mirror->live = false;
	return 0;
}

/**
 * vhost_vdpa_mirror_id - The device's id in the context
 * @mirror: the mirror
 *
 * Return: the id.
 */
u32 vhost_vdpa_mirror_id(const struct vhost_vdpa_mirror *mirror)
{
	return mirror->id;
}

/**
 * vhost_vdpa_mirror_ioas - Which IOAS it shows
 * @mirror: the mirror
 *
 * Return: id of the IOAS.
 */
u32 vhost_vdpa_mirror_ioas(const struct vhost_vdpa_mirror *mirror)
{
	return mirror->ioas_id;
}
