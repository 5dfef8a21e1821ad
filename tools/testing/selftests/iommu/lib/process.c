// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

void child_start(struct child *child, int (*fn)(int sock, void *arg), void *arg)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fatal("no socket pair");
	fflush(stdout);
	child->pid = fork();
	if (child->pid < 0)
		fatal("no child process");
	if (!child->pid) {
		int ret;

		close(pair[0]);
		ret = fn(pair[1], arg);
		fflush(stdout);
		_exit(ret);
	}
	close(pair[1]);
	child->sock = pair[0];
}

int child_wait(struct child *child)
{
	int status;

	if (waitpid(child->pid, &status, 0) != child->pid)
		fatal("no child to wait for");
	close(child->sock);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_kill(struct child *child)
{
	kill(child->pid, SIGKILL);
	return child_wait(child);
}

void send_go(int sock)
{
	if (send(sock, "g", 1, MSG_NOSIGNAL) != 1)
		fatal("the other process is gone");
}

bool wait_go(int sock)
{
	char byte;

	return recv(sock, &byte, 1, 0) == 1;
}

union fd_control {
	struct cmsghdr hdr;
	char space[CMSG_SPACE(sizeof(int))];
};

void send_fd(int sock, int fd)
{
	union fd_control control = { };
	struct iovec iov = { .iov_base = "f", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};

	control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
	control.hdr.cmsg_level = SOL_SOCKET;
	control.hdr.cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) != 1)
		fatal("passing a file: %s", errno_name(errno));
}

int receive_fd(int sock)
{
	union fd_control control = { };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1 || control.hdr.cmsg_type != SCM_RIGHTS)
		fatal("no file was passed");
	memcpy(&fd, CMSG_DATA(&control.hdr), sizeof(fd));
	return fd;
}

void become_user(uid_t uid, size_t memlock)
{
	struct rlimit limit = { memlock, memlock };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setgid(uid) || setuid(uid))
		fatal("can not become user %d: %s", uid, errno_name(errno));
}

void run_on_one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fatal("no affinity: %s", errno_name(errno));
}

void run_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		fatal("no priority: %s", errno_name(errno));
}
