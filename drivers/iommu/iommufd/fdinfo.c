// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc/PID/fdinfo/FD says about a context: who pays, and a line for each object.
 *
 * Whoever may look at a process must not be able to hold it up, nor be held up by it. So
 * nothing here waits for a lock that is held while pages are pinned or hardware is
 * switched; the line says "busy" then. The mappings of an IOAS are summed up in steps, in
 * between of which others get their turn.
 *
 * The reader keeps the file open, and each object that it looks at is kept by a short use.
 *
 * Locks: payers->lock, a leaf; with trylock ioas->domains_rwsem and then ioas->iova_rwsem,
 * igroup->lock, access->mutex.
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>

#include "area.h"
#include "ctx.h"
#include "device_memory.h"
#include "fdinfo.h"
#include "ioas.h"
#include "object.h"
#include "pages.h"

/* A short holder of a lock gets so many milliseconds. */
#define LOCK_TRIES 20

/* How many areas are looked at without a break */
#define STEP 1024

/**
 * iommufd_fdinfo_lock - Take a mutex unless that takes long
 * @mutex: the mutex
 *
 * Return: true when it is held.
 */
bool iommufd_fdinfo_lock(struct mutex *mutex)
{
	int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (mutex_trylock(mutex))
			return true;
		fsleep(USEC_PER_MSEC);
	}
	return false;
}

/**
 * iommufd_fdinfo_down_read - Take a semaphore for read unless that takes long
 * @rwsem: the semaphore
 *
 * Return: true when it is held.
 */
bool iommufd_fdinfo_down_read(struct rw_semaphore *rwsem)
{
	int tries;

	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (down_read_trylock(rwsem))
			return true;
		fsleep(USEC_PER_MSEC);
	}
	return false;
}

static const char *const mode_names[] = {
	[IOMMUFD_ACCOUNT_USER] = "user",
	[IOMMUFD_ACCOUNT_MM] = "process",
	[IOMMUFD_ACCOUNT_NONE] = "none",
};

/* What the charges of others, too, add up to: this is held against the limit. */
static void show_limit(struct seq_file *m, const struct iommufd_payer *payer)
{
	unsigned long limit = task_rlimit(payer->task, RLIMIT_MEMLOCK), locked;

	if (payer->mode == IOMMUFD_ACCOUNT_NONE)
		return;
	locked = payer->mode == IOMMUFD_ACCOUNT_USER ?
		 atomic_long_read(&payer->user->locked_vm) :
		 READ_ONCE(payer->mm->locked_vm);
	seq_printf(m, " locked=%lu", locked << PAGE_SHIFT);
	if (limit == RLIM_INFINITY)
		seq_puts(m, " limit=unlimited");
	else
		seq_printf(m, " limit=%lu", limit);
}

static void show_payer(const struct iommufd_payer *payer, void *data)
{
	struct seq_file *m = data;

	seq_printf(m, "iommufd-charge:\tpid=%d uid=%u mode=%s charged=%lu",
		   task_tgid_vnr(payer->task),
		   from_kuid_munged(seq_user_ns(m), payer->user->uid),
		   mode_names[payer->mode],
		   atomic_long_read(&payer->charged) << PAGE_SHIFT);
	show_limit(m, payer);
	seq_putc(m, '\n');
}

/**
 * struct usage - The sum over the areas of an IOAS
 * @areas: how many
 * @mapped: bytes of IOVA
 * @npages: pages they are of
 * @runs: contiguous pieces of memory they were mapped from
 */
struct usage {
	unsigned long areas;
	unsigned long mapped;
	unsigned long npages;
	unsigned long runs;
};

/* Add some areas from @iova on. Returns the next one's IOVA, 0 at the end. */
static unsigned long add_areas(const struct iommufd_ioas *ioas, unsigned long iova,
			       struct usage *usage)
{
	struct iommufd_area *area;
	unsigned int n = 0;

	iommufd_area_for_each(area, ioas, iova, ULONG_MAX) {
		if (n++ == STEP)
			return area->span.start;
		if (area->state == IOMMUFD_AREA_MAPPING)
			continue;
		usage->areas++;
		usage->mapped += iommufd_area_length(area);
		if (iommufd_pages_of_device(area->pages))
			continue;
		usage->npages += area->holder.node.last - area->holder.node.start + 1;
		usage->runs += READ_ONCE(area->runs);
	}
	return 0;
}

