// SPDX-License-Identifier: GPL-2.0
/*
 * In-kernel users of an IOAS, each behind a file descriptor of its own.
 *
 * What is pinned is kept as items until user space gives them back, the IOVAs are
 * unmapped, or the file is closed.
 *
 * Locks: access->mutex from before pages are pinned until they are an item, so that an
 * unmap that has asked for them finds them. It is outside of all locks of iommufd.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommufd.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../ioctl.h"
#include "access.h"
#include "iommufd_test.h"

/* More than that at once is a mistake. */
#define MAX_BYTES SZ_16M

/**
 * struct mock_access - One in-kernel user
 * @access: as iommufd sees it, immutable
 * @flags: MOCK_FLAGS_ACCESS_CREATE_*, immutable
 * @mutex: protects the members below it
 * @items: struct item
 * @next_id: number of the next one
 */
struct mock_access {
	struct iommufd_access *access;
	u32 flags;

	struct mutex mutex; /* protects what follows */
	struct list_head items;
	u32 next_id;
};

/* What one IOMMU_TEST_OP_ACCESS_PAGES pinned. */
struct item {
	struct list_head entry;
	u32 id;
	unsigned long iova;
	unsigned long length;
};

static bool can_pin(const struct mock_access *access)
{
	return access->flags & MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES;
}

static void unpin(struct mock_access *access, struct item *item)
{
	lockdep_assert_held(&access->mutex);
	iommufd_access_unpin_pages(access->access, item->iova, item->length);
	list_del(&item->entry);
	kfree(item);
}

static void unmap(void *data, unsigned long iova, unsigned long length)
{
	unsigned long last = iova + length - 1;
	struct mock_access *access = data;
	struct item *item, *tmp;

	guard(mutex)(&access->mutex);
	list_for_each_entry_safe(item, tmp, &access->items, entry)
		if (item->iova <= last && item->iova + item->length - 1 >= iova)
			unpin(access, item);
}

static const struct iommufd_access_ops pinning_ops = {
	.needs_pin_pages = 1,
	.unmap = unmap,
};

static const struct iommufd_access_ops copying_ops = {
	.unmap = unmap,
};

/* A driver with a bug. It lets go when it is closed. */
static void keep(void *data, unsigned long iova, unsigned long length)
{
	if (!iova && length == ULONG_MAX)
		unmap(data, iova, length);
}

static const struct iommufd_access_ops keeping_ops = {
	.needs_pin_pages = 1,
	.unmap = keep,
};

static const struct iommufd_access_ops *ops_of(const struct mock_access *access)
{
	if (access->flags & MOCK_FLAGS_ACCESS_CREATE_KEEPS_PINS)
		return &keeping_ops;
	return can_pin(access) ? &pinning_ops : &copying_ops;
}

static int release(struct inode *inode, struct file *file)
{
	struct mock_access *access = file->private_data;

	if (access->access)
		iommufd_access_destroy(access->access);
	WARN_ON(!list_empty(&access->items));
	mutex_destroy(&access->mutex);
	kfree(access);
	return 0;
}

static const struct file_operations access_fops = {
	.owner = THIS_MODULE,
	.release = release,
};

/* The access whose file descriptor is the id of the command. */
static struct file *get_file_of(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct file *file = fget(arg->id);

	if (!file)
		return ERR_PTR(-EBADFD);
	if (file->f_op == &access_fops)
		return file;
	fput(file);
	return ERR_PTR(-EBADFD);
}

static struct file *make_file(u32 flags)
{
	struct mock_access *access = kzalloc(sizeof(*access), GFP_KERNEL_ACCOUNT);
	struct file *file;

	if (!access)
		return ERR_PTR(-ENOMEM);
	access->flags = flags;
	mutex_init(&access->mutex);
	INIT_LIST_HEAD(&access->items);
	file = anon_inode_getfile("[iommufd_test_staccess]", &access_fops, access,
				  O_RDWR | O_CLOEXEC);
	if (IS_ERR(file))
		kfree(access);
	return file;
}

static int attach(struct mock_access *access, struct iommufd_ctx *ictx, u32 ioas_id)
{
	struct iommufd_access *iaccess;
	u32 id;

	iaccess = iommufd_access_create(ictx, ops_of(access), access, &id);
	if (IS_ERR(iaccess))
		return PTR_ERR(iaccess);
	/* From now on closing the file destroys it. */
	access->access = iaccess;
	return iommufd_access_attach(iaccess, ioas_id);
}

/**
 * mock_access_create - IOMMU_TEST_OP_CREATE_ACCESS
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EOPNOTSUPP: unknown flags; -EMFILE; -ENOMEM; errors of
 * iommufd_access_attach().
 */
int mock_access_create(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u32 flags = arg->create_access.flags;
	int ret;

	if (flags & ~(MOCK_FLAGS_ACCESS_CREATE_NEEDS_PIN_PAGES |
		      MOCK_FLAGS_ACCESS_CREATE_KEEPS_PINS))
		return -EOPNOTSUPP;

	CLASS(get_unused_fd, fd)(O_CLOEXEC);
	if (fd < 0)
		return fd;
	struct file *file __free(fput) = make_file(flags);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = attach(file->private_data, cmd->ictx, arg->id);
	if (ret)
		return ret;

	arg->create_access.out_access_fd = fd;
	/* If the caller can not be told the number, it goes with the process. */
	fd_install(take_fd(fd), no_free_ptr(file));
	return 0;
}

