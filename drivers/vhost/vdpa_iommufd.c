// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-vdpa devices in the address spaces of /dev/iommu.
 *
 * The first attach binds the open file to a context, and closing it ends that. A device
 * behind the IOMMU is bound as VFIO's devices are, and its DMA is blocked from then on;
 * the claim that its parent's driver has on the IOMMU group, since it was probed, rests
 * meanwhile. A device that translates by itself is an in-kernel user of the context, and
 * gets a copy of what the IOAS maps (vdpa_spaces.c).
 *
 * Locks: the mutex of the vhost device, outside of all locks of iommufd.
 */
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vdpa.h>

#include "vdpa_iommufd.h"
#include "vdpa_spaces.h"
#include "vhost.h"

static bool behind_iommu(const struct vdpa_device *vdpa)
{
	return !vdpa->config->set_map && !vdpa->config->dma_map;
}

static bool started(struct vhost_vdpa_iommufd *vi)
{
	const struct vdpa_config_ops *ops = vi->vdpa->config;
	u16 i;

	if (ops->get_status(vi->vdpa) & VIRTIO_CONFIG_S_DRIVER_OK)
		return true;
	for (i = 0; i < vi->vdpa->nvqs; i++)
		if (ops->get_vq_ready(vi->vdpa, i))
			return true;
	return false;
}

/*
 * The bus claimed the group for the driver of the parent when it was probed. That driver
 * does no DMA of its own, so the claim is the vDPA device's to hand on.
 */
static bool bus_claims(struct device *dev)
{
	return dev->bus && dev->bus->dma_configure && dev->bus->dma_cleanup;
}

static void drop_claim(struct vhost_vdpa_iommufd *vi)
{
	struct device *dev = vdpa_get_dma_dev(vi->vdpa);

	if (bus_claims(dev))
		dev->bus->dma_cleanup(dev);
	vi->unclaimed = bus_claims(dev);
}

/* Fails while user space owns another device of the group. */
static int take_claim(struct vhost_vdpa_iommufd *vi)
{
	struct device *dev = vdpa_get_dma_dev(vi->vdpa);
	int ret;

	if (!vi->unclaimed)
		return 0;
	ret = dev->bus->dma_configure(dev);
	if (!ret)
		vi->unclaimed = false;
	return ret;
}

static int bind_device(struct vhost_vdpa_iommufd *vi, struct iommufd_ctx *ictx)
{
	struct iommufd_device *idev;
	u32 id;

	if (vi->legacy->in_use(vi, 0))
		return -EBUSY;
	vi->legacy->stop(vi);
	if (!vi->unclaimed)
		drop_claim(vi);
	idev = iommufd_device_bind(ictx, vdpa_get_dma_dev(vi->vdpa), &id);
	if (IS_ERR(idev)) {
		vi->no_domain = take_claim(vi) || vi->legacy->start(vi);
		return PTR_ERR(idev);
	}
	vi->idev = idev;
	vi->no_domain = false;
	return 0;
}

static void unbind_device(struct vhost_vdpa_iommufd *vi)
{
	if (vi->attached)
		iommufd_device_detach(vi->idev);
	vi->attached = false;
	iommufd_device_unbind(vi->idev);
	vi->idev = NULL;
	take_claim(vi);
}

static int bind(struct vhost_vdpa_iommufd *vi, struct iommufd_ctx *ictx)
{
	int ret;

	if (started(vi))
		return -EBUSY;
	ret = behind_iommu(vi->vdpa) ? bind_device(vi, ictx) : vhost_vdpa_spaces_bind(vi);
	if (ret)
		return ret;
	iommufd_ctx_get(ictx);
	vi->ictx = ictx;
	return 0;
}

static void unbind(struct vhost_vdpa_iommufd *vi)
{
	if (vi->idev)
		unbind_device(vi);
	else
		vhost_vdpa_spaces_unbind(vi);
	iommufd_ctx_put(vi->ictx);
	vi->ictx = NULL;
}

/* Of a bind that served no purpose; the device is as it was when the file was opened. */
static void undo_bind(struct vhost_vdpa_iommufd *vi)
{
	bool device = vi->idev;

	unbind(vi);
	if (device)
		vi->no_domain = vi->unclaimed || vi->legacy->start(vi);
	else
		vhost_vdpa_spaces_restore(vi);
}

