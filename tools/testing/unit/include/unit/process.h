/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_UNIT_PROCESS_H
#define _UNIT_UNIT_PROCESS_H

/* Of processes, what charging looks at. */
#include <linux/mm.h>

#define CAP_IPC_LOCK 14
#define RLIMIT_MEMLOCK 8

struct user_struct {
	atomic_long_t locked_vm;
	int refs;
};

struct mm_struct {
	atomic64_t pinned_vm;
	unsigned long locked_vm;
	int refs;
	int write_locked;
};

struct task_struct {
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct user_struct *user;
	unsigned long memlock;
	bool may_lock_all;
	int refs;
};

extern struct task_struct *current;

#define current_user() (current->user)

static inline bool capable(int cap)
{
	return current->may_lock_all;
}

static inline unsigned long task_rlimit(const struct task_struct *task, int limit)
{
	return task->memlock;
}

static inline struct task_struct *get_task_struct(struct task_struct *task)
{
	task->refs++;
	return task;
}

static inline void put_task_struct(struct task_struct *task)
{
	task->refs--;
}

static inline void mmgrab(struct mm_struct *mm)
{
	mm->refs++;
}

static inline void mmdrop(struct mm_struct *mm)
{
	mm->refs--;
}

static inline struct user_struct *get_uid(struct user_struct *user)
{
	user->refs++;
	return user;
}

static inline void free_uid(struct user_struct *user)
{
	user->refs--;
}

static inline void mmap_write_lock(struct mm_struct *mm)
{
	mm->write_locked++;
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
	mm->write_locked--;
}

static inline void mmap_init_lock(struct mm_struct *mm)
{
	mm->write_locked = 0;
}

int __account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc,
			struct task_struct *task, bool bypass_rlim);

#endif
