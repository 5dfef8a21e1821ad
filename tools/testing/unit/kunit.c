// SPDX-License-Identifier: GPL-2.0
/*
 * Runs KUnit suites in user space, and is the kernel to them: memory that can be made
 * to fail and is counted, and processes with a limit on locked memory.
 *
 *	SEED=n		seed of the random tests, for all of them
 *	STEPS=n		steps of each random test
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <kunit/test.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/xarray.h>
#include <linux/errno.h>
#include <unit/process.h>

#include "harness.h"

static struct kunit_suite *suites;
static long live, made, fail_in;

void unit_register(struct kunit_suite *suite)
{
	struct kunit_suite **at = &suites;

	while (*at && strcmp((*at)->name, suite->name) < 0)
		at = &(*at)->next;
	suite->next = *at;
	*at = suite;
}

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtol(text, NULL, 0) : otherwise;
}

unsigned long harness_seed(void)
{
	static long seed;

	if (!seed)
		seed = number_of("SEED", (long)getpid() * 2654435761u);
	return seed;
}

unsigned int harness_steps(void)
{
	return number_of("STEPS", 10000);
}

bool harness_fail_allocation(long n)
{
	fail_in = n;
	return true;
}

long harness_allocations(void)
{
	return made;
}

static void *allocate(size_t size, size_t alignment, bool zero)
{
	void *p = NULL;

	made++;
	if (fail_in == 1)
		return NULL;
	if (fail_in)
		fail_in--;
	if (posix_memalign(&p, alignment, size))
		return NULL;
	live++;
	return memset(p, zero ? 0 : 0xa5, size);
}

static void release(void *p)
{
	live -= !!p;
	free(p);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return allocate(size, sizeof(long), gfp & __GFP_ZERO);
}

void kfree(void *p)
{
	release(p);
}

unsigned long get_zeroed_page(gfp_t gfp)
{
	return (unsigned long)allocate(PAGE_SIZE, PAGE_SIZE, true);
}

void free_page(unsigned long addr)
{
	release((void *)addr);
}

/* The process ends soon. */
unsigned long harness_user_memory(struct kunit *test, unsigned long bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KUNIT_ASSERT_TRUE(test, p != MAP_FAILED);
	return (unsigned long)p;
}

void harness_read_user(void *to, unsigned long addr, unsigned long bytes)
{
	memcpy(to, (void *)addr, bytes);
}

/* A page that stays pinned is reported like memory that is not freed. */
int pin_user_pages_fast(unsigned long start, int n, unsigned int flags, struct page **pages)
{
	int i;

	for (i = 0; i < n; i++)
		pages[i] = (struct page *)(start + i * PAGE_SIZE);
	live += n;
	return n;
}

void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty)
{
	live -= n;
}

/* The nodes of XArrays; their constructor sets the list head. */
struct kmem_cache {
	size_t size;
};

static struct kmem_cache nodes = { .size = sizeof(struct xa_node) };

struct kmem_cache *radix_tree_node_cachep = &nodes;

void *kmem_cache_alloc_lru(struct kmem_cache *cache, struct list_lru *lru, int flags)
{
	struct xa_node *node = allocate(cache->size, sizeof(long), true);

	if (node)
		INIT_LIST_HEAD(&node->private_list);
	return node;
}

void kmem_cache_free(struct kmem_cache *cache, void *p)
{
	release(p);
}

void radix_tree_node_rcu_free(struct rcu_head *head)
{
	release(container_of(head, struct xa_node, rcu_head));
}

int lockdep_is_held(const void *lock)
{
	return 1;
}

static struct mm_struct own_mm;
static struct user_struct own_user;
static struct task_struct own_task = {
	.group_leader = &own_task, .mm = &own_mm, .user = &own_user,
};

struct task_struct *current = &own_task;

int __account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc,
			struct task_struct *task, bool bypass_rlim)
{
	if (!mm->write_locked)
		abort();
	if (!inc) {
		mm->locked_vm -= pages;
		return 0;
	}
	if (!bypass_rlim && mm->locked_vm + pages > task->memlock >> PAGE_SHIFT)
		return -ENOMEM;
	mm->locked_vm += pages;
	return 0;
}

void harness_limit(unsigned long pages)
{
	own_task.memlock = pages << PAGE_SHIFT;
}

static void run_case(struct kunit_suite *suite, const struct kunit_case *c,
		     struct kunit *test)
{
	long before = live;

	if (!setjmp(test->leave)) {
		if (suite->init && suite->init(test))
			test->failed = true;
		else
			c->run_case(test);
	}
	fail_in = 0;
	if (suite->exit)
		suite->exit(test);
	if (!test->failed && live != before) {
		printf("    # %ld allocations were not freed\n", live - before);
		test->failed = true;
	}
}

static bool run_suite(struct kunit_suite *suite)
{
	struct kunit_case *c;
	bool ok = true;
	int n = 0;

	printf("    KTAP version 1\n    # Subtest: %s\n", suite->name);
	for (c = suite->test_cases; c->run_case; c++)
		n++;
	printf("    1..%d\n", n);
	for (c = suite->test_cases, n = 1; c->run_case; c++, n++) {
		struct kunit test = { };

		run_case(suite, c, &test);
		printf("    %sok %d %s%s%s\n", test.failed ? "not " : "", n, c->name,
		       test.skipped ? " # SKIP " : "", test.skipped ?: "");
		ok &= !test.failed;
	}
	return ok;
}

int main(void)
{
	struct kunit_suite *suite;
	int n = 0, status = 0;
	bool ok;

	for (suite = suites; suite; suite = suite->next)
		n++;
	printf("KTAP version 1\n1..%d\n", n);
	printf("# SEED=%lu STEPS=%u\n", harness_seed(), harness_steps());
	for (suite = suites, n = 1; suite; suite = suite->next, n++) {
		ok = run_suite(suite);
		printf("%sok %d %s\n", ok ? "" : "not ", n, suite->name);
		fflush(stdout);
		status |= !ok;
	}
	return status;
}