static int attach_device(struct vhost_vdpa_iommufd *vi, struct vhost_vdpa_iommufd_attach *cmd)
{
	int ret;

	if (vi->attached)
		ret = iommufd_device_replace(vi->idev, &cmd->pt_id);
	else
		ret = iommufd_device_attach(vi->idev, &cmd->pt_id);
	if (ret)
		return ret;
	vi->attached = true;
	cmd->out_dev_id = iommufd_device_to_id(vi->idev);
	return 0;
}

static int attach(struct vhost_vdpa_iommufd *vi, struct iommufd_ctx *ictx,
		  struct vhost_vdpa_iommufd_attach *cmd)
{
	bool first = !vi->ictx;
	int ret;

	if (!first && vi->ictx != ictx)
		return -EINVAL;
	if (first) {
		ret = bind(vi, ictx);
		if (ret)
			return ret;
	}
	ret = vi->idev ? attach_device(vi, cmd) : vhost_vdpa_spaces_attach(vi, cmd);
	/* A device that may have taken a part keeps it until it has been reset. */
	if (ret && first && list_empty(&vi->parked))
		undo_bind(vi);
	return ret;
}

static int detach(struct vhost_vdpa_iommufd *vi, u32 asid)
{
	if (vi->attached) {
		iommufd_device_detach(vi->idev);
		vi->attached = false;
		return 0;
	}
	return vi->mirrors ? vhost_vdpa_spaces_detach(vi, asid) : -ENOENT;
}

