// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts in debugfs: /sys/kernel/debug/iommufd/NUMBER, with the number of the trace
 * events.
 *
 * status	who opened it, and what fdinfo says
 * mappings	all areas, a line each
 * reserved	where nothing can be mapped, and because of whom
 *
 * A reader holds no reference of the context. Instead, the first thing that happens when
 * a context goes is that its directory is removed, which waits until nobody is inside of
 * a read; what a reader waits for must therefore not depend on the end of a context.
 *
 * Locks: ioas->iova_rwsem for read, for one area at a time; what fdinfo.c tries.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "area.h"
#include "ctx.h"
#include "debugfs.h"
#include "device.h"
#include "fdinfo.h"
#include "ioas.h"
#include "owner.h"
#include "pages.h"

static struct dentry *root;

static int status_show(struct seq_file *m, void *unused)
{
	struct iommufd_ctx *ictx = m->private;

	seq_printf(m, "opener:\t%d %s\n", pid_vnr(ictx->opener), ictx->comm);
	iommufd_fdinfo_show_ctx(m, ictx);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

/* The next IOAS with its semaphore held, or NULL, or ERR_PTR(-EINTR). */
static struct iommufd_ioas *lock_next_ioas(struct iommufd_ctx *ictx, u32 beyond)
{
	struct iommufd_object *obj;
	struct iommufd_ioas *ioas;

	obj = iommufd_object_get_next(ictx, beyond, &iommufd_ioas_class);
	if (!obj)
		return NULL;
	ioas = iommufd_ioas_from_obj(obj);
	if (!down_read_killable(&ioas->iova_rwsem))
		return ioas;
	iommufd_object_put(obj);
	return ERR_PTR(-EINTR);
}

static void unlock_ioas(struct iommufd_ioas *ioas)
{
	up_read(&ioas->iova_rwsem);
	iommufd_object_put(&ioas->obj);
}

/**
 * struct cursor - Where a reader of "mappings" is
 * @ictx: the context
 * @pos: number of the line. 0 is the heading
 * @ioas: id of the IOAS
 * @iova: of the area, which may have gone since
 * @last: its last IOVA
 */
struct cursor {
	struct iommufd_ctx *ictx;
	loff_t pos;
	u32 ioas;
	unsigned long iova;
	unsigned long last;
};

/* Find an area at or after the cursor. Returns 1, 0 at the end, or -EINTR. */
static int settle(struct cursor *cursor)
{
	struct iommufd_ioas *ioas;
	struct iommufd_area *area;

	/* Ids begin with 1. */
	cursor->ioas = cursor->ioas ?: 1;
	while ((ioas = lock_next_ioas(cursor->ictx, cursor->ioas - 1))) {
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		if (ioas->obj.id != cursor->ioas)
			cursor->iova = 0;
		cursor->ioas = ioas->obj.id;
		area = iommufd_area_first(ioas, cursor->iova, ULONG_MAX);
		if (area) {
			cursor->iova = area->span.start;
			cursor->last = area->span.last;
		}
		unlock_ioas(ioas);
		if (area)
			return 1;
		cursor->ioas++;
		cursor->iova = 0;
	}
	return 0;
}

static void *mappings_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct cursor *cursor = m->private;
	int ret;

	++*pos;
	/* After the heading it is where it should be. */
	if (cursor->pos && check_add_overflow(cursor->last, 1UL, &cursor->iova))
		cursor->ioas++;
	cursor->pos = *pos;
	ret = settle(cursor);
	return ret > 0 ? cursor : ERR_PTR(ret);
}

static void *mappings_start(struct seq_file *m, loff_t *pos)
{
	struct cursor *cursor = m->private;
	void *v = SEQ_START_TOKEN;
	loff_t at = 0;

	if (*pos && *pos == cursor->pos)
		return cursor;
	cursor->pos = 0;
	cursor->ioas = 0;
	cursor->iova = 0;
	while (at < *pos && !IS_ERR_OR_NULL(v))
		v = mappings_next(m, v, &at);
	return v;
}

static void mappings_stop(struct seq_file *m, void *v)
{
}

static const char *state_name(enum iommufd_area_state state)
{
	switch (state) {
	case IOMMUFD_AREA_MAPPING:
		return "mapping";
	case IOMMUFD_AREA_MAPPED:
		return "mapped";
	case IOMMUFD_AREA_UNMAPPING:
		return "unmapping";
	}
	return "";
}

