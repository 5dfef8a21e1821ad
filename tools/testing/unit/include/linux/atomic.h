/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_ATOMIC_H
#define _UNIT_LINUX_ATOMIC_H

#include <linux/types.h>

typedef struct {
	long counter;
} atomic64_t;

#define atomic_long_read(v) ((v)->counter)
#define atomic_long_add(n, v) ((v)->counter += (n))
#define atomic_long_sub(n, v) ((v)->counter -= (n))
#define atomic_long_set(v, n) ((v)->counter = (n))
#define atomic64_read(v) ((v)->counter)
#define atomic64_add(n, v) ((v)->counter += (n))
#define atomic64_sub(n, v) ((v)->counter -= (n))

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old, long new)
{
	if (v->counter != *old) {
		*old = v->counter;
		return false;
	}
	v->counter = new;
	return true;
}

#endif
