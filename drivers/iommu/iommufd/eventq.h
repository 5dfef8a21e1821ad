/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Event queues: objects that user space reads through a file descriptor of their own.
 */
#ifndef __IOMMUFD_EVENTQ_H
#define __IOMMUFD_EVENTQ_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/wait.h>

#include "object.h"

struct iommufd_eventq;

/**
 * struct iommufd_eventq_ops - One kind of queue
 * @name: of the anonymous file
 * @read: copy whole records to @buf; return bytes, or 0 when nothing is queued
 * @write: take responses; return bytes consumed. NULL: the file is read-only
 * @pending: is there something to read?
 */
struct iommufd_eventq_ops {
	const char *name;
	ssize_t (*read)(struct iommufd_eventq *eventq, char __user *buf, size_t count);
	ssize_t (*write)(struct iommufd_eventq *eventq, const char __user *buf,
			 size_t count);
	bool (*pending)(struct iommufd_eventq *eventq);
};

/**
 * struct iommufd_eventq - Head of an object with a queue file; its first member
 * @obj: the file is a user, and keeps the context
 * @ops: its kind, immutable
 * @reading: held by a reader also while it touches user memory, so that what can not be
 *	     delivered is first again before others read
 * @wait: pollers
 */
struct iommufd_eventq {
	struct iommufd_object obj;
	const struct iommufd_eventq_ops *ops;
	struct mutex reading; /* outside of user memory and of the locks of the queue */
	wait_queue_head_t wait;
};

void iommufd_eventq_init(struct iommufd_eventq *eventq, const struct iommufd_eventq_ops *ops);
int iommufd_eventq_prepare_fd(struct iommufd_eventq *eventq, struct iommufd_cmd *cmd,
			      u32 *out_fd);

#endif
