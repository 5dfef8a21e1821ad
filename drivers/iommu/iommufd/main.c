// SPDX-License-Identifier: GPL-2.0
/*
 * Module init and exit: /dev/iommu, and /dev/vfio/vfio where it is configured.
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

/* Only one of VFIO and iommufd can have this minor; Kconfig decides which. */
static struct miscdevice vfio_misc = {
	.minor = VFIO_MINOR,
	.name = "vfio",
	.nodename = "vfio/vfio",
	.fops = &iommufd_ctx_fops,
	.mode = 0666,
};

static int __init iommufd_init(void)
{
	int ret;

	ret = misc_register(&iommu_misc);
	if (ret || !IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER))
		return ret;

	ret = misc_register(&vfio_misc);
	if (ret)
		misc_deregister(&iommu_misc);
	return ret;
}

static void __exit iommufd_exit(void)
{
	if (IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER))
		misc_deregister(&vfio_misc);
	misc_deregister(&iommu_misc);
}

module_init(iommufd_init);
module_exit(iommufd_exit);

#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
#endif
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_DESCRIPTION("I/O address spaces for user space: /dev/iommu");
MODULE_LICENSE("GPL");
