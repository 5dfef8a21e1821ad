/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From a system call to the function that carries it out.
 */
#ifndef __IOMMUFD_IOCTL_H
#define __IOMMUFD_IOCTL_H

#include "internal.h"

struct file;

/**
 * struct iommufd_cmd - One ioctl under way
 * @ictx: context of the file
 * @arg: kernel copy of the caller's structure, zero beyond what the caller gave
 * @uptr: the caller's structure
 * @user_size: its size in bytes, as the caller stated it
 * @reply_on_error: write @arg back although the command fails
 * @new_obj: object to publish once the reply is written, or NULL
 * @kept: object to put after that, or NULL
 * @new_fd: descriptor number to give @new_obj a file under, with @open_file
 * @open_file: makes that file, which uses @new_obj; NULL if it gets none
 */
struct iommufd_cmd {
	struct iommufd_ctx *ictx;
	void *arg;
	void __user *uptr;
	u32 user_size;
	bool reply_on_error;
	struct iommufd_object *new_obj;
	struct iommufd_object *kept;
	int new_fd;
	struct file *(*open_file)(struct iommufd_object *obj);
};

/* Bytes of the largest structure of an extension. */
#define IOMMUFD_EXTENSION_SIZE 128

/**
 * struct iommufd_extension - One more command, from another module
 * @owner: that module; stays loaded while the command runs
 * @nr: number of the command, above all of ours. Those between are holes
 * @size: bytes of its structure
 * @min_size: bytes of the first version of it
 * @run: carries it out
 */
struct iommufd_extension {
	struct module *owner;
	unsigned int nr;
	u16 size;
	u16 min_size;
	int (*run)(struct iommufd_cmd *cmd);
};

int iommufd_ioctl_extend(const struct iommufd_extension *extension);
void iommufd_ioctl_unextend(const struct iommufd_extension *extension);
long iommufd_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif
