// SPDX-License-Identifier: GPL-2.0
/*
 * A bitmap in user memory, for drivers that report which IOVAs were written to.
 *
 * Bit n, which is bit n % 8 of byte n / 8, stands for the n-th page from the first IOVA
 * on. The bitmap may begin at any byte and be larger than one wants to pin, so it is
 * walked in windows: the memory of a window is pinned, the driver is asked for its part
 * of the IOVAs and sets bits without sleeping, the memory is released.
 *
 * Once a driver has set a bit it has forgotten the mark, so no bit may be lost. What it
 * reports beyond the window, because a huge page sticks out of it, is remembered and
 * set in the windows that follow, also when the walk ends with an error, unless it is
 * that the bitmap can not be written. Reporting a page too many only costs copying it
 * once more.
 *
 * Drivers take the IOVA where they are asked to begin for the beginning of an IOPTE. So
 * windows end where no IOPTE can lie across, if there is such a place in them.
 *
 * This file is built in, for the drivers that are, even when iommufd is a module.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/highmem.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

/* iommufd maps nothing across a multiple of it. */
#define LARGEST_IOPTE ((unsigned long)SZ_1G)

#define WINDOW_PAGES (PAGE_SIZE / sizeof(struct page *))
#define BITS_PER_PAGE (PAGE_SIZE * 8)

/**
 * struct iova_bitmap - A walk over a bitmap
 * @iova: IOVA of bit 0, in bytes
 * @nbits: bits of the bitmap, at least 1
 * @shift: log2 of the bytes of IOVA per bit
 * @length: bytes of IOVA in all
 * @data: user address of bit 0
 * @pages: the pinned memory of the window, a page with room for WINDOW_PAGES
 * @npages: how many
 * @first: first bit of the window
 * @last: last bit of the window, inclusive
 * @ahead: all bits behind the window and below this one are to be set
 */
struct iova_bitmap {
	unsigned long iova;
	unsigned long nbits;
	unsigned int shift;
	size_t length;
	u8 __user *data;

	struct page **pages;
	unsigned int npages;
	unsigned long first;
	unsigned long last;
	unsigned long ahead;
};

/**
 * iova_bitmap_alloc - Describe a bitmap of the calling process
 * @iova: IOVA of bit 0, in bytes
 * @length: bytes of IOVA that it covers, not 0
 * @page_size: bytes of IOVA per bit, a power of two
 * @data: the bitmap; any alignment
 *
 * Context: Process context, may sleep.
 * Return: the bitmap; ERR_PTR(-EINVAL): length or page size; ERR_PTR(-ENOMEM).
 */
struct iova_bitmap *iova_bitmap_alloc(unsigned long iova, size_t length,
				      unsigned long page_size, u64 __user *data)
{
	struct iova_bitmap *bitmap;

	if (!length || !is_power_of_2(page_size))
		return ERR_PTR(-EINVAL);

	bitmap = kzalloc(sizeof(*bitmap), GFP_KERNEL);
	if (!bitmap)
		return ERR_PTR(-ENOMEM);
	bitmap->pages = (struct page **)__get_free_page(GFP_KERNEL);
	if (!bitmap->pages) {
		kfree(bitmap);
		return ERR_PTR(-ENOMEM);
	}
	bitmap->iova = iova;
	bitmap->length = length;
	bitmap->shift = ilog2(page_size);
	bitmap->nbits = ((length - 1) >> bitmap->shift) + 1;
	bitmap->data = (u8 __user *)data;
	return bitmap;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_alloc, IOMMUFD);

/**
 * iova_bitmap_free - Forget a bitmap
 * @bitmap: the bitmap, not within iova_bitmap_for_each()
 */
void iova_bitmap_free(struct iova_bitmap *bitmap)
{
	free_page((unsigned long)bitmap->pages);
	kfree(bitmap);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_free, IOMMUFD);

/* Bit of the first page of the window at which the window begins */
static unsigned long bits_before(const struct iova_bitmap *bitmap)
{
	return 8 * offset_in_page(bitmap->data + bitmap->first / 8) + bitmap->first % 8;
}

/* How many of the @bits from @first on make a window that cuts no IOPTE */
static unsigned long whole_ioptes(const struct iova_bitmap *bitmap, unsigned long bits)
{
	unsigned long next = bitmap->first + bits, beyond;

	if (next == bitmap->nbits)
		return bits;
	beyond = ((bitmap->iova + (next << bitmap->shift)) % LARGEST_IOPTE) >> bitmap->shift;
	return beyond < bits ? bits - beyond : bits;
}

