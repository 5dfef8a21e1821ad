// SPDX-License-Identifier: GPL-2.0
/*
 * Charging pinned pages to whoever made the mapping.
 *
 * The payer is fixed when the mapping is made and stays the same whoever copies it,
 * attaches devices to it or inherits the file. Every page is charged once, when it is
 * pinned, and uncharged when it is unpinned, however many areas share it.
 *
 * pinned_vm (VmPin) always rises; it is information. In user mode the sum over all
 * processes of a uid is held against RLIMIT_MEMLOCK of the mapping task, in mm mode
 * VmLck of the process is. The holder of CAP_IPC_LOCK is held against nothing.
 *
 * Locks: none of ours. mm mode takes the mmap lock of the payer's mm for write.
 */
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "account.h"

static int charge_user(struct iommufd_payer *payer, unsigned long npages, bool force)
{
	unsigned long limit = force ? LONG_MAX :
			      task_rlimit(payer->task, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	atomic_long_t *locked = &payer->user->locked_vm;
	unsigned long old = atomic_long_read(locked);

	do {
		if (old > limit || npages > limit - old)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(locked, (long *)&old, old + npages));
	return 0;
}

static int change_mm(struct iommufd_payer *payer, unsigned long npages, bool charge,
		     bool force)
{
	int ret;

	/* The mm may have no users left, but the structure is ours while we pay. */
	mmap_write_lock(payer->mm);
	ret = __account_locked_vm(payer->mm, npages, charge, payer->task, force);
	mmap_write_unlock(payer->mm);
	return ret;
}

static int charge(struct iommufd_payer *payer, unsigned long npages, bool force)
{
	int ret = 0;

	/* Others may have brought the user above the limit. */
	if (!npages)
		return 0;
	if (payer->mode == IOMMUFD_ACCOUNT_USER)
		ret = charge_user(payer, npages, force);
	else if (payer->mode == IOMMUFD_ACCOUNT_MM)
		ret = change_mm(payer, npages, true, force);
	if (ret)
		return ret;
	atomic64_add(npages, &payer->mm->pinned_vm);
	atomic_long_add(npages, &payer->charged);
	return 0;
}

/**
 * iommufd_account_charge - Charge for pages about to be pinned
 * @payer: who pays
 * @npages: how many
 *
 * Context: Process context, may sleep. Takes the mmap lock of the payer in mm mode.
 * Return: 0, or -ENOMEM when RLIMIT_MEMLOCK does not allow it; nothing is charged then.
 */
int iommufd_account_charge(struct iommufd_payer *payer, unsigned long npages)
{
	return charge(payer, npages, false);
}

/**
 * iommufd_account_uncharge - Give a charge back
 * @payer: who paid
 * @npages: how many pages, charged before
 *
 * Context: Process context, may sleep. Takes the mmap lock of the payer in mm mode.
 */
void iommufd_account_uncharge(struct iommufd_payer *payer, unsigned long npages)
{
	atomic_long_sub(npages, &payer->charged);
	atomic64_sub(npages, &payer->mm->pinned_vm);
	if (payer->mode == IOMMUFD_ACCOUNT_USER)
		atomic_long_sub(npages, &payer->user->locked_vm);
	else if (payer->mode == IOMMUFD_ACCOUNT_MM)
		change_mm(payer, npages, false, false);
}

/* Are both held against the same count? */
static bool same_account(const struct iommufd_payer *a, const struct iommufd_payer *b)
{
	if (a->mode != b->mode)
		return false;
	if (a->mode == IOMMUFD_ACCOUNT_USER)
		return a->user == b->user;
	return a->mode == IOMMUFD_ACCOUNT_NONE || a->mm == b->mm;
}

/**
 * iommufd_account_move - Let somebody else pay
 * @from: who has paid
 * @to: who shall
 * @npages: for how many pages
 * @force: whatever the limit
 *
 * Between processes of a user, in user mode, no count but VmPin changes, so a move
 * succeeds at the very limit.
 *
 * Context: Process context, may sleep. Takes the mmap locks of both in turn in mm mode.
 * Return: 0, or -ENOMEM without @force; then nothing is moved.
 */
int iommufd_account_move(struct iommufd_payer *from, struct iommufd_payer *to,
			 unsigned long npages, bool force)
{
	int ret;

	if (same_account(from, to)) {
		atomic_long_sub(npages, &from->charged);
		atomic_long_add(npages, &to->charged);
		atomic64_sub(npages, &from->mm->pinned_vm);
		atomic64_add(npages, &to->mm->pinned_vm);
		return 0;
	}
	ret = charge(to, npages, force);
	if (!ret)
		iommufd_account_uncharge(from, npages);
	return ret;
}
