// SPDX-License-Identifier: GPL-2.0
/*
 * The module of the mock IOMMU, and the table of its commands.
 */
#include <linux/build_bug.h>
#include <linux/iommufd.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/stddef.h>
#include <uapi/linux/iommufd.h>

#include "../ioas.h"
#include "../ioctl.h"
#include "access.h"
#include "check.h"
#include "iommu.h"
#include "iommufd_test.h"
#include "pasid.h"
#include "stdev.h"

/* The least memory that is of any use for a batch of PFNs elsewhere. */
#define MIN_MEMORY_LIMIT 12

static int reserve_for_ever(struct iommufd_ioas *ioas, unsigned long start,
			    unsigned long last)
{
	struct iommufd_iova_reservation res;
	int ret;

	iommufd_iova_reservation_init(&res);
	guard(rwsem_write)(&ioas->iova_rwsem);
	ret = iommufd_iova_reserve(&ioas->iova, &res, start, last);
	/* Nobody will give it back, it goes with the IOAS. */
	list_del(&res.ranges);
	return ret;
}

static int add_reserved(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	unsigned long last;

	if (!arg->add_reserved.length)
		return -EINVAL;
	if (check_add_overflow((unsigned long)arg->add_reserved.start,
			       (unsigned long)arg->add_reserved.length - 1, &last))
		return -EOVERFLOW;
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(cmd->ictx, arg->id);
	if (IS_ERR(ioas))
		return PTR_ERR(ioas);
	return reserve_for_ever(ioas, arg->add_reserved.start, last);
}

/* There are no batches here whose size could be limited. */
static int set_temp_memory_limit(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;

	return arg->memory_limit.limit < MIN_MEMORY_LIMIT ? -EINVAL : 0;
}

typedef int op_fn(struct iommufd_cmd *cmd);

static op_fn *const ops[] = {
	[IOMMU_TEST_OP_ADD_RESERVED] = add_reserved,
	[IOMMU_TEST_OP_MOCK_DOMAIN] = mock_stdev_create,
	[IOMMU_TEST_OP_MD_CHECK_MAP] = mock_check_map,
	[IOMMU_TEST_OP_MD_CHECK_REFS] = mock_check_refs,
	[IOMMU_TEST_OP_CREATE_ACCESS] = mock_access_create,
	[IOMMU_TEST_OP_DESTROY_ACCESS_PAGES] = mock_access_unpin,
	[IOMMU_TEST_OP_ACCESS_PAGES] = mock_access_pin,
	[IOMMU_TEST_OP_ACCESS_RW] = mock_access_rw,
	[IOMMU_TEST_OP_SET_TEMP_MEMORY_LIMIT] = set_temp_memory_limit,
	[IOMMU_TEST_OP_MOCK_DOMAIN_REPLACE] = mock_stdev_replace,
	[IOMMU_TEST_OP_ACCESS_REPLACE_IOAS] = mock_access_replace,
	[IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS] = mock_stdev_create_flags,
	[IOMMU_TEST_OP_DIRTY] = mock_check_set_dirty,
	[IOMMU_TEST_OP_MD_CHECK_IOTLB] = mock_check_iotlb,
	[IOMMU_TEST_OP_TRIGGER_IOPF] = mock_stdev_fault,
	[IOMMU_TEST_OP_DEV_CHECK_CACHE] = mock_stdev_check_cache,
	[IOMMU_TEST_OP_TRIGGER_VEVENT] = mock_stdev_event,
	[IOMMU_TEST_OP_PASID_ATTACH] = mock_pasid_attach,
	[IOMMU_TEST_OP_PASID_REPLACE] = mock_pasid_replace,
	[IOMMU_TEST_OP_PASID_DETACH] = mock_pasid_detach,
	[IOMMU_TEST_OP_PASID_CHECK_HWPT] = mock_pasid_check,
	[IOMMU_TEST_OP_TRIGGER_PARTIAL_IOPF] = mock_stdev_fault,
};

static int run(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;

	if (arg->__reserved || arg->last || arg->op >= ARRAY_SIZE(ops) || !ops[arg->op])
		return -EOPNOTSUPP;
	return ops[arg->op](cmd);
}

static const struct iommufd_extension extension = {
	.owner = THIS_MODULE,
	.nr = _IOC_NR(IOMMU_TEST_CMD),
	.size = sizeof(struct iommu_test_cmd),
	.min_size = offsetofend(struct iommu_test_cmd, last),
	.run = run,
};

static int __init mock_init(void)
{
	int ret;

	BUILD_BUG_ON((int)MOCK_ACCESS_RW_WRITE != IOMMUFD_ACCESS_RW_WRITE);
	BUILD_BUG_ON((int)MOCK_ACCESS_RW_SLOW_PATH != __IOMMUFD_ACCESS_RW_SLOW_PATH);

	ret = mock_iommu_register();
	if (ret)
		return ret;
	ret = iommufd_ioctl_extend(&extension);
	if (ret)
		mock_iommu_unregister();
	return ret;
}

static void __exit mock_exit(void)
{
	iommufd_ioctl_unextend(&extension);
	mock_iommu_unregister();
}

module_init(mock_init);
module_exit(mock_exit);

MODULE_DESCRIPTION("Mock IOMMU for tests of iommufd");
MODULE_IMPORT_NS(IOMMUFD);
MODULE_IMPORT_NS(IOMMUFD_MOCK);
MODULE_LICENSE("GPL");
