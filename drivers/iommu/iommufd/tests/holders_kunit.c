// SPDX-License-Identifier: GPL-2.0
/*
 * Holders and the holes between them, against a count per page.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include "../holders.h"
#include "harness.h"

#define UNIVERSE 300UL
#define MAX_HOLDERS 24

static struct iommufd_holders holders;

static int holders_init(struct kunit *test)
{
	iommufd_holders_init(&holders);
	return 0;
}

static struct iommufd_holder *hold(struct iommufd_holder *holder, unsigned long first,
				   unsigned long last)
{
	holder->node.start = first;
	holder->node.last = last;
	iommufd_holders_insert(&holders, holder);
	return holder;
}

struct expected {
	unsigned long first, last;
};

static void expect_holes(struct kunit *test, unsigned long first, unsigned long last,
			 const struct expected *expected, unsigned int n)
{
	struct iommufd_hole hole;
	unsigned int i = 0;

	iommufd_holders_for_each_hole(&holders, &hole, first, last) {
		KUNIT_ASSERT_TRUE(test, i < n);
		KUNIT_EXPECT_EQ(test, hole.first, expected[i].first);
		KUNIT_EXPECT_EQ(test, hole.last, expected[i].last);
		i++;
	}
	KUNIT_EXPECT_EQ(test, i, n);
}

static void empty_is_one_hole(struct kunit *test)
{
	static const struct expected whole = { 0, ULONG_MAX }, one = { 5, 5 };

	expect_holes(test, 0, ULONG_MAX, &whole, 1);
	expect_holes(test, 5, 5, &one, 1);
	KUNIT_EXPECT_TRUE(test, iommufd_holders_empty(&holders, 0, ULONG_MAX));
}

static void full_has_no_hole(struct kunit *test)
{
	struct iommufd_holder a;

	hold(&a, 0, ULONG_MAX);
	expect_holes(test, 0, ULONG_MAX, NULL, 0);
	expect_holes(test, ULONG_MAX, ULONG_MAX, NULL, 0);
	expect_holes(test, 0, 0, NULL, 0);
}

static void holder_at_the_very_end(struct kunit *test)
{
	static const struct expected before = { 10, ULONG_MAX - 1 };
	struct iommufd_holder a;

	hold(&a, ULONG_MAX, ULONG_MAX);
	expect_holes(test, 10, ULONG_MAX, &before, 1);
	expect_holes(test, ULONG_MAX, ULONG_MAX, NULL, 0);
}

static void holder_at_the_very_beginning(struct kunit *test)
{
	static const struct expected after = { 1, 9 };
	struct iommufd_holder a;

	hold(&a, 0, 0);
	expect_holes(test, 0, 9, &after, 1);
}

/* Unmapping a range with a hole in it must not unpin the hole. */
static void holes_around_and_between(struct kunit *test)
{
	static const struct expected expected[] = { { 0, 9 }, { 20, 29 }, { 40, 50 } };
	static const struct expected within[] = { { 22, 25 } };
	struct iommufd_holder a, b;

	hold(&a, 10, 19);
	hold(&b, 30, 39);
	expect_holes(test, 0, 50, expected, 3);
	expect_holes(test, 22, 25, within, 1);
	expect_holes(test, 12, 15, NULL, 0);
}

/* Letting go in the middle of another holder leaves nothing to unpin. */
static void release_in_the_middle_of_another(struct kunit *test)
{
	static const struct expected middle = { 20, 29 };
	struct iommufd_holder outer, inner;

	hold(&outer, 10, 49);
	hold(&inner, 20, 29);
	iommufd_holders_remove(&holders, &inner);
	expect_holes(test, 20, 29, NULL, 0);

	hold(&inner, 20, 29);
	iommufd_holders_remove(&holders, &outer);
	expect_holes(test, 20, 29, NULL, 0);
	iommufd_holders_remove(&holders, &inner);
	expect_holes(test, 20, 29, &middle, 1);
}

static void adjacent_holders_have_no_hole_between(struct kunit *test)
{
	static const struct expected after = { 30, 30 };
	struct iommufd_holder a, b, c;

	hold(&a, 10, 19);
	hold(&b, 20, 29);
	hold(&c, 12, 13);
	expect_holes(test, 10, 30, &after, 1);
}

struct model {
	unsigned int users[UNIVERSE];
	struct iommufd_holder holder[MAX_HOLDERS];
	bool active[MAX_HOLDERS];
};

static void model_step(struct model *model, u64 *state)
{
	unsigned int which = harness_random(state, MAX_HOLDERS);
	struct iommufd_holder *holder = &model->holder[which];
	unsigned long first, last, i;

	if (model->active[which]) {
		iommufd_holders_remove(&holders, holder);
		for (i = holder->node.start; i <= holder->node.last; i++)
			model->users[i]--;
	} else {
		first = harness_random(state, UNIVERSE);
		last = first + harness_random(state, min(UNIVERSE - first, 60UL));
		hold(holder, first, last);
		for (i = first; i <= last; i++)
			model->users[i]++;
	}
	model->active[which] = !model->active[which];
}

static bool model_agrees(struct model *model, unsigned long first, unsigned long last)
{
	unsigned long at = first, i;
	struct iommufd_hole hole;
	bool empty = true;

	iommufd_holders_for_each_hole(&holders, &hole, first, last) {
		if (hole.first < at || hole.last < hole.first || hole.last > last)
			return false;
		for (i = at; i < hole.first; i++)
			if (!model->users[i])
				return false;
		for (i = hole.first; i <= hole.last; i++)
			if (model->users[i])
				return false;
		at = hole.last + 1;
	}
	for (i = at; i <= last; i++)
		if (!model->users[i])
			return false;
	for (i = first; i <= last; i++)
		empty &= !model->users[i];
	return iommufd_holders_empty(&holders, first, last) == empty;
}

static void random_steps_agree_with_counters(struct kunit *test)
{
	struct model *model = kzalloc(sizeof(*model), GFP_KERNEL);
	u64 state = harness_seed();
	unsigned long first, last;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, model);
	for (i = 0; i < harness_steps(); i++) {
		model_step(model, &state);
		first = harness_random(&state, UNIVERSE);
		last = first + harness_random(&state, UNIVERSE - first);
		if (!model_agrees(model, 0, UNIVERSE - 1) || !model_agrees(model, first, last)) {
			kunit_info(test, "step %u of seed %lu", i, harness_seed());
			KUNIT_EXPECT_TRUE(test, false);
			break;
		}
	}
	kfree(model);
}

static struct kunit_case holders_cases[] = {
	KUNIT_CASE(empty_is_one_hole),
	KUNIT_CASE(full_has_no_hole),
	KUNIT_CASE(holder_at_the_very_end),
	KUNIT_CASE(holder_at_the_very_beginning),
	KUNIT_CASE(holes_around_and_between),
	KUNIT_CASE(release_in_the_middle_of_another),
	KUNIT_CASE(adjacent_holders_have_no_hole_between),
	KUNIT_CASE_SLOW(random_steps_agree_with_counters),
	{ }
};

static struct kunit_suite holders_suite = {
	.name = "iommufd-holders",
	.init = holders_init,
	.test_cases = holders_cases,
};

kunit_test_suite(holders_suite);
