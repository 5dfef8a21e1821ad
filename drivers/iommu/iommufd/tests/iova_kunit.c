// SPDX-License-Identifier: GPL-2.0
/*
 * The IOVA space against a list of used and reserved ranges that is searched naively.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../iova.h"
#include "harness.h"

#define HUGE (2UL << 20)
#define P PAGE_SIZE

static struct iommufd_iova_space space;

static int iova_init(struct kunit *test)
{
	iommufd_iova_init(&space);
	space.alignment = PAGE_SIZE;
	return 0;
}

static void iova_exit(struct kunit *test)
{
	iommufd_iova_destroy(&space);
}

static void use(struct iommufd_iova_span *span, unsigned long start, unsigned long last)
{
	span->start = start;
	span->last = last;
	iommufd_iova_insert(&space, span);
}

static unsigned long found(unsigned long addr, unsigned long length)
{
	unsigned long iova;
	int ret = iommufd_iova_find(&space, addr, length, HUGE, &iova);

	return ret ? ret : iova;
}

static int allow(unsigned long start, unsigned long last)
{
	LIST_HEAD(list);
	int ret;

	if (iommufd_iova_list_add(&list, start, last))
		return -ENOMEM;
	ret = iommufd_iova_allow(&space, &list);
	iommufd_iova_list_free(&list);
	return ret;
}

static void named_iova_is_checked(struct kunit *test)
{
	struct iommufd_iova_reservation res;
	struct iommufd_iova_span span;

	iommufd_iova_reservation_init(&res);
	use(&span, 4 * P, 6 * P - 1);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 10 * P, 10 * P), 0);

	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 0, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 3 * P, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 3 * P, P + 1), -EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 5 * P, P), -EEXIST);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 6 * P, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 6 * P + 1, P), -EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 9 * P, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 9 * P, P + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 10 * P, P), -EINVAL);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 11 * P, P), 0);
	iommufd_iova_unreserve(&space, &res);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 10 * P, P), 0);
	iommufd_iova_remove(&space, &span);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 5 * P, P), 0);
}

static void last_page_of_all(struct kunit *test)
{
	unsigned long end = ULONG_MAX - P + 1;
	struct iommufd_iova_span span;

	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, end, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, end, P + 1), -EOVERFLOW);
	use(&span, end, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, end, P), -EEXIST);
	KUNIT_EXPECT_EQ(test, found(P, P), P);
	KUNIT_EXPECT_TRUE(test, iommufd_iova_first(&space, ULONG_MAX, ULONG_MAX) == &span);
	iommufd_iova_remove(&space, &span);
	KUNIT_EXPECT_NULL(test, iommufd_iova_first(&space, 0, ULONG_MAX));
}

static void first_fit_and_exact_fit(struct kunit *test)
{
	struct iommufd_iova_span a, b, c;

	use(&a, P, 4 * P - 1);
	use(&b, 6 * P, 9 * P - 1);
	use(&c, 12 * P, 20 * P - 1);
	KUNIT_EXPECT_EQ(test, found(P, P), 4 * P);
	KUNIT_EXPECT_EQ(test, found(P, 2 * P), 4 * P);
	KUNIT_EXPECT_EQ(test, found(P, 3 * P), 9 * P);
	KUNIT_EXPECT_EQ(test, found(P, 4 * P), 20 * P);
	iommufd_iova_remove(&space, &b);
	KUNIT_EXPECT_EQ(test, found(P, 8 * P), 4 * P);
	iommufd_iova_remove(&space, &a);
	iommufd_iova_remove(&space, &c);
}

static void full_but_for_one_page(struct kunit *test)
{
	struct iommufd_iova_span a, b;

	use(&a, 0, 100 * P - 1);
	use(&b, 101 * P, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, found(P, P), 100 * P);
	KUNIT_EXPECT_EQ(test, found(P, 2 * P), (unsigned long)-ENOSPC);
	iommufd_iova_remove(&space, &a);
	iommufd_iova_remove(&space, &b);
}

/* The search must not wrap to low addresses when it is rounded up past the end. */
static void alignment_up_past_the_end(struct kunit *test)
{
	struct iommufd_iova_span a;

	use(&a, 0, ULONG_MAX - 3 * P);
	KUNIT_EXPECT_EQ(test, found(HUGE, HUGE), (unsigned long)-ENOSPC);
	KUNIT_EXPECT_EQ(test, found(HUGE, 4 * P), (unsigned long)-ENOSPC);
	iommufd_iova_remove(&space, &a);
}

