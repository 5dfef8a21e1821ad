/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Locked memory: who pays for pinned pages, and how much is left.
 */
#ifndef __IOMMUFD_ACCOUNT_H
#define __IOMMUFD_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/types.h>

struct mm_struct;
struct task_struct;
struct user_struct;

/**
 * enum iommufd_account_mode - What a charge is compared with
 * @IOMMUFD_ACCOUNT_USER: locked_vm of the user, the default
 * @IOMMUFD_ACCOUNT_MM: locked_vm of the process, as VFIO's type1 does
 * @IOMMUFD_ACCOUNT_NONE: nothing; the mapper had CAP_IPC_LOCK
 *
 * The first two are the values of IOMMU_OPTION_RLIMIT_MODE.
 */
enum iommufd_account_mode {
	IOMMUFD_ACCOUNT_USER = 0,
	IOMMUFD_ACCOUNT_MM = 1,
	IOMMUFD_ACCOUNT_NONE,
};

/**
 * struct iommufd_payer - Whoever pays for mappings: their maker, or who took them over
 * @charged: pages it pays for in this context
 * @mode: what is charged
 * @task: whose RLIMIT_MEMLOCK counts
 * @mm: whose VmPin, and in mm mode VmLck, rises
 * @user: whose locked_vm rises in user mode
 *
 * The last four are immutable.
 */
struct iommufd_payer {
	atomic_long_t charged;
	enum iommufd_account_mode mode;
	struct task_struct *task;
	struct mm_struct *mm;
	struct user_struct *user;
};

int iommufd_account_charge(struct iommufd_payer *payer, unsigned long npages);
void iommufd_account_uncharge(struct iommufd_payer *payer, unsigned long npages);
int iommufd_account_move(struct iommufd_payer *from, struct iommufd_payer *to,
			 unsigned long npages, bool force);

#endif