/* Returns false if somebody keeps a lock for long. */
static bool add_up(struct iommufd_ioas *ioas, struct usage *usage)
{
	unsigned long iova = 0;

	do {
		if (fatal_signal_pending(current) ||
		    !iommufd_fdinfo_down_read(&ioas->iova_rwsem))
			return false;
		iova = add_areas(ioas, iova, usage);
		up_read(&ioas->iova_rwsem);
		cond_resched();
	} while (iova);
	return true;
}

/* Areas hold their pages while there is a domain, so this is what is pinned for it. */
static void show_pinned(struct seq_file *m, const struct usage *usage)
{
	u64 bytes = (u64)usage->npages << PAGE_SHIFT;

	seq_printf(m, " pinned=%llu runs=%lu", bytes, usage->runs);
	if (bytes)
		seq_printf(m, " runs-per-gib=%llu",
			   mul_u64_u64_div_u64(usage->runs, SZ_1G, bytes));
}

/**
 * iommufd_fdinfo_ioas - What is mapped in an IOAS, and pinned for its page tables
 * @obj: the IOAS
 * @m: where to
 *
 * Pages of two areas, in this or another IOAS, count for both.
 *
 * Context: Process context, may sleep, for milliseconds at a time.
 */
void iommufd_fdinfo_ioas(struct iommufd_object *obj, struct seq_file *m)
{
	struct iommufd_ioas *ioas = iommufd_ioas_from_obj(obj);
	struct usage usage = { };
	bool pinned;

	if (!iommufd_fdinfo_down_read(&ioas->domains_rwsem)) {
		seq_puts(m, " busy");
		return;
	}
	pinned = !list_empty(&ioas->mirrors);
	up_read(&ioas->domains_rwsem);
	if (!add_up(ioas, &usage)) {
		seq_puts(m, " busy");
		return;
	}

	seq_printf(m, " mappings=%lu mapped=%lu", usage.areas, usage.mapped);
	if (pinned)
		show_pinned(m, &usage);
	else
		seq_puts(m, " pinned=0");
}

/* "nested HWPT" becomes "iommufd-nested-hwpt". */
static void show_key(struct seq_file *m, const char *name)
{
	seq_puts(m, "iommufd-");
	for (; *name; name++)
		seq_putc(m, *name == ' ' ? '-' : tolower(*name));
	seq_puts(m, ":\t");
}

static void show_object(struct seq_file *m, struct iommufd_object *obj)
{
	unsigned int users = refcount_read(&obj->users);

	show_key(m, obj->class->name);
	/* One is the object's own, until it is being destroyed. */
	seq_printf(m, "%u users=%u", obj->id, users ? users - 1 : 0);
	if (obj->class->show)
		obj->class->show(obj, m);
	seq_putc(m, '\n');
}

/**
 * iommufd_fdinfo_show_ctx - All lines of a context
 * @m: where to
 * @ictx: context that the caller keeps from being torn down
 *
 * Context: Process context, may sleep, for milliseconds at a time. Safe while objects
 * come and go.
 */
void iommufd_fdinfo_show_ctx(struct seq_file *m, struct iommufd_ctx *ictx)
{
	struct iommufd_object *obj;
	u32 id = 0;

	seq_printf(m, "iommufd-ctx:\t%u\n", ictx->number);
	seq_printf(m, "iommufd-account:\t%s\n", mode_names[READ_ONCE(ictx->account_mode)]);
	iommufd_payer_for_each(&ictx->payers, show_payer, m);

	/* If the buffer is too small, the caller comes back with a larger one. */
	while (!seq_has_overflowed(m) && (obj = iommufd_object_get_next(ictx, id, NULL))) {
		id = obj->id;
		show_object(m, obj);
		iommufd_object_put(obj);
	}
}

/**
 * iommufd_fdinfo_show - fdinfo of an iommufd
 * @m: where to
 * @file: the iommufd
 *
 * Context: See iommufd_fdinfo_show_ctx().
 */
void iommufd_fdinfo_show(struct seq_file *m, struct file *file)
{
	iommufd_fdinfo_show_ctx(m, file->private_data);
}
