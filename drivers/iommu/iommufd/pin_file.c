// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is named by a file: a memfd, of shmem or hugetlbfs.
 *
 * Such memory comes in folios, and a folio is pinned as a whole, once, while any page
 * of it has a holder. So a folio gets its pin with the first hole that is pinned in it
 * and loses it with the last one; whether some other part of it is held, the holders
 * tell. Pinned folios do not change their size.
 *
 * A file that is sealed against writing is not pinned for writing, also if the seal
 * came after the mapping; the seal itself is refused while pages are pinned.
 *
 * Locks: pages->mutex around pin and unpin.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "pages.h"
#include "pin_file.h"

#define BATCH_FOLIOS 512

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

/* Does some holder need another part of the folio, whose page @off is at @index? */
static bool folio_held(struct iommufd_pages *pages, struct folio *folio,
		       unsigned long index, unsigned long off)
{
	unsigned long last = index - off + folio_nr_pages(folio) - 1;

	/* The object may begin within the folio. */
	return !iommufd_holders_empty(&pages->holders, index - min(index, off), last);
}

static void unpin_one(struct iommufd_pages *pages, struct folio *folio)
{
	unpin_user_page_range_dirty_lock(&folio->page, 1, pages->writable);
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
		if (ret)
			break;
		if (folio_held(pages, folios[i], index, off))
			unpin_folio(folios[i]);
		*pinned += npages;
		index += npages;
	}
	if (ret)
		unpin_folios(folios + i, n - i);
	return ret;
}

static int file_pin(struct iommufd_pages *pages, unsigned long first, unsigned long last,
		    unsigned long *pinned)
{
	struct file *file = to_file_pages(pages)->file;
	struct folio **folios __free(kfree) =
		kmalloc_array(min(last - first + 1, BATCH_FOLIOS), sizeof(*folios),
			      GFP_KERNEL_ACCOUNT);
	int ret;

	if (!folios)
		return -ENOMEM;
	ret = pages->writable ? check_writable(file) : 0;

	while (!ret && *pinned <= last - first) {
		unsigned long index = first + *pinned;
		pgoff_t offset;
		long n;

		if (fatal_signal_pending(current))
			return -EINTR;
		n = memfd_pin_folios(file, pages->addr + index * PAGE_SIZE,
				     pages->addr + (last + 1) * PAGE_SIZE - 1, folios,
				     min(last - index + 1, BATCH_FOLIOS), &offset);
		if (n <= 0)
			return n ?: -EFAULT;
		ret = store_folios(pages, index, last, folios, n, offset >> PAGE_SHIFT,
				   pinned);
		cond_resched();
	}
	return ret;
}

static void file_unpin(struct iommufd_pages *pages, unsigned long index,
		       unsigned long pfn, unsigned long npages)
{
	while (npages) {
		struct folio *folio = page_folio(pfn_to_page(pfn));
		unsigned long off = pfn - folio_pfn(folio);
		unsigned long n = min(folio_nr_pages(folio) - off, npages);

		if (!folio_held(pages, folio, index, off))
			unpin_one(pages, folio);
		index += n;
		pfn += n;
		npages -= n;
	}
}

static void file_free(struct iommufd_pages *pages)
{
	struct file_pages *file_pages = to_file_pages(pages);

	fput(file_pages->file);
	kfree(file_pages);
}

static const struct iommufd_pin_ops file_pin_ops = {
	.pin = file_pin,
	.unpin = file_unpin,
	.free = file_free,
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
 * @fd: a memfd, or another file of shmem or hugetlbfs
 * @start: first byte
 * @length: bytes, not 0
 * @writable: devices may write
 * @mode: what the context charges
 *
 * The pages object keeps the file; nothing is pinned until somebody holds the pages.
 *
 * Context: Process context.
 * Return: the pages object with one reference; ERR_PTR(-EBADF): not open;
 * ERR_PTR(-EINVAL): not such a file, or the range goes beyond its end; ERR_PTR(-EPERM):
 * not open, or sealed, for what devices may do; ERR_PTR(-ENOMEM).
 */
struct iommufd_pages *iommufd_pin_file_new(int fd, u64 start, unsigned long length,
					   bool writable, enum iommufd_account_mode mode)
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
	file_pages->file = get_file(fd_file(f));
	pages = &file_pages->pages;
	pages->writable = writable;
	iommufd_pages_init(pages, &file_pin_ops, start, mode);
	return pages;
}
