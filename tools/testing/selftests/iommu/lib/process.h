/* SPDX-License-Identifier: GPL-2.0 */
/* Other processes: a child that runs a function, and file descriptors passed to it. */
#ifndef IOMMU_TEST_PROCESS_H
#define IOMMU_TEST_PROCESS_H

#include <sys/types.h>

#include "util.h"

struct child {
	pid_t pid;
	/* Our end of a socket to it */
	int sock;
};

/* Run @fn in a child; what it returns becomes its exit status. */
void child_start(struct child *child, int (*fn)(int sock, void *arg), void *arg);
/* Exit status, or 128 and the signal that ended it */
int child_wait(struct child *child);
int child_kill(struct child *child);

/* One byte to the other end, and one from it. */
void send_go(int sock);
bool wait_go(int sock);

void send_fd(int sock, int fd);
int receive_fd(int sock);

/* Become an ordinary user without any capability and with that RLIMIT_MEMLOCK. */
void become_user(uid_t uid, size_t memlock);

/* The calling process, and threads it starts from now on, use one processor. */
void run_on_one_cpu(void);
/* The calling thread runs before any ordinary one whenever it can. */
void run_first(void);

#endif