static void show_area(struct seq_file *m, u32 ioas, const struct iommufd_area *area)
{
	const struct iommufd_pages *pages = area->pages;

	seq_printf(m, "%u %#lx-%#lx %lu %c%c %s %d %s %#lx", ioas, area->span.start,
		   area->span.last, iommufd_area_length(area),
		   area->prot & IOMMU_READ ? 'r' : '-', area->prot & IOMMU_WRITE ? 'w' : '-',
		   state_name(area->state), atomic_read(&area->accesses), pages->ops->name,
		   pages->addr + iommufd_area_offset(area, area->span.start));
	if (pages->ops->file) {
		seq_putc(m, ' ');
		seq_file_path(m, pages->ops->file(pages), " \t\n\\");
	}
	seq_putc(m, '\n');
}

static int mappings_show(struct seq_file *m, void *v)
{
	struct cursor *cursor = m->private;
	struct iommufd_ioas *ioas;
	struct iommufd_area *area;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "ioas iova length prot state in-kernel-pins source address file\n");
		return 0;
	}
	ioas = lock_next_ioas(cursor->ictx, cursor->ioas - 1);
	if (IS_ERR_OR_NULL(ioas))
		return PTR_ERR(ioas);
	area = iommufd_area_first(ioas, cursor->iova, cursor->iova);
	if (area && ioas->obj.id == cursor->ioas)
		show_area(m, cursor->ioas, area);
	unlock_ioas(ioas);
	return 0;
}

static const struct seq_operations mappings_ops = {
	.start = mappings_start,
	.next = mappings_next,
	.stop = mappings_stop,
	.show = mappings_show,
};

static int mappings_open(struct inode *inode, struct file *file)
{
	struct cursor *cursor = __seq_open_private(file, &mappings_ops, sizeof(*cursor));

	if (!cursor)
		return -ENOMEM;
	cursor->ictx = inode->i_private;
	return 0;
}

static const struct file_operations mappings_fops = {
	.owner = THIS_MODULE,
	.open = mappings_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static void show_reserved(struct seq_file *m, u32 ioas,
			  const struct iommufd_iova_range *range)
{
	char owner[IOMMUFD_OWNER_LEN];

	iommufd_owner_text(range->owner, owner, sizeof(owner));
	seq_printf(m, "%u %#lx-%#lx %s\n", ioas, range->node.start, range->node.last, owner);
}

static int reserved_show(struct seq_file *m, void *unused)
{
	const struct iommufd_iova_range *range;
	struct interval_tree_node *node;
	struct iommufd_ioas *ioas;
	u32 id = 0;

	seq_puts(m, "ioas iova owner\n");
	while ((ioas = lock_next_ioas(m->private, id))) {
		if (IS_ERR(ioas))
			return PTR_ERR(ioas);
		id = ioas->obj.id;
		range = iommufd_iova_first_reserved(&ioas->iova, 0, ULONG_MAX);
		while (range) {
			show_reserved(m, id, range);
			node = interval_tree_iter_next((struct interval_tree_node *)&range->node,
						       0, ULONG_MAX);
			range = node ? container_of(node, struct iommufd_iova_range, node) :
				       NULL;
		}
		unlock_ioas(ioas);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reserved);

/**
 * iommufd_debugfs_add - Show a new context
 * @ictx: the context
 *
 * Context: Process context of the opener. Whatever fails is not there.
 */
void iommufd_debugfs_add(struct iommufd_ctx *ictx)
{
	char name[16];

	ictx->opener = get_task_pid(current, PIDTYPE_TGID);
	get_task_comm(ictx->comm, current->group_leader);
	snprintf(name, sizeof(name), "%u", ictx->number);
	ictx->debugfs = debugfs_create_dir(name, root);
	debugfs_create_file("status", 0400, ictx->debugfs, ictx, &status_fops);
	debugfs_create_file("mappings", 0400, ictx->debugfs, ictx, &mappings_fops);
	debugfs_create_file("reserved", 0400, ictx->debugfs, ictx, &reserved_fops);
}

/**
 * iommufd_debugfs_remove - Hide a context
 * @ictx: context that nobody uses any more, with all of its objects
 *
 * Context: Process context, may sleep: waits for readers.
 */
void iommufd_debugfs_remove(struct iommufd_ctx *ictx)
{
	debugfs_remove(ictx->debugfs);
	put_pid(ictx->opener);
}

/**
 * iommufd_debugfs_init - Make the directory of the module
 *
 * Context: Before any context.
 */
void iommufd_debugfs_init(void)
{
	root = debugfs_create_dir("iommufd", NULL);
}

/**
 * iommufd_debugfs_exit - Remove it
 *
 * Context: After all contexts.
 */
void iommufd_debugfs_exit(void)
{
	debugfs_remove(root);
}
