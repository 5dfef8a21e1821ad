// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings come and go, in every domain of the IOAS.
 *
 * A map takes its IOVAs first, under ioas->iova_rwsem held for write; the area is then
 * in state MAPPING and belongs to the thread. Pinning and filling the domains follows
 * without that lock, so that long maps run side by side, and the area becomes MAPPED.
 *
 * An unmap checks the whole range first, marks its areas UNMAPPING, waits until no
 * in-kernel user has pages of them, takes the IOPTEs out of every domain and flushes
 * them, and only then releases pages. The IOVAs become free last.
 *
 * Either way ioas->domains_rwsem is held for read, and a domain joins or leaves under
 * it held for write, see mirror.c.
 *
 * Locks: ioas->domains_rwsem, then ioas->iova_rwsem, then pages->mutex.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "access.h"
#include "area.h"
#include "dirty_log.h"
#include "domain_map.h"
#include "ioas.h"
#include "mapping.h"
#include "mirror.h"
#include "owner.h"
#include "pages.h"
#include "trace.h"

/* How often in-kernel users are asked to let go of their pages. */
#define UNMAP_TRIES 100

/* Hold the pages and map them in every domain; undone as a whole when one fails. */
static int fill(struct iommufd_ioas *ioas, struct iommufd_area *area)
{
	struct iommufd_mirror *mirror;
	int ret;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (list_empty(&ioas->mirrors))
		return 0;

	guard(mutex)(&area->pages->mutex);
	ret = iommufd_pages_hold(area->pages, &area->holder);
	if (ret)
		return ret;

	list_for_each_entry(mirror, &ioas->mirrors, entry) {
		ret = iommufd_domain_map(mirror->domain, area, ioas->huge_pages);
		if (ret)
			break;
	}
	if (!ret)
		return 0;

	list_for_each_entry_continue_reverse(mirror, &ioas->mirrors, entry)
		iommufd_domain_unmap(mirror->domain, area);
	if (!area->lost)
		iommufd_pages_release(area->pages, &area->holder);
	return ret;
}

/**
 * iommufd_mapping_release - Let go of the pages of an area
 * @area: area that is in no domain any more
 *
 * Context: Process context, may sleep. Takes pages->mutex.
 */
void iommufd_mapping_release(struct iommufd_area *area)
{
	if (area->lost)
		return;
	guard(mutex)(&area->pages->mutex);
	iommufd_pages_release(area->pages, &area->holder);
}

/* Take areas out of every domain, and only then let go of their pages. */
static void drain(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_mirror *mirror;
	struct iommufd_area *area;

	lockdep_assert_held_read(&ioas->domains_rwsem);
	if (list_empty(&ioas->mirrors))
		return;

	list_for_each_entry(mirror, &ioas->mirrors, entry)
		list_for_each_entry(area, areas, entry)
			iommufd_domain_unmap(mirror->domain, area);
	list_for_each_entry(area, areas, entry)
		iommufd_mapping_release(area);
}

static void set_state(struct iommufd_ioas *ioas, struct list_head *areas,
		      enum iommufd_area_state state)
{
	struct iommufd_area *area;

	lockdep_assert_held_write(&ioas->iova_rwsem);
	list_for_each_entry(area, areas, entry) {
		area->state = state;
		cond_resched();
	}
}

static void remove_spans(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;

	guard(rwsem_write)(&ioas->iova_rwsem);
	list_for_each_entry(area, areas, entry) {
		iommufd_iova_remove(&ioas->iova, &area->span);
		cond_resched();
	}
}

/* Give the areas consecutive IOVAs. */
static int take_iovas(struct iommufd_ioas *ioas, struct list_head *areas,
		      struct iommufd_place *place)
{
	struct iommufd_iova_space *space = &ioas->iova;
	unsigned long iova, length;
	struct iommufd_area *area;
	int ret;

	list_for_each_entry(area, areas, entry) {
		ret = iommufd_dirty_log_add_area(ioas, area);
		if (ret)
			return ret;
	}
	guard(rwsem_write)(&ioas->iova_rwsem);