static void alignment_follows_the_memory(struct kunit *test)
{
	struct iommufd_iova_span a;

	use(&a, P, 2 * P - 1);
	KUNIT_EXPECT_EQ(test, found(HUGE, HUGE), HUGE);
	KUNIT_EXPECT_EQ(test, found(8 * P, 64 * P), 8 * P);
	KUNIT_EXPECT_EQ(test, found(8 * P, 2 * P), 2 * P);
	KUNIT_EXPECT_EQ(test, found(HUGE + 123, P), (unsigned long)-EINVAL);
	space.alignment = 1;
	KUNIT_EXPECT_EQ(test, found(HUGE + 123, 10) % P, 123UL);
	KUNIT_EXPECT_EQ(test, found(P, ULONG_MAX / 2), (unsigned long)-EOVERFLOW);
	iommufd_iova_remove(&space, &a);
}

static void zero_is_never_chosen(struct kunit *test)
{
	KUNIT_EXPECT_NE(test, found(0, P), 0UL);
	KUNIT_EXPECT_EQ(test, allow(0, 10 * P - 1), 0);
	KUNIT_EXPECT_EQ(test, found(0, P), P);
}

static void allowed_ranges_bind_the_search(struct kunit *test)
{
	LIST_HEAD(list);

	KUNIT_ASSERT_EQ(test, iommufd_iova_list_add(&list, 50 * P, 51 * P - 1), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_list_add(&list, 60 * P, 64 * P - 1), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_allow(&space, &list), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	KUNIT_EXPECT_EQ(test, found(P, P), 50 * P);
	KUNIT_EXPECT_EQ(test, found(P, 2 * P), 60 * P);
	KUNIT_EXPECT_EQ(test, found(P, 5 * P), (unsigned long)-ENOSPC);
	/* But not those who name the IOVA. */
	KUNIT_EXPECT_EQ(test, iommufd_iova_check(&space, 70 * P, P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_allow(&space, &list), 0);
	KUNIT_EXPECT_EQ(test, found(P, 5 * P), P);
}

static void refused_allowed_list_changes_nothing(struct kunit *test)
{
	struct iommufd_iova_reservation res;
	LIST_HEAD(list);

	iommufd_iova_reservation_init(&res);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 0, 8 * P - 1), 0);
	KUNIT_ASSERT_EQ(test, allow(50 * P, 60 * P - 1), 0);

	KUNIT_EXPECT_EQ(test, allow(7 * P, 9 * P), -EADDRINUSE);
	KUNIT_ASSERT_EQ(test, iommufd_iova_list_add(&list, 20 * P, 30 * P), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_list_add(&list, 30 * P, 31 * P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_allow(&space, &list), -EINVAL);
	iommufd_iova_list_free(&list);
	KUNIT_EXPECT_EQ(test, found(P, P), 50 * P);
	iommufd_iova_unreserve(&space, &res);
}

static void reservations_belong_to_their_owners(struct kunit *test)
{
	struct iommufd_iova_reservation a, b;
	struct iommufd_iova_span span;

	iommufd_iova_reservation_init(&a);
	iommufd_iova_reservation_init(&b);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &a, 5 * P, 9 * P), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &b, 5 * P, 9 * P), 0);
	iommufd_iova_unreserve(&space, &a);
	KUNIT_EXPECT_TRUE(test, iommufd_iova_is_reserved(&space, 9 * P, 9 * P));
	KUNIT_EXPECT_FALSE(test, iommufd_iova_is_reserved(&space, 9 * P + 1, ULONG_MAX));
	iommufd_iova_unreserve(&space, &b);
	KUNIT_EXPECT_FALSE(test, iommufd_iova_is_reserved(&space, 0, ULONG_MAX));

	use(&span, 20 * P, 21 * P - 1);
	KUNIT_EXPECT_EQ(test, iommufd_iova_reserve(&space, &a, 0, 20 * P), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, allow(40 * P, 41 * P), 0);
	KUNIT_EXPECT_EQ(test, iommufd_iova_reserve(&space, &a, 41 * P, 50 * P), -EADDRINUSE);
	KUNIT_EXPECT_TRUE(test, list_empty(&a.ranges));
	iommufd_iova_remove(&space, &span);
}

