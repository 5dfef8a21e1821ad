/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc/PID/fdinfo/FD says about a context.
 */
#ifndef __IOMMUFD_FDINFO_H
#define __IOMMUFD_FDINFO_H

#include "internal.h"

struct file;
struct mutex;
struct rw_semaphore;
struct seq_file;

bool iommufd_fdinfo_lock(struct mutex *mutex);
bool iommufd_fdinfo_down_read(struct rw_semaphore *rwsem);

void iommufd_fdinfo_show_ctx(struct seq_file *m, struct iommufd_ctx *ictx);
void iommufd_fdinfo_show(struct seq_file *m, struct file *file);
void iommufd_fdinfo_ioas(struct iommufd_object *obj, struct seq_file *m);

#endif
