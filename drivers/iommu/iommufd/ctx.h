/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The context: one open file, the owner of all objects and of DMA.
 */
#ifndef __IOMMUFD_CTX_H
#define __IOMMUFD_CTX_H

#include <linux/iommufd.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "account.h"
#include "internal.h"
#include "payer.h"

/**
 * struct iommufd_ctx - One open file of /dev/iommu
 * @file: the file; its reference count is that of the context. Immutable
 * @number: for people: the name in debugfs, and in trace events. Immutable
 * @retire_wait: where removal of an object waits for threads inside a system call
 * @objects: id -> object; has a lock of its own
 * @payers: who pays for mappings; has a lock of its own
 * @account_mode: what new mappings charge
 * @vfio_ioas: the IOAS of the VFIO container interface, or NULL
 * @no_iommu: the VFIO container interface serves a device without an IOMMU
 * @groups_lock: protects the members below it
 * @groups: iommu_group id -> struct iommufd_group
 * @mmaps: offset in pages -> what can be mapped there; has a lock of its own
 * @opener: for debugfs: the process that opened the file, and
 * @comm: its name then. Immutable
 * @debugfs: the directory of the context. Immutable
 */
struct iommufd_ctx {
	struct file *file;
	u32 number;
	wait_queue_head_t retire_wait;
	struct xarray objects;
	struct iommufd_payers payers;

	/* Under the lock of @objects */
	enum iommufd_account_mode account_mode;
	struct iommufd_ioas *vfio_ioas;
	bool no_iommu;

	struct mutex groups_lock; /* protects @groups */
	struct xarray groups;

	struct maple_tree mmaps;
	struct pid *opener;
	char comm[TASK_COMM_LEN];
	struct dentry *debugfs;
};

extern const struct file_operations iommufd_ctx_fops;

#endif