static void usable_ranges(struct kunit *test)
{
	unsigned long cursor = 0, start, last;
	struct iommufd_iova_reservation res;

	iommufd_iova_reservation_init(&res);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 0, 9), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 20, 29), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 25, 39), 0);
	KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &res, 100, ULONG_MAX), 0);
	KUNIT_EXPECT_TRUE(test, iommufd_iova_next_usable(&space, &cursor, &start, &last));
	KUNIT_EXPECT_EQ(test, start, 10UL);
	KUNIT_EXPECT_EQ(test, last, 19UL);
	KUNIT_EXPECT_TRUE(test, iommufd_iova_next_usable(&space, &cursor, &start, &last));
	KUNIT_EXPECT_EQ(test, start, 40UL);
	KUNIT_EXPECT_EQ(test, last, 99UL);
	KUNIT_EXPECT_FALSE(test, iommufd_iova_next_usable(&space, &cursor, &start, &last));
	iommufd_iova_unreserve(&space, &res);

	cursor = 0;
	KUNIT_EXPECT_TRUE(test, iommufd_iova_next_usable(&space, &cursor, &start, &last));
	KUNIT_EXPECT_EQ(test, start, 0UL);
	KUNIT_EXPECT_EQ(test, last, ULONG_MAX);
	KUNIT_EXPECT_FALSE(test, iommufd_iova_next_usable(&space, &cursor, &start, &last));
}