	if (!IS_ALIGNED(place->length, space->alignment))
		return -EINVAL;
	if (place->fixed) {
		ret = iommufd_iova_check(space, place->iova, place->length);
		if (ret == -EINVAL)
			iommufd_owner_report_hit(ioas, place->iova,
						 place->iova + place->length - 1);
	} else {
		ret = iommufd_iova_find(space, place->addr, place->length,
					iommufd_ioas_huge_size(), &place->iova);
	}
	if (ret)
		return ret;

	iova = place->iova;
	list_for_each_entry(area, areas, entry) {
		length = iommufd_area_length(area);
		area->span.start = iova;
		area->span.last = iova + length - 1;
		iova += length;
		if (!iommufd_area_aligned(area, space->alignment))
			return -EINVAL;
	}
	list_for_each_entry(area, areas, entry)
		iommufd_iova_insert(space, &area->span);
	return 0;
}

/* Fill all of them or none. */
static int fill_all(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;
	LIST_HEAD(filled);
	int ret;

	list_for_each_entry(area, areas, entry) {
		ret = fill(ioas, area);
		if (!ret)
			continue;
		list_cut_before(&filled, areas, &area->entry);
		drain(ioas, &filled);
		list_splice(&filled, areas);
		return ret;
	}
	return 0;
}

/* Leaves @areas to the IOAS and empty, or as it was. */
static int add(struct iommufd_ioas *ioas, struct list_head *areas,
	       struct iommufd_place *place)
{
	int ret;

	guard(rwsem_read)(&ioas->domains_rwsem);

	ret = take_iovas(ioas, areas, place);
	if (ret)
		return ret;
	ret = fill_all(ioas, areas);
	if (ret) {
		remove_spans(ioas, areas);
		return ret;
	}

	guard(rwsem_write)(&ioas->iova_rwsem);
	set_state(ioas, areas, IOMMUFD_AREA_MAPPED);
	/* From the end of the lock on, an unmap uses the links of the areas. */
	INIT_LIST_HEAD(areas);
	return 0;
}

/* May the range be unmapped? Sums up what there is. */
static int check_range(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
		       unsigned long *bytes)
{
	struct iommufd_area *area;
	bool busy = false;

	*bytes = 0;
	iommufd_area_for_each(area, ioas, start, last) {
		if (area->span.start < start || area->span.last > last)
			return -ENOENT;
		busy |= area->state != IOMMUFD_AREA_MAPPED || atomic_read(&area->locks);
		*bytes += iommufd_area_length(area);
		cond_resched();
	}
	return busy ? -EBUSY : 0;
}

/* Mark all areas of the range as leaving and collect them. */
static int claim_range(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
		       struct list_head *areas, unsigned long *bytes)
{
	struct iommufd_area *area;
	int ret;

	guard(rwsem_write)(&ioas->iova_rwsem);
	ret = check_range(ioas, start, last, bytes);
	if (ret)
		return ret;

	iommufd_area_for_each(area, ioas, start, last) {
		list_add_tail(&area->entry, areas);
		cond_resched();
	}
	set_state(ioas, areas, IOMMUFD_AREA_UNMAPPING);
	return 0;
}

/* New pins are refused by the state. Ask who has old ones; are there any left? */
static bool ask_users(struct iommufd_ioas *ioas, struct list_head *areas)
{
	struct iommufd_area *area;
	bool left = false;

	/* Paired with the decrement in drop_pieces(). */
	list_for_each_entry(area, areas, entry) {
		if (!atomic_read_acquire(&area->accesses))
			continue;
		iommufd_access_notify(ioas, area->span.start, iommufd_area_length(area));
		left |= atomic_read_acquire(&area->accesses);
	}
	return left;
}

static int evict_users(struct iommufd_ioas *ioas, struct list_head *areas,
		       unsigned long start, unsigned long last)
{
	int tries;

	for (tries = 0; ask_users(ioas, areas); tries++) {
		if (tries == UNMAP_TRIES) {
			pr_warn_ratelimited("iommufd: a driver does not let go of IOVA %#lx-%#lx\n",
					    start, last);
			return -EDEADLOCK;
		}
		/* They may be unpinning right now, which takes its time. */
		schedule_timeout_uninterruptible(1);
	}
	return 0;
}