/* Pin the window that begins at @first. */
static int open_window(struct iova_bitmap *bitmap, unsigned long first)
{
	unsigned long start, bits;
	int ret;

	bitmap->first = first;
	start = (unsigned long)bitmap->data + first / 8;
	bits = min(bitmap->nbits - first,
		   WINDOW_PAGES * BITS_PER_PAGE - bits_before(bitmap));
	ret = pin_user_pages_fast(start & PAGE_MASK,
				  DIV_ROUND_UP(bits_before(bitmap) + bits, BITS_PER_PAGE),
				  FOLL_WRITE, bitmap->pages);
	if (ret <= 0)
		return -EFAULT;

	/* Less than was asked for makes a smaller window. */
	bitmap->npages = ret;
	bits = min(bits, ret * BITS_PER_PAGE - bits_before(bitmap));
	bits = whole_ioptes(bitmap, bits);
	bitmap->last = first + bits - 1;
	return 0;
}

static void close_window(struct iova_bitmap *bitmap)
{
	unpin_user_pages_dirty_lock(bitmap->pages, bitmap->npages, true);
	bitmap->npages = 0;
}

static void set_in_page(struct page *page, unsigned long bit, unsigned long n)
{
	u8 *bytes = kmap_local_page(page);

	/* Others may be setting bits of the same bytes. */
	for (; n && bit % 8; n--)
		set_bit_le(bit++, bytes);
	memset(bytes + bit / 8, 0xff, n / 8);
	for (bit += n - n % 8, n %= 8; n; n--)
		set_bit_le(bit++, bytes);
	kunmap_local(bytes);
}

/* @first to @last, inclusive, lie in the window. */
static void set_bits(struct iova_bitmap *bitmap, unsigned long first, unsigned long last)
{
	unsigned long bit = bits_before(bitmap) + first - bitmap->first;
	unsigned long left = last - first + 1, n;

	for (; left; left -= n, bit += n) {
		n = min(left, BITS_PER_PAGE - bit % BITS_PER_PAGE);
		set_in_page(bitmap->pages[bit / BITS_PER_PAGE], bit % BITS_PER_PAGE, n);
	}
}

/**
 * iova_bitmap_set - Report that IOVAs were written to
 * @bitmap: bitmap that the driver was called back with
 * @iova: first byte
 * @length: bytes, not 0; the range may stick out of what was asked for
 *
 * Context: Any; within the callback of iova_bitmap_for_each().
 */
void iova_bitmap_set(struct iova_bitmap *bitmap, unsigned long iova, size_t length)
{
	unsigned long end = bitmap->iova + bitmap->length - 1;
	unsigned long last_byte = iova + min(length - 1, end - min(iova, end));
	unsigned long first, last;

	if (iova > end || last_byte < bitmap->iova)
		return;
	first = (max(iova, bitmap->iova) - bitmap->iova) >> bitmap->shift;
	last = (last_byte - bitmap->iova) >> bitmap->shift;

	if (last > bitmap->last)
		bitmap->ahead = max(bitmap->ahead, last + 1);
	first = max(first, bitmap->first);
	last = min(last, bitmap->last);
	if (first <= last)
		set_bits(bitmap, first, last);
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_set, IOMMUFD);

/* Let @fn report the IOVAs of the window. */
static int ask_driver(struct iova_bitmap *bitmap, void *opaque, iova_bitmap_fn_t fn)
{
	unsigned long offset = bitmap->first << bitmap->shift;
	size_t length = bitmap->length - offset;

	/* The last bit may stand for less than the others. */
	if (bitmap->last != bitmap->nbits - 1)
		length = (bitmap->last - bitmap->first + 1) << bitmap->shift;
	return fn(bitmap, bitmap->iova + offset, length, opaque);
}

/**
 * iova_bitmap_for_each - Have all of a bitmap filled in
 * @bitmap: the bitmap
 * @opaque: for @fn
 * @fn: reports a range of IOVAs by iova_bitmap_set(); ends the walk by an error
 *
 * Bits are only ever set.
 *
 * Context: Process context of the owner of the bitmap, may sleep.
 * Return: 0; -EFAULT: the bitmap can not be written; an error of @fn.
 */
int iova_bitmap_for_each(struct iova_bitmap *bitmap, void *opaque, iova_bitmap_fn_t fn)
{
	unsigned long first = 0;
	int ret = 0, err;

	bitmap->ahead = 0;
	while (first < bitmap->nbits && (!ret || bitmap->ahead > first)) {
		err = open_window(bitmap, first);
		if (err)
			return ret ?: err;

		if (bitmap->ahead > first)
			set_bits(bitmap, first, min(bitmap->ahead - 1, bitmap->last));
		if (!ret)
			ret = ask_driver(bitmap, opaque, fn);
		first = bitmap->last + 1;
		close_window(bitmap);
	}
	return ret;
}
EXPORT_SYMBOL_NS_GPL(iova_bitmap_for_each, IOMMUFD);
