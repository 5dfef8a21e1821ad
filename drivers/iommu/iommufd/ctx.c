// SPDX-License-Identifier: GPL-2.0
/*
 * The open file.
 *
 * The context and its struct file are one: kernel users that keep a context keep the
 * file, so it outlives the last user fd for as long as a device is bound, and whoever
 * got the file by dup, fork or SCM_RIGHTS has the same context. When the last reference
 * goes, no device and no access can be left, because each holds one.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "ctx.h"
#include "debugfs.h"
#include "fdinfo.h"
#include "ioctl.h"
#include "mmap.h"
#include "object.h"

/* A number is not used again while anybody can remember it. */
static atomic_t opened = ATOMIC_INIT(0);

static void ctx_init(struct iommufd_ctx *ictx, struct file *file)
{
	ictx->file = file;
	ictx->number = atomic_inc_return(&opened);
	xa_init_flags(&ictx->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&ictx->retire_wait);
	iommufd_payer_init(&ictx->payers);
	/* Who opens a VFIO container expects the charges of one. */
	ictx->account_mode = iminor(file_inode(file)) == VFIO_MINOR ? IOMMUFD_ACCOUNT_MM :
								      IOMMUFD_ACCOUNT_USER;
	if (ictx->account_mode == IOMMUFD_ACCOUNT_MM)
		pr_info_once("IOMMUFD is providing /dev/vfio/vfio, not VFIO.\n");
	xa_init_flags(&ictx->groups, XA_FLAGS_ACCOUNT);
	mutex_init(&ictx->groups_lock);
	iommufd_mmap_init(ictx);
}

static int ctx_open(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ictx = kzalloc(sizeof(*ictx), GFP_KERNEL_ACCOUNT);

	/* The misc device left a pointer of its own here. */
	file->private_data = ictx;
	if (!ictx)
		return -ENOMEM;
	ctx_init(ictx, file);
	iommufd_debugfs_add(ictx);
	return 0;
}

static int ctx_release(struct inode *inode, struct file *file)
{
	struct iommufd_ctx *ictx = file->private_data;

	/* Waits for readers, who hold no reference of the file. */
	iommufd_debugfs_remove(ictx);
	iommufd_object_destroy_all(ictx);
	WARN_ON(!xa_empty(&ictx->groups));
	iommufd_mmap_exit(ictx);
	mutex_destroy(&ictx->groups_lock);
	kfree(ictx);
	return 0;
}

const struct file_operations iommufd_ctx_fops = {
	.owner = THIS_MODULE,
	.open = ctx_open,
	.release = ctx_release,
	.show_fdinfo = iommufd_fdinfo_show,
	.mmap = iommufd_mmap,
	.unlocked_ioctl = iommufd_ioctl,
	/* Every structure has the same layout for 32-bit callers. */
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * iommufd_ctx_from_file - The context behind a file
 * @file: any file of which the caller has a reference, and keeps it
 *
 * Context: Any.
 * Return: the context with a new reference, or ERR_PTR(-EBADFD) when the file is not
 * an iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_file(struct file *file)
{
	if (file->f_op != &iommufd_ctx_fops)
		return ERR_PTR(-EBADFD);
	return get_file(file)->private_data;
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_file, IOMMUFD);

/**
 * iommufd_ctx_put - Drop a reference
 * @ictx: context, not to be used afterwards
 *
 * Context: Any. The context may be torn down later, from task work.
 */
void iommufd_ctx_put(struct iommufd_ctx *ictx)
{
	fput(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_put, IOMMUFD);

/**
 * iommufd_ctx_from_fd - The context behind a file descriptor of the caller
 * @fd: file descriptor number
 *
 * Context: Process context.
 * Return: the context with a new reference, ERR_PTR(-EBADF) when @fd is not open,
 * ERR_PTR(-EBADFD) when it is not an iommufd.
 */
struct iommufd_ctx *iommufd_ctx_from_fd(int fd)
{
	CLASS(fd, f)(fd);

	return fd_file(f) ? iommufd_ctx_from_file(fd_file(f)) : ERR_PTR(-EBADF);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_from_fd, IOMMUFD);

/**
 * iommufd_ctx_get - Take another reference
 * @ictx: context of which the caller has a reference
 *
 * Context: Any.
 */
void iommufd_ctx_get(struct iommufd_ctx *ictx)
{
	get_file(ictx->file);
}
EXPORT_SYMBOL_NS_GPL(iommufd_ctx_get, IOMMUFD);