static int remove_range(struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
			unsigned long *unmapped,
			int (*look)(struct iommufd_ioas *ioas,
				    const struct list_head *areas, void *data),
			void *data)
{
	struct iommufd_area *area, *tmp;
	LIST_HEAD(areas);
	int ret;

	ret = claim_range(ioas, start, last, &areas, unmapped);
	if (ret)
		return ret;

	ret = evict_users(ioas, &areas, start, last);
	scoped_guard(rwsem_read, &ioas->domains_rwsem) {
		if (!ret && look)
			ret = look(ioas, &areas, data);
		if (!ret) {
			drain(ioas, &areas);
			remove_spans(ioas, &areas);
		}
	}
	if (ret) {
		scoped_guard(rwsem_write, &ioas->iova_rwsem)
			set_state(ioas, &areas, IOMMUFD_AREA_MAPPED);
		/* Those that let go have it again, as far as they can. */
		iommufd_access_notify_map(ioas, start, min(last - start, ULONG_MAX - 1) + 1);
		*unmapped = 0;
		return ret;
	}
	list_for_each_entry_safe(area, tmp, &areas, entry) {
		iommufd_area_free(area);
		cond_resched();
	}
	return 0;
}

/**
 * iommufd_mapping_remove_after - Unmap whole areas after a last look at them
 * @ioas: where from
 * @start: first IOVA
 * @last: last IOVA, inclusive
 * @unmapped: set to the number of bytes that were mapped
 * @look: called when in-kernel users have let go and page tables still have everything, with
 *	  the areas, by their entry; holds ioas->domains_rwsem for read. An error ends the
 *	  unmap. May be NULL
 * @data: for @look
 *
 * An empty range is a success here. Takes no memory.
 *
 * Context: Process context, may sleep for long. In-kernel users are called back, so
 * the caller holds no lock at all.
 * Return: 0; -ENOENT: an area sticks out of the range; -EBUSY: another thread maps or
 * unmaps in the range, or hardware reads a queue there; -EDEADLOCK: an in-kernel user
 * does not let go; errors of @look. After an error the mappings are as before, but in-kernel
 * users that had let go may not have taken them again.
 */
int iommufd_mapping_remove_after(struct iommufd_ioas *ioas, unsigned long start,
				 unsigned long last, unsigned long *unmapped,
				 int (*look)(struct iommufd_ioas *ioas,
					     const struct list_head *areas, void *data),
				 void *data)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_unmap_enabled());
	int ret = remove_range(ioas, start, last, unmapped, look, data);

	trace_iommufd_unmap(ioas, start, last, ret ? 0 : *unmapped, ret,
			    iommufd_trace_ns(begin));
	return ret;
}

static int add_and_tell(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_place *place)
{
	unsigned long unmapped;
	int ret;

	ret = add(ioas, areas, place);
	if (ret)
		return ret;
	ret = iommufd_access_notify_map(ioas, place->iova, place->length);
	if (!ret || !iommufd_mapping_remove(ioas, place->iova,
					    place->iova + place->length - 1, &unmapped))
		return ret;
	/* The memory can be reached, and the caller must not think that it can not. */
	pr_warn_ratelimited("iommufd: an in-kernel user neither takes a mapping nor lets go of it (%d)\n",
			    ret);
	return 0;
}

/**
 * iommufd_mapping_add - Put new areas into an IOAS, back to back
 * @ioas: where to
 * @areas: list of new areas, by their entry. What is left in it after an error is the
 *	   caller's, all else the IOAS owns.
 * @place: where they shall go; its iova is set when it was not given
 *
 * In-kernel users that follow the IOAS hear of it. If one of them fails, the range is
 * unmapped as user space could do it, which can already have happened.
 *
 * Context: Process context, may sleep for long. In-kernel users are called back, so
 * the caller holds no lock at all.
 * Return: 0; errors of iommufd_iova_check(), iommufd_iova_find() and, if the IOAS has a
 * domain, of iommufd_pages_hold() and iommufd_domain_map(); -EINVAL when something is
 * not aligned; errors of in-kernel users. After an error the IOAS is as before.
 */
int iommufd_mapping_add(struct iommufd_ioas *ioas, struct list_head *areas,
			struct iommufd_place *place)
{
	u64 begin = iommufd_trace_begin(trace_iommufd_map_enabled());
	int ret = add_and_tell(ioas, areas, place);

	trace_iommufd_map(ioas, place->iova, place->length, ret, iommufd_trace_ns(begin));
	return ret;
}
