/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_LINUX_RCUPDATE_H
#define _UNIT_LINUX_RCUPDATE_H

/* Threads are not what these tests are about. */
#define rcu_dereference(p) (p)
#define rcu_dereference_raw(p) (p)
#define rcu_dereference_protected(p, cond) ((void)(cond), (p))
#define rcu_dereference_check(p, cond) ((void)(cond), (p))
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define rcu_read_lock() do { } while (0)
#define rcu_read_unlock() do { } while (0)

struct rcu_head {
	void (*func)(struct rcu_head *head);
};

/* At once: nobody else reads. */
static inline void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	func(head);
}

#endif