static void no_memory_is_reported_and_harms_nothing(struct kunit *test)
{
	struct iommufd_iova_reservation res;
	LIST_HEAD(list);

	if (!harness_fail_allocation(0))
		kunit_skip(test, "allocations can not be made to fail here");
	iommufd_iova_reservation_init(&res);
	harness_fail_allocation(1);
	KUNIT_EXPECT_EQ(test, iommufd_iova_reserve(&space, &res, 0, 9), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, list_empty(&res.ranges));
	KUNIT_EXPECT_FALSE(test, iommufd_iova_is_reserved(&space, 0, ULONG_MAX));
	harness_fail_allocation(1);
	KUNIT_EXPECT_EQ(test, iommufd_iova_list_add(&list, 0, 9), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
}

/*
 * The naive model counts in units of a page, in a window that begins at @base, which
 * may lie at either end of the address space. What is outside of the window is reserved.
 */
#define UNITS 192UL
#define MAX_SPANS 64
#define MAX_OWNERS 6

struct model {
	unsigned long base;
	bool used[UNITS];
	unsigned int reserved[UNITS];
	bool allowed[UNITS], restricted;
	struct iommufd_iova_span span[MAX_SPANS];
	bool active[MAX_SPANS];
	struct iommufd_iova_reservation outside, owner[MAX_OWNERS];
	unsigned long owner_first[MAX_OWNERS], owner_last[MAX_OWNERS];
	bool owns[MAX_OWNERS];
};

static unsigned long address(const struct model *model, unsigned long unit)
{
	return model->base + unit * P;
}

static bool any(const struct model *model, unsigned long first, unsigned long last,
		bool used, bool reserved, bool allowed)
{
	for (; first <= last; first++)
		if ((used && model->used[first]) || (reserved && model->reserved[first]) ||
		    (allowed && model->restricted && model->allowed[first]))
			return true;
	return false;
}

static long model_find(const struct model *model, unsigned long step, unsigned long n)
{
	unsigned long unit, i, end = UNITS;

	/* The very last page is for those who name it. */
	if (!model->restricted && address(model, UNITS) == 0)
		end--;
	for (unit = 0; unit + n <= end; unit++) {
		if (!address(model, unit) || address(model, unit) & (step - 1) ||
		    any(model, unit, unit + n - 1, true, true, false))
			continue;
		/* Allowed ranges are searched one by one, even when they touch. */
		for (i = 0; model->restricted && i < n && model->allowed[unit + i]; i++)
			;
		if (!model->restricted || i == n)
			return unit;
	}
	return -1;
}

static void step_span(struct kunit *test, struct model *model, u64 *state)
{
	unsigned int which = harness_random(state, MAX_SPANS);
	struct iommufd_iova_span *span = &model->span[which];
	unsigned long first, n;
	int ret, want = 0;

	if (model->active[which]) {
		first = (span->start - model->base) / P;
		n = (span->last - span->start) / P + 1;
		iommufd_iova_remove(&space, span);
		memset(model->used + first, 0, n);
		model->active[which] = false;
		return;
	}
	first = harness_random(state, UNITS);
	n = 1 + harness_random(state, min(UNITS - first, 12UL));
	if (any(model, first, first + n - 1, false, true, false))
		want = -EINVAL;
	else if (any(model, first, first + n - 1, true, false, false))
		want = -EEXIST;
	ret = iommufd_iova_check(&space, address(model, first), n * P);
	KUNIT_ASSERT_EQ(test, ret, want);
	if (ret)
		return;
	use(span, address(model, first), address(model, first) + n * P - 1);
	memset(model->used + first, 1, n);
	model->active[which] = true;
}

static void step_reserve(struct kunit *test, struct model *model, u64 *state)
{
	unsigned int which = harness_random(state, MAX_OWNERS);
	unsigned long first = harness_random(state, UNITS), i;
	unsigned long last = first + harness_random(state, min(UNITS - first, 5UL));
	int ret;

	if (model->owns[which]) {
		iommufd_iova_unreserve(&space, &model->owner[which]);
		for (i = model->owner_first[which]; i <= model->owner_last[which]; i++)
			model->reserved[i]--;
		model->owns[which] = false;
		return;
	}
	ret = iommufd_iova_reserve(&space, &model->owner[which], address(model, first),
				   address(model, last) + P - 1);
	KUNIT_ASSERT_EQ(test, ret,
			any(model, first, last, true, false, true) ? -EADDRINUSE : 0);
	if (ret)
		return;
	for (i = first; i <= last; i++)
		model->reserved[i]++;
	model->owner_first[which] = first;
	model->owner_last[which] = last;
	model->owns[which] = true;
}

static void step_allow(struct kunit *test, struct model *model, u64 *state)
{
	unsigned long first = harness_random(state, UNITS);
	unsigned long last = first + harness_random(state, UNITS - first);
	LIST_HEAD(list);
	int ret;

	if (harness_random(state, 2)) {
		KUNIT_ASSERT_EQ(test, iommufd_iova_allow(&space, &list), 0);
		model->restricted = false;
		return;
	}
	ret = allow(address(model, first), address(model, last) + P - 1);
	KUNIT_ASSERT_EQ(test, ret,
			any(model, first, last, false, true, false) ? -EADDRINUSE : 0);
	if (ret)
		return;
	memset(model->allowed, 0, sizeof(model->allowed));
	memset(model->allowed + first, 1, last - first + 1);
	model->restricted = true;
}

/* The gaps as the definition has them */
static void check_gaps(struct kunit *test)
{
	struct iommufd_iova_span *span = iommufd_iova_first(&space, 0, ULONG_MAX);
	unsigned long free_from = 0, most = 0;

	for (; span; span = iommufd_iova_next(span)) {
		KUNIT_ASSERT_EQ(test, span->gap, span->start - free_from);
		most = max(most, span->gap);
		free_from = span->last + 1;
	}
	if (space.spans.rb_node)
		KUNIT_ASSERT_EQ(test, rb_entry(space.spans.rb_node, struct iommufd_iova_span,
					       rb)->max_gap, most);
}

static void check_search(struct kunit *test, struct model *model, u64 *state)
{
	unsigned long n = 1 + harness_random(state, 20), step = P, iova = 0;
	unsigned long addr = P << harness_random(state, 5);
	long want;
	int ret;

	while (step < n * P)
		step <<= 1;
	step = min(step, min(addr, HUGE));
	want = model_find(model, step, n);
	ret = iommufd_iova_find(&space, addr, n * P, HUGE, &iova);
	KUNIT_ASSERT_EQ(test, ret, want < 0 ? -ENOSPC : 0);
	if (!ret)
		KUNIT_ASSERT_EQ(test, iova, address(model, want));
}

static void walk(struct kunit *test, unsigned long base)
{
	struct model *model = kzalloc(sizeof(*model), GFP_KERNEL);
	u64 state = harness_seed() ^ base;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	model->base = base;
	iommufd_iova_reservation_init(&model->outside);
	for (i = 0; i < MAX_OWNERS; i++)
		iommufd_iova_reservation_init(&model->owner[i]);
	if (base)
		KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &model->outside, 0,
							   base - 1), 0);
	if (base + UNITS * P)
		KUNIT_ASSERT_EQ(test, iommufd_iova_reserve(&space, &model->outside,
							   base + UNITS * P, ULONG_MAX), 0);

	for (i = 0; i < harness_steps(); i++) {
		switch (harness_random(&state, 16)) {
		case 0:
			step_allow(test, model, &state);
			break;
		case 1 ... 2:
			step_reserve(test, model, &state);
			break;
		default:
			step_span(test, model, &state);
		}
		check_gaps(test);
		check_search(test, model, &state);
	}
	for (i = 0; i < MAX_SPANS; i++)
		if (model->active[i])
			iommufd_iova_remove(&space, &model->span[i]);
	for (i = 0; i < MAX_OWNERS; i++)
		iommufd_iova_unreserve(&space, &model->owner[i]);
	iommufd_iova_unreserve(&space, &model->outside);
	kfree(model);
}

