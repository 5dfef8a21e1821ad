// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is named by a file: a memfd, of shmem or hugetlbfs.
 *
 * A file that is sealed against writing is not pinned for writing, also if the seal
 * came after the mapping; the seal itself is refused while pages are pinned.
 *
 * Locks: pages->mutex around pin; takes the lock of the inode for read.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <uapi/linux/falloc.h>

#include "pages.h"
#include "pin_file.h"

#define BATCH_FOLIOS 512
/* 1 GiB, which is one folio at best */
#define BATCH_PAGES (1UL << (30 - PAGE_SHIFT))

struct file_pages {
	struct iommufd_pages pages;
	struct file *file;
};

static struct file_pages *to_file_pages(struct iommufd_pages *pages)
{
	return container_of(pages, struct file_pages, pages);
}

static unsigned int file_seals(struct file *file)
{
	if (is_file_hugepages(file))
		return HUGETLBFS_I(file_inode(file))->seals;
	return SHMEM_I(file_inode(file))->seals;
}

static int check_writable(struct file *file)
{
	if (!(file->f_mode & FMODE_WRITE) ||
	    file_seals(file) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return 0;
}

/*
 * memfd_pin_folios() gives one pin per folio. Holders need pages, and after a hole was
 * punched two folios can have been at the same index: make it one pin per page, as for
 * memory of a process. The folio has a pin, so it stays.
 */
static int add_pins(struct folio *folio, unsigned long n)
{
	if (!n)
		return 0;
	if (folio_ref_count(folio) > INT_MAX / 2)
		return -ENOMEM;
	folio_ref_add(folio, n);
	atomic_add(n, &folio->_pincount);
	mod_node_page_state(folio_pgdat(folio), NR_FOLL_PIN_ACQUIRED, n);
	return 0;
}

/* Store @n folios, of which the first is entered at its page @off. */
static int store_folios(struct iommufd_pages *pages, unsigned long index,
			unsigned long last, struct folio **folios, long n,
			unsigned long off, unsigned long *pinned)
{
	int ret = 0;
	long i;

	for (i = 0; i < n; i++, off = 0) {
		unsigned long npages = min(folio_nr_pages(folios[i]) - off, last - index + 1);

		ret = iommufd_extents_add(&pages->extents, index,
					  folio_pfn(folios[i]) + off, npages);
		if (!ret)
			ret = add_pins(folios[i], npages - 1);
		if (ret)
			break;
		*pinned += npages;
		index += npages;
	}
	if (ret)
		unpin_folios(folios + i, n - i);
	return ret;
}

/*
 * What fallocate() gave a shmem file is only cleared when it is used first. A device
 * would see what was there before, and what it wrote would be cleared later.
 */
static int clear_unused(struct file *file, struct folio **folios, long n)
{
	long i;

	for (i = 0; i < n; i++) {
		struct folio *folio;

		if (folio_test_uptodate(folios[i]))
			continue;
		folio = shmem_read_folio(file->f_mapping, folios[i]->index);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		folio_put(folio);
		if (folio != folios[i])
			return -EFAULT;
	}
	return 0;
}

/*
 * memfd_pin_folios() fills holes of hugetlbfs with pages that others have reserved, so
 * there must be none. fallocate() accounts for what it takes.
 */
static int fill_holes(struct file *file, loff_t start, loff_t end)
{
	int ret;

	if (!is_file_hugepages(file) || !(file->f_mode & FMODE_WRITE))
		return 0;
	ret = vfs_fallocate(file, FALLOC_FL_KEEP_SIZE, start, end - start);
	return ret == -ENOSPC ? -ENOMEM : ret;
}

/* Are all pages of the file there? What is counted can also be beyond its end. */
static bool is_full(struct file *file, size_t size)
{
	loff_t end = round_up(i_size_read(file_inode(file)), size);

	return file->f_mapping->nrpages == end >> PAGE_SHIFT &&
	       !filemap_range_has_page(file->f_mapping, end, LLONG_MAX);
}

static bool has_hole(struct file *file, loff_t start, loff_t end)
{
	size_t size;

	if (!is_file_hugepages(file))
		return false;
	size = huge_page_size(hstate_file(file));
	if (is_full(file, size))
		return false;
	for (start = round_down(start, size); start < end; start += size)
		if (!xa_load(&file->f_mapping->i_pages, start >> PAGE_SHIFT))
			return true;
	return false;
}

/* Pin what is there; -ENODATA: not all is. The caller has the lock of the inode. */
static long pin_locked(struct iommufd_pages *pages, loff_t start, loff_t end,
		       struct folio **folios, unsigned int n, pgoff_t *offset)
{
	struct file *file = to_file_pages(pages)->file;
	long pinned;
	int ret;

	ret = pages->writable ? check_writable(file) : 0;
	if (ret)
		return ret;
	if (has_hole(file, start, end))
		return -ENODATA;
	pinned = memfd_pin_folios(file, start, end - 1, folios, n, offset);
	/* What became of a file that is too short now says -EINVAL. */
	if (pinned <= 0)
		return pinned && pinned != -EINVAL ? pinned : -EFAULT;
	ret = clear_unused(file, folios, pinned);
	if (ret)
		unpin_folios(folios, pinned);
	return ret ?: pinned;
}

/* Neither seals nor holes come between the checks, the pins and the contents. */
static long pin_present(struct iommufd_pages *pages, loff_t start, loff_t end,
			struct folio **folios, unsigned int n, pgoff_t *offset)
{
	struct inode *inode = file_inode(to_file_pages(pages)->file);
	long ret;

	inode_lock_shared(inode);
	ret = pin_locked(pages, start, end, folios, n, offset);
	inode_unlock_shared(inode);
	return ret;
}

/*
 * Pin up to @n folios. Returns how many, at least one, or an errno. Filling asks for each
 * page again, which costs more than to pin it, and is left out where nothing is missing.
 */
static long pin_folios(struct iommufd_pages *pages, unsigned long first,
		       unsigned long last, struct folio **folios, unsigned int n,
		       pgoff_t *offset)
{
	loff_t start = pages->addr + first * PAGE_SIZE;
	loff_t end = pages->addr + (last + 1) * PAGE_SIZE;
	long ret;

	ret = pin_present(pages, start, end, folios, n, offset);
	if (ret != -ENODATA)
		return ret;
	ret = fill_holes(to_file_pages(pages)->file, start, end) ?:
	      pin_present(pages, start, end, folios, n, offset);
	/* hugetlbfs stops for any signal. All will be undone, so the call can begin again. */
	if (ret == -EINTR && !fatal_signal_pending(current))
		return -ERESTARTNOINTR;
	/* A hole again: somebody makes them as we fill them. */
	return ret == -ENODATA ? -EFAULT : ret;
}

static int file_pin(struct iommufd_pages *pages, unsigned long first, unsigned long last,
		    unsigned long *pinned)
{
	struct folio **folios __free(kfree) =
		kmalloc_array(BATCH_FOLIOS, sizeof(*folios), GFP_KERNEL_ACCOUNT);
	int ret = 0;

	if (!folios)
		return -ENOMEM;

	while (!ret && *pinned <= last - first) {
		unsigned long index = first + *pinned;
		pgoff_t offset;
		long n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = pin_folios(pages, index, min(last, index + BATCH_PAGES - 1), folios,
			       BATCH_FOLIOS, &offset);
		if (n < 0)
			return n;
		ret = store_folios(pages, index, last, folios, n, offset >> PAGE_SHIFT,
				   pinned);
		cond_resched();
	}
	return ret;
}

static void file_free(struct iommufd_pages *pages)
{
	struct file_pages *file_pages = to_file_pages(pages);

	fput(file_pages->file);
	kfree(file_pages);
}

static struct file *file_of(const struct iommufd_pages *pages)
{
	return container_of(pages, struct file_pages, pages)->file;
}

static const struct iommufd_pin_ops file_pin_ops = {
	.name = "file",
	.pin = file_pin,
	.free = file_free,
	.file = file_of,
	.any_process = true,
};

static int check_file(struct file *file, u64 start, unsigned long length, bool writable)
{
	u64 end;

	if (!shmem_mapping(file->f_mapping) && !is_file_hugepages(file))
		return -EINVAL;
	if (check_add_overflow(start, (u64)length, &end) || end > LLONG_MAX ||
	    end > i_size_read(file_inode(file)))
		return -EINVAL;
	if (!(file->f_mode & FMODE_READ))
		return -EPERM;
	return writable ? check_writable(file) : 0;
}

/**
 * iommufd_pin_file_new - Describe a range of a file of the calling process
 * @ictx: the context
 * @fd: a memfd, or another file of shmem or hugetlbfs
 * @start: first byte
 * @length: bytes, not 0
 * @writable: devices may write
 *
 * The pages object keeps the file; nothing is pinned until somebody holds the pages.
 *
 * Context: Process context.
 * Return: the pages object with one reference; ERR_PTR(-EBADF): not open;
 * ERR_PTR(-EINVAL): not such a file, or the range goes beyond its end; ERR_PTR(-EPERM):
 * not open, or sealed, for what devices may do; ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pin_file_new(struct iommufd_ctx *ictx, int fd, u64 start,
					   unsigned long length, bool writable)
{
	struct file_pages *file_pages;
	struct iommufd_pages *pages;
	int ret;

	CLASS(fd, f)(fd);
	if (!fd_file(f))
		return ERR_PTR(-EBADF);
	ret = check_file(fd_file(f), start, length, writable);
	if (ret)
		return ERR_PTR(ret);

	file_pages = kzalloc(sizeof(*file_pages), GFP_KERNEL_ACCOUNT);
	if (!file_pages)
		return ERR_PTR(-ENOMEM);
	pages = &file_pages->pages;
	pages->writable = writable;
	ret = iommufd_pages_init(pages, ictx, &file_pin_ops, start);
	if (ret) {
		kfree(file_pages);
		return ERR_PTR(ret);
	}
	file_pages->file = get_file(fd_file(f));
	return pages;
}
