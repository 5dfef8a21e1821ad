// SPDX-License-Identifier: GPL-2.0
/*
 * The address spaces of a vDPA device that translates by itself: which of them are
 * attached to an IOAS, and that the others are empty.
 *
 * Locks: the mutex of the vhost device.
 */
#include <linux/iommufd.h>
#include <linux/slab.h>
#include <linux/vdpa.h>

#include "vdpa_iommufd.h"
#include "vdpa_mirror.h"
#include "vdpa_spaces.h"
#include "vhost.h"

/* Nothing but an IOAS may be translated with. */
static int check_own_translation(struct vhost_vdpa_iommufd *vi)
{
	struct vdpa_device *vdpa = vi->vdpa;
	u32 asid;

	/* Others lose their mappings in a reset. */
	if (!vdpa->config->reset_map && !vhost_vdpa_maps_files(vdpa))
		return -EOPNOTSUPP;
	for (asid = 0; vdpa->use_va && asid < vdpa->nas; asid++)
		if (vi->legacy->in_use(vi, asid))
			return -EBUSY;
	return 0;
}

/* Addresses of the owner or physical ones, for a device that knows both. */
static void use_addresses_of_owner(struct vhost_vdpa_iommufd *vi, bool owner)
{
	struct vdpa_device *vdpa = vi->vdpa;

	if (!vdpa->use_va || !vdpa->config->unbind_mm)
		return;
	if (owner)
		vdpa->config->bind_mm(vdpa, vi->vdev->mm);
	else
		vdpa->config->unbind_mm(vdpa);
}

/* Address spaces with IOTLB messages stay as they are. */
static int block_all(struct vhost_vdpa_iommufd *vi)
{
	u32 asid;
	int ret;

	for (asid = 0; asid < vi->vdpa->nas; asid++) {
		if (vi->legacy->in_use(vi, asid))
			continue;
		ret = vhost_vdpa_mirror_block(vi->vdpa, asid);
		if (ret)
			return ret;
	}
	return 0;
}

static void unblock_all(struct vhost_vdpa_iommufd *vi)
{
	struct vdpa_device *vdpa = vi->vdpa;
	u32 asid;

	for (asid = 0; asid < vdpa->nas; asid++)
		if (vdpa->config->reset_map && !vi->legacy->in_use(vi, asid))
			vdpa->config->reset_map(vdpa, asid);
}

/**
 * vhost_vdpa_spaces_bind - Make all address spaces empty, and ready to be attached
 * @vi: the device, which is not started
 *
 * Context: Process context. Holds the mutex of the vhost device.
 * Return: 0; -EOPNOTSUPP: the device forgets what it translates when it is reset; -EBUSY:
 * there are mappings by IOTLB messages, and none of them could stay; -ENOMEM; errors of
 * the device's driver.
 */
int vhost_vdpa_spaces_bind(struct vhost_vdpa_iommufd *vi)
{
	struct vdpa_device *vdpa = vi->vdpa;
	int ret;

	ret = check_own_translation(vi);
	if (ret)
		return ret;
	vi->mirrors = kcalloc(vdpa->nas, sizeof(*vi->mirrors), GFP_KERNEL_ACCOUNT);
	if (!vi->mirrors)
		return -ENOMEM;
	use_addresses_of_owner(vi, false);
	ret = block_all(vi);
	if (!ret)
		return 0;

	unblock_all(vi);
	use_addresses_of_owner(vi, true);
	kfree(vi->mirrors);
	vi->mirrors = NULL;
	return ret;
}

/**
 * vhost_vdpa_spaces_unbind - Give all of them up
 * @vi: the device, which has been reset or was never started
 *
 * Context: Process context, may sleep for long. Holds the mutex of the vhost device.
 */
void vhost_vdpa_spaces_unbind(struct vhost_vdpa_iommufd *vi)
{
	u32 asid;

	for (asid = 0; asid < vi->vdpa->nas; asid++) {
		struct vhost_vdpa_mirror *mirror = vi->mirrors[asid];

		if (!mirror)
			continue;
		if (vhost_vdpa_mirror_stop(mirror))
			dev_warn(&vi->vdpa->dev, "address space %u is not empty\n", asid);
		vhost_vdpa_mirror_destroy(mirror);
	}
	vhost_vdpa_mirror_unpark(&vi->parked);
	unblock_all(vi);
	kfree(vi->mirrors);
	vi->mirrors = NULL;
}

/**
 * vhost_vdpa_spaces_restore - Undo a bind quite, for IOTLB messages to work
 * @vi: the device, unbound again
 *
 * Context: as vhost_vdpa_spaces_bind().
 */
void vhost_vdpa_spaces_restore(struct vhost_vdpa_iommufd *vi)
{
	use_addresses_of_owner(vi, true);
}

/**
 * vhost_vdpa_spaces_attach - Attach one of them, or move it
 * @vi: the device, bound
 * @cmd: what user space wants, and is told
 *
 * Context: Process context, may sleep for long. Holds the mutex of the vhost device.
 * Return: 0; -EBUSY: it has mappings by IOTLB messages; errors of
 * vhost_vdpa_mirror_create() and vhost_vdpa_mirror_switch(). Then what was attached is.
 */
int vhost_vdpa_spaces_attach(struct vhost_vdpa_iommufd *vi,
			     struct vhost_vdpa_iommufd_attach *cmd)
{
	struct vhost_vdpa_mirror *old = vi->mirrors[cmd->asid], *new;
	int ret;

	if (!old && vi->legacy->in_use(vi, cmd->asid))
		return -EBUSY;
	if (old && vhost_vdpa_mirror_ioas(old) == cmd->pt_id) {
		cmd->out_dev_id = vhost_vdpa_mirror_id(old);
		return 0;
	}

	new = vhost_vdpa_mirror_create(vi->vdpa, cmd->asid, vi->ictx, cmd->pt_id);
	if (IS_ERR(new))
		return PTR_ERR(new);
	ret = vhost_vdpa_mirror_switch(old, new);
	if (ret) {
		vhost_vdpa_mirror_park(new, &vi->parked);
		return ret;
	}
	if (old)
		vhost_vdpa_mirror_destroy(old);
	vi->mirrors[cmd->asid] = new;
	cmd->out_dev_id = vhost_vdpa_mirror_id(new);
	return 0;
}

/**
 * vhost_vdpa_spaces_detach - Make one of them empty
 * @vi: the device, bound
 * @asid: number of the address space
 *
 * Context: as vhost_vdpa_spaces_attach().
 * Return: 0; -ENOENT: it is not attached; errors of vhost_vdpa_mirror_stop(). Then it
 * still is.
 */
int vhost_vdpa_spaces_detach(struct vhost_vdpa_iommufd *vi, u32 asid)
{
	struct vhost_vdpa_mirror *mirror = vi->mirrors[asid];
	int ret;

	if (!mirror)
		return -ENOENT;
	ret = vhost_vdpa_mirror_stop(mirror);
	if (ret)
		return ret;
	vhost_vdpa_mirror_destroy(mirror);
	vi->mirrors[asid] = NULL;
	return 0;
}