/**
 * mock_access_replace - IOMMU_TEST_OP_ACCESS_REPLACE_IOAS
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EBADFD: not an access; errors of iommufd_access_replace().
 */
int mock_access_replace(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct file *file __free(fput) = get_file_of(cmd);
	struct mock_access *access;

	if (IS_ERR(file))
		return PTR_ERR(file);
	access = file->private_data;
	return iommufd_access_replace(access->access, arg->access_replace_ioas.ioas_id);
}

/* Are these the pages of the caller's memory at @addr? */
static int compare(unsigned long addr, struct page **pages, size_t npages)
{
	struct page *page;
	size_t i;

	for (i = 0; i < npages; i++) {
		if (get_user_pages_fast((addr & PAGE_MASK) + i * PAGE_SIZE, 1, 0, &page) != 1)
			return -EFAULT;
		put_page(page);
		if (page != pages[i])
			return -EBADE;
	}
	return 0;
}

static int pin(struct mock_access *access, struct item *item, const struct iommu_test_cmd *arg)
{
	bool write = arg->access_pages.flags & MOCK_FLAGS_ACCESS_WRITE;
	unsigned long last;
	size_t npages;
	int ret = 0;

	lockdep_assert_held(&access->mutex);

	if (!item->length)
		return -EINVAL;
	if (check_add_overflow(item->iova, item->length - 1, &last))
		return -EOVERFLOW;
	npages = PFN_DOWN(last) - PFN_DOWN(item->iova) + 1;

	/* Memory that does not begin with a page has one more. */
	struct page **pages __free(kvfree) =
		kvcalloc(npages + 1, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return -ENOMEM;
	ret = iommufd_access_pin_pages(access->access, item->iova, item->length, pages,
				       write ? IOMMUFD_ACCESS_RW_WRITE : 0);
	if (ret)
		return ret;
	if (arg->access_pages.uptr)
		ret = compare(arg->access_pages.uptr, pages, npages);
	if (ret)
		iommufd_access_unpin_pages(access->access, item->iova, item->length);
	return ret;
}

static struct item *pin_item(struct mock_access *access, const struct iommu_test_cmd *arg)
{
	struct item *item __free(kfree) = kzalloc(sizeof(*item), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!item)
		return ERR_PTR(-ENOMEM);
	item->iova = arg->access_pages.iova;
	item->length = arg->access_pages.length;
	ret = pin(access, item, arg);
	if (ret)
		return ERR_PTR(ret);
	item->id = access->next_id++;
	list_add_tail(&item->entry, &access->items);
	return_ptr(item);
}

/**
 * mock_access_pin - IOMMU_TEST_OP_ACCESS_PAGES
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOMEM: also if it is too much; -EBADFD: not an access; -EOPNOTSUPP:
 * unknown flags, or the access can not pin; -EINVAL; -EOVERFLOW; -EBADE: these are not
 * the pages the caller named; errors of iommufd_access_pin_pages().
 */
int mock_access_pin(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct mock_access *access;
	struct item *item;

	if (arg->access_pages.length > MAX_BYTES)
		return -ENOMEM;
	if (arg->access_pages.flags & ~MOCK_FLAGS_ACCESS_WRITE)
		return -EOPNOTSUPP;
	struct file *file __free(fput) = get_file_of(cmd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	access = file->private_data;
	if (!can_pin(access))
		return -EOPNOTSUPP;

	guard(mutex)(&access->mutex);
	item = pin_item(access, arg);
	if (IS_ERR(item))
		return PTR_ERR(item);
	arg->access_pages.out_access_pages_id = item->id;
	return 0;
}

/**
 * mock_access_unpin - IOMMU_TEST_OP_DESTROY_ACCESS_PAGES
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EBADFD: not an access; -ENOENT: no such item.
 */
int mock_access_unpin(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct file *file __free(fput) = get_file_of(cmd);
	struct mock_access *access;
	struct item *item;

	if (IS_ERR(file))
		return PTR_ERR(file);
	access = file->private_data;
	guard(mutex)(&access->mutex);
	list_for_each_entry(item, &access->items, entry) {
		if (item->id != arg->destroy_access_pages.access_pages_id)
			continue;
		unpin(access, item);
		return 0;
	}
	return -ENOENT;
}

static int rw(struct mock_access *access, const struct iommu_test_cmd *arg)
{
	void __user *uptr = u64_to_user_ptr(arg->access_rw.uptr);
	bool write = arg->access_rw.flags & MOCK_ACCESS_RW_WRITE;
	size_t length = arg->access_rw.length;
	int ret;

	void *data __free(kvfree) = kvzalloc(length, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (write && copy_from_user(data, uptr, length))
		return -EFAULT;
	ret = iommufd_access_rw(access->access, arg->access_rw.iova, data, length,
				arg->access_rw.flags);
	if (!ret && !write && copy_to_user(uptr, data, length))
		return -EFAULT;
	return ret;
}

/**
 * mock_access_rw - IOMMU_TEST_OP_ACCESS_RW
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOMEM: also if it is too much; -EBADFD: not an access; -EOPNOTSUPP:
 * unknown flags; -EFAULT; errors of iommufd_access_rw().
 */
int mock_access_rw(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;

	if (arg->access_rw.length > MAX_BYTES)
		return -ENOMEM;
	if (arg->access_rw.flags & ~(MOCK_ACCESS_RW_WRITE | MOCK_ACCESS_RW_SLOW_PATH))
		return -EOPNOTSUPP;
	struct file *file __free(fput) = get_file_of(cmd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	return rw(file->private_data, arg);
}
