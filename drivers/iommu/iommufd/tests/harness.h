/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites need beyond KUnit. In user space, where tools/testing/unit runs them,
 * memory can be made to fail and its use be counted; in the kernel the tests that need
 * that are skipped.
 */
#ifndef __IOMMUFD_TESTS_HARNESS_H
#define __IOMMUFD_TESTS_HARNESS_H

#include <linux/types.h>

struct kunit;

#ifdef __KERNEL__
#include <kunit/test.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

static inline unsigned long harness_seed(void)
{
	return 1;
}

static inline unsigned int harness_steps(void)
{
	return 2000;
}

/*
 * Let the @n-th allocation from now on fail, and those after it; 0: none. False if that
 * is impossible.
 */
static inline bool harness_fail_allocation(long n)
{
	return false;
}

/* How many allocations there were so far, failed ones included, or -1 */
static inline long harness_allocations(void)
{
	return -1;
}

/* The kernel's own limit is what counts. */
static inline void harness_limit(unsigned long pages)
{
}

/* Zeroed memory of user space, until the test ends */
static inline unsigned long harness_user_memory(struct kunit *test, unsigned long bytes)
{
	unsigned long addr = kunit_vm_mmap(test, NULL, 0, bytes, PROT_READ | PROT_WRITE,
					   MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, addr, 0);
	return addr;
}

static inline void harness_read_user(void *to, unsigned long addr, unsigned long bytes)
{
	if (copy_from_user(to, (void __user *)addr, bytes))
		memset(to, 0x5a, bytes);
}

#else

unsigned long harness_seed(void);
unsigned int harness_steps(void);
bool harness_fail_allocation(long n);
long harness_allocations(void);

/* The calling task's limit on locked memory */
void harness_limit(unsigned long pages);

unsigned long harness_user_memory(struct kunit *test, unsigned long bytes);
void harness_read_user(void *to, unsigned long addr, unsigned long bytes);

#endif

/* A random number below @limit; the same ones for the same start of *@state. */
static inline unsigned long harness_random(u64 *state, unsigned long limit)
{
	u64 x = *state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x ^ (x >> 31)) % limit;
}

#endif
