// SPDX-License-Identifier: GPL-2.0
/*
 * Charging: who pays, up to which limit, and that it all comes back.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "../account.h"
#include "harness.h"

#define LIMIT 100UL

/* A payer with a user and an mm of its own and the calling task's limit */
struct purse {
	struct iommufd_payer payer;
	struct user_struct user;
	struct mm_struct mm;
	unsigned long limit;
};

static struct purse *purse_new(struct kunit *test, enum iommufd_account_mode mode)
{
	struct purse *purse = kzalloc(sizeof(*purse), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, purse);
	harness_limit(LIMIT);
	mmap_init_lock(&purse->mm);
	purse->payer.mode = mode;
	purse->payer.task = current;
	purse->payer.mm = &purse->mm;
	purse->payer.user = &purse->user;
	purse->limit = task_rlimit(current, RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	return purse;
}

static void expect_charged(struct kunit *test, struct purse *purse, unsigned long user,
			   unsigned long mm, unsigned long pinned)
{
	KUNIT_EXPECT_EQ(test, (unsigned long)atomic_long_read(&purse->user.locked_vm), user);
	KUNIT_EXPECT_EQ(test, (unsigned long)purse->mm.locked_vm, mm);
	KUNIT_EXPECT_EQ(test, (unsigned long)atomic64_read(&purse->mm.pinned_vm), pinned);
}

static void user_mode_charges_the_user(struct kunit *test)
{
	struct purse *purse = purse_new(test, IOMMUFD_ACCOUNT_USER);

	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 10), 0);
	expect_charged(test, purse, 10, 0, 10);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 5), 0);
	expect_charged(test, purse, 15, 0, 15);
	iommufd_account_uncharge(&purse->payer, 10);
	expect_charged(test, purse, 5, 0, 5);
	iommufd_account_uncharge(&purse->payer, 5);
	expect_charged(test, purse, 0, 0, 0);
	kfree(purse);
}

static void mm_mode_charges_the_process(struct kunit *test)
{
	struct purse *purse = purse_new(test, IOMMUFD_ACCOUNT_MM);

	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 10), 0);
	expect_charged(test, purse, 0, 10, 10);
	iommufd_account_uncharge(&purse->payer, 4);
	expect_charged(test, purse, 0, 6, 6);
	iommufd_account_uncharge(&purse->payer, 6);
	expect_charged(test, purse, 0, 0, 0);
	kfree(purse);
}

static void no_mode_has_no_limit_but_counts_pins(struct kunit *test)
{
	struct purse *purse = purse_new(test, IOMMUFD_ACCOUNT_NONE);

	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 10 * purse->limit), 0);
	expect_charged(test, purse, 0, 0, 10 * purse->limit);
	iommufd_account_uncharge(&purse->payer, 10 * purse->limit);
	expect_charged(test, purse, 0, 0, 0);
	kfree(purse);
}

static void limit_is_exact(struct kunit *test, enum iommufd_account_mode mode)
{
	struct purse *purse = purse_new(test, mode);
	unsigned long limit = purse->limit;

	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, limit + 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, (unsigned long)atomic64_read(&purse->mm.pinned_vm), 0UL);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, limit), 0);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, (unsigned long)atomic64_read(&purse->mm.pinned_vm), limit);
	iommufd_account_uncharge(&purse->payer, 1);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 2), -ENOMEM);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 1), 0);
	iommufd_account_uncharge(&purse->payer, limit);
	expect_charged(test, purse, 0, 0, 0);
	kfree(purse);
}

static void limit_of_the_user_is_exact(struct kunit *test)
{
	limit_is_exact(test, IOMMUFD_ACCOUNT_USER);
}

static void limit_of_the_process_is_exact(struct kunit *test)
{
	limit_is_exact(test, IOMMUFD_ACCOUNT_MM);
}

/* What others charge to the same user may already be above the limit of this task. */
static void other_charges_above_the_limit_do_not_wrap(struct kunit *test)
{
	struct purse *purse = purse_new(test, IOMMUFD_ACCOUNT_USER);

	atomic_long_set(&purse->user.locked_vm, purse->limit + 10);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, 1), -ENOMEM);
	KUNIT_EXPECT_EQ(test, iommufd_account_charge(&purse->payer, ULONG_MAX - 5), -ENOMEM);
	expect_charged(test, purse, purse->limit + 10, 0, 0);
	kfree(purse);
}

/* Of two processes the second has room for one page too few. */
static void refused_move_changes_nothing(struct kunit *test)
{
	struct purse *from = purse_new(test, IOMMUFD_ACCOUNT_MM);
	struct purse *to = purse_new(test, IOMMUFD_ACCOUNT_MM);
	unsigned long room = to->limit - 9;

	KUNIT_ASSERT_EQ(test, iommufd_account_charge(&from->payer, 10), 0);
	KUNIT_ASSERT_EQ(test, iommufd_account_charge(&to->payer, room), 0);
	KUNIT_EXPECT_EQ(test, iommufd_account_move(&from->payer, &to->payer, 10, false), -ENOMEM);
	expect_charged(test, from, 0, 10, 10);
	expect_charged(test, to, 0, room, room);

	KUNIT_EXPECT_EQ(test, iommufd_account_move(&from->payer, &to->payer, 10, true), 0);
	expect_charged(test, from, 0, 0, 0);
	expect_charged(test, to, 0, room + 10, room + 10);
	iommufd_account_uncharge(&to->payer, room + 10);
	expect_charged(test, to, 0, 0, 0);
	kfree(from);
	kfree(to);
}

static void random_charges_add_up(struct kunit *test)
{
	struct purse *purse = purse_new(test, IOMMUFD_ACCOUNT_USER);
	unsigned long held = 0, n;
	u64 state = harness_seed();
	unsigned int i;
	int ret;

	for (i = 0; i < harness_steps(); i++) {
		n = harness_random(&state, purse->limit / 2 + 2);
		if (harness_random(&state, 2)) {
			ret = iommufd_account_charge(&purse->payer, n);
			KUNIT_ASSERT_EQ(test, ret, held + n > purse->limit ? -ENOMEM : 0);
			held += ret ? 0 : n;
		} else if (n <= held) {
			iommufd_account_uncharge(&purse->payer, n);
			held -= n;
		}
		expect_charged(test, purse, held, 0, held);
	}
	kfree(purse);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(user_mode_charges_the_user),
	KUNIT_CASE(mm_mode_charges_the_process),
	KUNIT_CASE(no_mode_has_no_limit_but_counts_pins),
	KUNIT_CASE(limit_of_the_user_is_exact),
	KUNIT_CASE(limit_of_the_process_is_exact),
	KUNIT_CASE(other_charges_above_the_limit_do_not_wrap),
	KUNIT_CASE(refused_move_changes_nothing),
	KUNIT_CASE(random_charges_add_up),
	{ }
};

static struct kunit_suite account_suite = {
	.name = "iommufd-account",
	.test_cases = account_cases,
};

kunit_test_suite(account_suite);
