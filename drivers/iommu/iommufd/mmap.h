/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages of hardware in the address space of user space. The interface for drivers is in
 * <linux/iommufd.h>.
 */
#ifndef __IOMMUFD_MMAP_H
#define __IOMMUFD_MMAP_H

struct file;
struct iommufd_ctx;
struct vm_area_struct;

void iommufd_mmap_init(struct iommufd_ctx *ictx);
void iommufd_mmap_exit(struct iommufd_ctx *ictx);
int iommufd_mmap(struct file *file, struct vm_area_struct *vma);

#endif
