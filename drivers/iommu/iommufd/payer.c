// SPDX-License-Identifier: GPL-2.0
/*
 * Processes as payers.
 *
 * The mappings of a context that one process made share one payer. So a context has few
 * of them, mostly one, and what each pays for is known at any time.
 *
 * Locks: payers->lock, a leaf, to find a payer or to forget one.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/refcount.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "payer.h"

/**
 * struct known_payer - A payer in the list of its context
 * @entry: in payers->list
 * @refs: pages objects it pays for; reaches 0 under payers->lock
 * @payer: what others see
 */
struct known_payer {
	struct list_head entry;
	refcount_t refs;
	struct iommufd_payer payer;
};

/**
 * iommufd_payer_init - Nobody pays yet
 * @payers: the payers of a new context
 */
void iommufd_payer_init(struct iommufd_payers *payers)
{
	spin_lock_init(&payers->lock);
	INIT_LIST_HEAD(&payers->list);
}

/* What a process is charged that maps now. */
static enum iommufd_account_mode current_mode(enum iommufd_account_mode mode)
{
	return capable(CAP_IPC_LOCK) ? IOMMUFD_ACCOUNT_NONE : mode;
}

static bool is_current(const struct iommufd_payer *payer, enum iommufd_account_mode mode)
{
	return payer->mode == mode && payer->task == current->group_leader &&
	       payer->mm == current->mm && payer->user == current_user();
}

static struct known_payer *new_payer(enum iommufd_account_mode mode)
{
	struct known_payer *known = kzalloc(sizeof(*known), GFP_KERNEL_ACCOUNT);

	if (!known)
		return NULL;
	refcount_set(&known->refs, 1);
	known->payer.mode = mode;
	known->payer.task = get_task_struct(current->group_leader);
	known->payer.mm = current->mm;
	mmgrab(known->payer.mm);
	known->payer.user = get_uid(current_user());
	return known;
}

static void free_payer(struct known_payer *known)
{
	free_uid(known->payer.user);
	mmdrop(known->payer.mm);
	put_task_struct(known->payer.task);
	kfree(known);
}

/* The calling process with a reference; @new, or NULL, becomes it if it is not known. */
static struct known_payer *find_or_add(struct iommufd_payers *payers,
				       enum iommufd_account_mode mode,
				       struct known_payer *new)
{
	struct known_payer *known;

	guard(spinlock)(&payers->lock);
	list_for_each_entry(known, &payers->list, entry) {
		if (is_current(&known->payer, mode)) {
			refcount_inc(&known->refs);
			return known;
		}
	}
	if (new)
		list_add_tail(&new->entry, &payers->list);
	return new;
}

/**
 * iommufd_payer_get - The calling process as a payer
 * @payers: the payers of the context
 * @mode: what the context charges; CAP_IPC_LOCK overrides it
 *
 * Context: Process context of the mapper.
 * Return: the payer with a reference, or ERR_PTR(-ENOMEM).
 */
struct iommufd_payer *iommufd_payer_get(struct iommufd_payers *payers,
					enum iommufd_account_mode mode)
{
	struct known_payer *known, *new;

	mode = current_mode(mode);
	known = find_or_add(payers, mode, NULL);
	if (known)
		return &known->payer;

	new = new_payer(mode);
	if (!new)
		return ERR_PTR(-ENOMEM);
	known = find_or_add(payers, mode, new);
	/* Another thread of the process was faster. */
	if (known != new)
		free_payer(new);
	return &known->payer;
}

/**
 * iommufd_payer_put - Drop a reference
 * @payers: the payers of the context
 * @payer: who pays for nothing any more on behalf of that reference
 *
 * Context: Process context.
 */
void iommufd_payer_put(struct iommufd_payers *payers, struct iommufd_payer *payer)
{
	struct known_payer *known = container_of(payer, struct known_payer, payer);

	if (!refcount_dec_and_lock(&known->refs, &payers->lock))
		return;
	list_del(&known->entry);
	spin_unlock(&payers->lock);
	free_payer(known);
}

/**
 * iommufd_payer_for_each - Look at all payers
 * @payers: the payers of a context
 * @fn: called with payers->lock held
 * @data: for @fn
 *
 * Context: Any but interrupts.
 */
void iommufd_payer_for_each(struct iommufd_payers *payers,
			    void (*fn)(const struct iommufd_payer *payer, void *data),
			    void *data)
{
	struct known_payer *known;

	guard(spinlock)(&payers->lock);
	list_for_each_entry(known, &payers->list, entry)
		fn(&known->payer, data);
}

/**
 * iommufd_payer_report - Say whose limit does not allow a charge
 * @payer: who was to pay
 * @npages: for so many pages more
 *
 * Context: Any.
 */
void iommufd_payer_report(const struct iommufd_payer *payer, unsigned long npages)
{
	bool by_user = payer->mode == IOMMUFD_ACCOUNT_USER;
	unsigned long locked = by_user ? atomic_long_read(&payer->user->locked_vm) :
					 READ_ONCE(payer->mm->locked_vm);

	pr_info_ratelimited("iommufd: %s (%d) can not pin %lu kB more: %s of uid %u has %lu kB locked, RLIMIT_MEMLOCK is %lu kB\n",
			    payer->task->comm, task_tgid_nr(payer->task),
			    npages << (PAGE_SHIFT - 10), by_user ? "all" : "this process",
			    from_kuid(&init_user_ns, payer->user->uid),
			    locked << (PAGE_SHIFT - 10),
			    task_rlimit(payer->task, RLIMIT_MEMLOCK) >> 10);
}

/**
 * iommufd_payer_is_current - Does the calling process pay already?
 * @payer: who pays
 * @mode: what the context charges now
 *
 * Return: true when iommufd_payer_get() would give the same.
 */
bool iommufd_payer_is_current(const struct iommufd_payer *payer,
			      enum iommufd_account_mode mode)
{
	return is_current(payer, current_mode(mode));
}
