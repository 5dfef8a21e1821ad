// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/iommu: module init and exit.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "ctx.h"

static struct miscdevice iommu_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "iommu",
	.nodename = "iommu",
	.fops = &iommufd_ctx_fops,
	.mode = 0660,
};

static int __init iommufd_init(void)
{
	return misc_register(&iommu_misc);
}

static void __exit iommufd_exit(void)
{
	misc_deregister(&iommu_misc);
}

module_init(iommufd_init);
module_exit(iommufd_exit);

MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("I/O address spaces for user space: /dev/iommu");
MODULE_LICENSE("GPL");
