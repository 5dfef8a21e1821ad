// SPDX-License-Identifier: GPL-2.0
/*
 * The IOAS that stands for a VFIO container.
 *
 * VFIO attaches a group that user space put on an iommufd to the compatibility IOAS of
 * the context. User space may choose that IOAS; otherwise VFIO has one made. The choice
 * is a plain pointer: the IOAS clears it when it goes.
 *
 * Locks: the lock of ictx->objects protects ictx->vfio_ioas and ictx->no_iommu.
 */
#include <linux/errno.h>
#include <linux/module.h>
#include <uapi/linux/iommufd.h>

#include "ctx.h"
#include "ioas.h"
#include "ioctl.h"
#include "object.h"
#include "vfio_compat.h"

/**
 * iommufd_vfio_compat_forget - An IOAS goes away
 * @ioas: the IOAS
 */
void iommufd_vfio_compat_forget(struct iommufd_ioas *ioas)
{
	struct iommufd_ctx *ictx = ioas->obj.ictx;

	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->vfio_ioas == ioas)
		ictx->vfio_ioas = NULL;
}

/**
 * iommufd_vfio_compat_ioas_get_id - The id of the compatibility IOAS
 * @ictx: the context
 * @out_ioas_id: set to the id
 *
 * Return: 0, or -ENODEV when there is none.
 */
int iommufd_vfio_compat_ioas_get_id(struct iommufd_ctx *ictx, u32 *out_ioas_id)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (!ictx->vfio_ioas)
		return -ENODEV;
	*out_ioas_id = ictx->vfio_ioas->obj.id;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_get_id, IOMMUFD_VFIO);

/**
 * iommufd_vfio_compat_set_no_iommu - Let a context serve devices without an IOMMU
 * @ictx: the context
 *
 * Return: 0, or -EINVAL when it has a compatibility IOAS.
 */
int iommufd_vfio_compat_set_no_iommu(struct iommufd_ctx *ictx)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->vfio_ioas)
		return -EINVAL;
	ictx->no_iommu = true;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_set_no_iommu, IOMMUFD_VFIO);

/* Install @ioas unless there is one already. */
static int install(struct iommufd_ctx *ictx, struct iommufd_ioas *ioas)
{
	guard(spinlock)(&ictx->objects.xa_lock);
	if (ictx->no_iommu)
		return -EINVAL;
	if (ictx->vfio_ioas)
		return -EEXIST;
	ictx->vfio_ioas = ioas;
	return 0;
}

/**
 * iommufd_vfio_compat_ioas_create - Make sure that there is a compatibility IOAS
 * @ictx: the context
 *
 * Return: 0; -EINVAL: the context serves devices without an IOMMU; -ENOMEM.
 */
int iommufd_vfio_compat_ioas_create(struct iommufd_ctx *ictx)
{
	struct iommufd_ioas *ioas = iommufd_ioas_new(ictx);
	int ret;

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	ret = install(ictx, ioas);
	if (ret) {
		iommufd_object_abort(&ioas->obj);
		return ret == -EEXIST ? 0 : ret;
	}
	iommufd_object_publish(&ioas->obj);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(iommufd_vfio_compat_ioas_create, IOMMUFD_VFIO);

static int select_ioas(struct iommufd_ctx *ictx, u32 id)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) = iommufd_ioas_get(ictx, id);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	guard(spinlock)(&ictx->objects.xa_lock);
	ictx->vfio_ioas = ioas;
	return 0;
}

/**
 * iommufd_vfio_ioas - IOMMU_VFIO_IOAS
 * @cmd: struct iommu_vfio_ioas
 *
 * Return: 0; -EOPNOTSUPP: unknown operation; -ENODEV: none is selected; -ENOENT.
 */
int iommufd_vfio_ioas(struct iommufd_cmd *cmd)
{
	struct iommu_vfio_ioas *arg = cmd->arg;

	switch (arg->op) {
	case IOMMU_VFIO_IOAS_GET:
		return iommufd_vfio_compat_ioas_get_id(cmd->ictx, &arg->ioas_id);
	case IOMMU_VFIO_IOAS_SET:
		return select_ioas(cmd->ictx, arg->ioas_id);
	case IOMMU_VFIO_IOAS_CLEAR: {
		guard(spinlock)(&cmd->ictx->objects.xa_lock);
		cmd->ictx->vfio_ioas = NULL;
		return 0;
	}
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * iommufd_vfio_compat_ioctl - Commands of a VFIO container
 * @ictx: the context
 * @nr: command word
 * @arg: its argument
 *
 * The container interface is not provided on an iommufd.
 *
 * Return: -ENOTTY.
 */
long iommufd_vfio_compat_ioctl(struct iommufd_ctx *ictx, unsigned int nr,
			       unsigned long arg)
{
	return -ENOTTY;
}
