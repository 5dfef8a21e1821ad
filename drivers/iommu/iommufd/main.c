// SPDX-License-Identifier: GPL-2.0
/*
 * The module: its device nodes come with it and go with it.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "ctx.h"
#include "debugfs.h"

static struct miscdevice nodes[] = {
	{
		.nodename = "iommu",
		.name = "iommu",
		.mode = 0660,
		.minor = MISC_DYNAMIC_MINOR,
	},
#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
	/* VFIO's own containers are not built then, so the minor is free. */
	{
		.nodename = "vfio/vfio",
		.name = "vfio",
		.mode = 0666,
		.minor = VFIO_MINOR,
	},
#endif
};

static void remove_nodes(unsigned int n)
{
	while (n--)
		misc_deregister(&nodes[n]);
}

static int __init add_nodes(void)
{
	unsigned int i;
	int err;

	iommufd_debugfs_init();
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		nodes[i].fops = &iommufd_ctx_fops;
		err = misc_register(&nodes[i]);
		if (err) {
			remove_nodes(i);
			iommufd_debugfs_exit();
			return err;
		}
	}
	return 0;
}

static void __exit remove_all_nodes(void)
{
	remove_nodes(ARRAY_SIZE(nodes));
	iommufd_debugfs_exit();
}

module_init(add_nodes);
module_exit(remove_all_nodes);

#if IS_ENABLED(CONFIG_IOMMUFD_VFIO_CONTAINER)
MODULE_ALIAS("devname:vfio/vfio");
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
#endif
MODULE_DESCRIPTION("I/O address spaces for user space: /dev/iommu");
MODULE_IMPORT_NS(IOMMUFD_INTERNAL);
MODULE_LICENSE("GPL");