static void random_steps_agree_at_the_bottom(struct kunit *test)
{
	walk(test, 0);
}

static void random_steps_agree_in_the_middle(struct kunit *test)
{
	walk(test, 1UL << 40);
}

static void random_steps_agree_at_the_top(struct kunit *test)
{
	walk(test, -(UNITS * P));
}

static struct kunit_case iova_cases[] = {
	KUNIT_CASE(named_iova_is_checked),
	KUNIT_CASE(last_page_of_all),
	KUNIT_CASE(first_fit_and_exact_fit),
	KUNIT_CASE(full_but_for_one_page),
	KUNIT_CASE(alignment_up_past_the_end),
	KUNIT_CASE(alignment_follows_the_memory),
	KUNIT_CASE(zero_is_never_chosen),
	KUNIT_CASE(allowed_ranges_bind_the_search),
	KUNIT_CASE(refused_allowed_list_changes_nothing),
	KUNIT_CASE(reservations_belong_to_their_owners),
	KUNIT_CASE(usable_ranges),
	KUNIT_CASE(no_memory_is_reported_and_harms_nothing),
	KUNIT_CASE_SLOW(random_steps_agree_at_the_bottom),
	KUNIT_CASE_SLOW(random_steps_agree_in_the_middle),
	KUNIT_CASE_SLOW(random_steps_agree_at_the_top),
	{ }
};

static struct kunit_suite iova_suite = {
	.name = "iommufd-iova",
	.init = iova_init,
	.exit = iova_exit,
	.test_cases = iova_cases,
};

kunit_test_suite(iova_suite);
