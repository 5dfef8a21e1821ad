// SPDX-License-Identifier: GPL-2.0
/*
 * The file of an event queue.
 *
 * The file is made after the reply with its number was written, as the last step of the
 * command, so that no error can come after it exists. It uses the object and keeps the
 * context; an object whose file is open can not be destroyed.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/poll.h>

#include "ctx.h"
#include "eventq.h"
#include "ioctl.h"

static ssize_t eventq_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	struct iommufd_eventq *eventq = file->private_data;
	ssize_t ret;

	if (*pos)
		return -ESPIPE;
	if (file->f_flags & O_NONBLOCK) {
		if (!mutex_trylock(&eventq->reading))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&eventq->reading)) {
		return -ERESTARTSYS;
	}
	ret = eventq->ops->read(eventq, buf, count);
	mutex_unlock(&eventq->reading);
	return ret;
}

static ssize_t eventq_write(struct file *file, const char __user *buf, size_t count,
			    loff_t *pos)
{
	struct iommufd_eventq *eventq = file->private_data;

	if (!eventq->ops->write)
		return -EINVAL;
	return *pos ? -ESPIPE : eventq->ops->write(eventq, buf, count);
}

static __poll_t eventq_poll(struct file *file, struct poll_table_struct *wait)
{
	struct iommufd_eventq *eventq = file->private_data;
	__poll_t events = eventq->ops->write ? EPOLLOUT : 0;

	poll_wait(file, &eventq->wait, wait);
	if (eventq->ops->pending(eventq))
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

static int eventq_release(struct inode *inode, struct file *file)
{
	struct iommufd_eventq *eventq = file->private_data;
	struct iommufd_ctx *ictx = eventq->obj.ictx;

	iommufd_object_unuse(&eventq->obj);
	iommufd_ctx_put(ictx);
	return 0;
}

static const struct file_operations eventq_fops = {
	.owner = THIS_MODULE,
	.read = eventq_read,
	.write = eventq_write,
	.poll = eventq_poll,
	.release = eventq_release,
};

/**
 * iommufd_eventq_init - Fill in the head of a queue object
 * @eventq: part of a new object
 * @ops: its kind
 */
void iommufd_eventq_init(struct iommufd_eventq *eventq, const struct iommufd_eventq_ops *ops)
{
	eventq->ops = ops;
	mutex_init(&eventq->reading);
	init_waitqueue_head(&eventq->wait);
}

static struct file *open_file(struct iommufd_object *obj)
{
	struct iommufd_eventq *eventq = container_of(obj, struct iommufd_eventq, obj);
	struct file *file;

	file = anon_inode_getfile(eventq->ops->name, &eventq_fops, eventq, O_RDWR);
	if (IS_ERR(file))
		return file;
	/* Not published yet, so it can not be on its way out. */
	WARN_ON(iommufd_object_use(obj));
	iommufd_ctx_get(obj->ictx);
	return file;
}

/**
 * iommufd_eventq_prepare_fd - Let the command give the queue a file descriptor
 * @eventq: new queue, cmd->new_obj
 * @cmd: command that makes it
 * @out_fd: set to the number
 *
 * Context: Process context.
 * Return: 0, or why there is no free descriptor.
 */
int iommufd_eventq_prepare_fd(struct iommufd_eventq *eventq, struct iommufd_cmd *cmd,
			      u32 *out_fd)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	cmd->new_fd = fd;
	cmd->open_file = open_file;
	*out_fd = fd;
	return 0;
}
