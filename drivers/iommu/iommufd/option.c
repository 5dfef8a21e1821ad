// SPDX-License-Identifier: GPL-2.0
/*
 * IOMMU_OPTION: settings of a context or of an IOAS.
 */
#include <linux/capability.h>
#include <uapi/linux/iommufd.h>

#include "ctx.h"
#include "ioas.h"
#include "ioctl.h"
#include "object.h"
#include "option.h"

static int set_rlimit_mode(struct iommufd_ctx *ictx, u64 mode)
{
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;

	/* One lock for both steps: no object can appear between them. */
	guard(spinlock)(&ictx->objects.xa_lock);
	if (!xa_empty(&ictx->objects))
		return -EBUSY;
	if (mode != IOMMUFD_ACCOUNT_USER && mode != IOMMUFD_ACCOUNT_MM)
		return -EINVAL;
	WRITE_ONCE(ictx->account_mode, mode);
	return 0;
}

static int option_rlimit_mode(struct iommufd_ctx *ictx, struct iommu_option *arg)
{
	if (arg->object_id)
		return -EOPNOTSUPP;

	switch (arg->op) {
	case IOMMU_OPTION_OP_GET:
		arg->val64 = READ_ONCE(ictx->account_mode);
		return 0;
	case IOMMU_OPTION_OP_SET:
		return set_rlimit_mode(ictx, arg->val64);
	default:
		return -EOPNOTSUPP;
	}
}

static int option_huge_pages(struct iommufd_ctx *ictx, struct iommu_option *arg)
{
	struct iommufd_ioas *ioas __free(iommufd_ioas_put) =
		iommufd_ioas_get(ictx, arg->object_id);

	if (IS_ERR(ioas))
		return PTR_ERR(ioas);

	switch (arg->op) {
	case IOMMU_OPTION_OP_GET:
		arg->val64 = iommufd_ioas_huge_pages(ioas);
		return 0;
	case IOMMU_OPTION_OP_SET:
		if (arg->val64 > 1)
			return -EINVAL;
		return iommufd_ioas_set_huge_pages(ioas, arg->val64);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * iommufd_option - IOMMU_OPTION
 * @cmd: struct iommu_option
 *
 * Context: Process context.
 * Return: 0; -EOPNOTSUPP: unknown option or operation, or an object where none belongs;
 * -ENOENT: no such IOAS; -EINVAL: bad value, or huge pages turned off under live
 * mappings; -EADDRINUSE: mappings are not page aligned; -EPERM: CAP_SYS_RESOURCE is
 * missing; -EBUSY: the context has objects already.
 */
int iommufd_option(struct iommufd_cmd *cmd)
{
	struct iommu_option *arg = cmd->arg;

	switch (arg->option_id) {
	case IOMMU_OPTION_RLIMIT_MODE:
		return option_rlimit_mode(cmd->ictx, arg);
	case IOMMU_OPTION_HUGE_PAGES:
		return option_huge_pages(cmd->ictx, arg);
	default:
		return -EOPNOTSUPP;
	}
}