/* Copy a command that begins with its own size, which is at least @min. */
static int get_command(void *cmd, size_t size, size_t min, const void __user *argp)
{
	u32 argsz;

	if (get_user(argsz, (const u32 __user *)argp))
		return -EFAULT;
	if (argsz < min)
		return -EINVAL;
	if (argsz > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(cmd, size, argp, argsz);
}

static long attach_ioctl(struct vhost_vdpa_iommufd *vi, void __user *argp)
{
	struct vhost_vdpa_iommufd_attach __user *ucmd = argp;
	struct vhost_vdpa_iommufd_attach cmd;
	struct iommufd_ctx *ictx;
	int ret;

	ret = get_command(&cmd, sizeof(cmd), sizeof(cmd), argp);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EOPNOTSUPP;
	if (cmd.asid >= vi->vdpa->nas)
		return -EINVAL;
	/* What is mapped counts against the limits of the caller, so it is the owner. */
	ret = vhost_dev_check_owner(vi->vdev);
	if (ret)
		return ret;
	if (put_user(cmd.out_dev_id, &ucmd->out_dev_id) || put_user(cmd.pt_id, &ucmd->pt_id))
		return -EFAULT;

	ictx = iommufd_ctx_from_fd(cmd.iommufd);
	if (IS_ERR(ictx))
		return PTR_ERR(ictx);
	ret = attach(vi, ictx, &cmd);
	iommufd_ctx_put(ictx);
	if (ret)
		return ret;
	if (put_user(cmd.out_dev_id, &ucmd->out_dev_id) || put_user(cmd.pt_id, &ucmd->pt_id))
		return -EFAULT;
	return 0;
}

static long detach_ioctl(struct vhost_vdpa_iommufd *vi, void __user *argp)
{
	struct vhost_vdpa_iommufd_detach cmd;
	int ret;

	ret = get_command(&cmd, sizeof(cmd), sizeof(cmd), argp);
	if (ret)
		return ret;
	if (cmd.flags)
		return -EOPNOTSUPP;
	if (cmd.asid >= vi->vdpa->nas)
		return -EINVAL;
	ret = vhost_dev_check_owner(vi->vdev);
	return ret ?: detach(vi, cmd.asid);
}

/**
 * vhost_vdpa_iommufd_init - Begin, with nothing bound
 * @vi: to be filled in
 * @vdpa: the device
 * @vdev: the same device as vhost sees it
 * @legacy: vhost-vdpa's own mappings
 *
 * Context: Any.
 */
void vhost_vdpa_iommufd_init(struct vhost_vdpa_iommufd *vi, struct vdpa_device *vdpa,
			     struct vhost_dev *vdev,
			     const struct vhost_vdpa_legacy_ops *legacy)
{
	memset(vi, 0, sizeof(*vi));
	vi->vdpa = vdpa;
	vi->vdev = vdev;
	vi->legacy = legacy;
	INIT_LIST_HEAD(&vi->parked);
}

/**
 * vhost_vdpa_iommufd_open - The file has been opened
 * @vi: the device
 *
 * Context: Process context; nobody else has the file.
 * Return: 0; -EBUSY: another device of the IOMMU group, with which this one was owned, is
 * still in the hands of user space.
 */
int vhost_vdpa_iommufd_open(struct vhost_vdpa_iommufd *vi)
{
	vi->no_domain = false;
	return take_claim(vi);
}

/**
 * vhost_vdpa_iommufd_ioctl - Try whether an ioctl is one of ours
 * @vi: the device
 * @cmd: the ioctl
 * @argp: its argument
 *
 * Context: Process context, holds the mutex of the vhost device.
 * Return: -ENOIOCTLCMD: it is not; else what <linux/vhost_iommufd.h> says.
 */
long vhost_vdpa_iommufd_ioctl(struct vhost_vdpa_iommufd *vi, unsigned int cmd,
			      void __user *argp)
{
	switch (cmd) {
	case VHOST_VDPA_IOMMUFD_ATTACH:
		return attach_ioctl(vi, argp);
	case VHOST_VDPA_IOMMUFD_DETACH:
		return detach_ioctl(vi, argp);
	default:
		return -ENOIOCTLCMD;
	}
}

/**
 * vhost_vdpa_iommufd_check_message - May an IOTLB message change an address space?
 * @vi: the device
 * @asid: the address space
 *
 * Context: Holds the mutex of the vhost device.
 * Return: 0; -EBUSY: no, it belongs to /dev/iommu; -ENODEV: an attach failed half-way, and
 * the way back too, so that the file has to be opened anew.
 */
int vhost_vdpa_iommufd_check_message(struct vhost_vdpa_iommufd *vi, u32 asid)
{
	if (!vi->ictx)
		return vi->no_domain ? -ENODEV : 0;
	if (vi->idev || vi->vdpa->use_va)
		return -EBUSY;
	return asid < vi->vdpa->nas && vi->mirrors[asid] ? -EBUSY : 0;
}

/**
 * vhost_vdpa_iommufd_check_write - The same for what is being written to the file
 * @vi: the device
 * @from: the message
 *
 * vhost says EFAULT whenever a message fails. This one looks before, to say why.
 *
 * Context: Process context. Takes the mutex of the vhost device.
 * Return: as vhost_vdpa_iommufd_check_message().
 */
int vhost_vdpa_iommufd_check_write(struct vhost_vdpa_iommufd *vi, struct iov_iter *from)
{
	u32 head[2] = {};
	size_t n = copy_from_iter(head, sizeof(head), from);
	u32 asid = 0;

	iov_iter_revert(from, n);
	guard(mutex)(&vi->vdev->mutex);
	if (head[0] == VHOST_IOTLB_MSG_V2 &&
	    vhost_backend_has_feature(vi->vdev->vqs[0], VHOST_BACKEND_F_IOTLB_ASID))
		asid = head[1];
	return vhost_vdpa_iommufd_check_message(vi, asid);
}

/**
 * vhost_vdpa_iommufd_release - The file is being closed
 * @vi: the device, which has been reset
 *
 * Context: Process context, may sleep for long. Holds the mutex of the vhost device.
 */
void vhost_vdpa_iommufd_release(struct vhost_vdpa_iommufd *vi)
{
	if (vi->ictx)
		unbind(vi);
}

/**
 * vhost_vdpa_iommufd_remove - The device goes away
 * @vi: the device, whose file is closed
 *
 * The bus will end the claim of the parent's driver, so that driver must have it.
 *
 * Context: Process context. Waits until user space owns no other device of the group.
 */
void vhost_vdpa_iommufd_remove(struct vhost_vdpa_iommufd *vi)
{
	if (!take_claim(vi))
		return;
	dev_warn(&vi->vdpa->dev,
		 "waits to go away until user space closes the other devices of its IOMMU group\n");
	do
		msleep(100);
	while (take_claim(vi));
}

MODULE_IMPORT_NS(IOMMUFD);
