// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that look at page tables and pins, or act as a device would.
 */
#include <linux/bitmap.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../hwpt.h"
#include "../ioctl.h"
#include "check.h"
#include "domain.h"
#include "nested.h"

/* More bits than that are a mistake. */
#define MAX_DIRTY_BITS BIT(27)

/* A paging HWPT of the mock IOMMU. */
static struct iommufd_hwpt *get_hwpt(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iommufd_hwpt *hwpt;

	hwpt = iommufd_hwpt_get(cmd->ictx, arg->id, &iommufd_hwpt_paging_class);
	if (IS_ERR(hwpt) || mock_domain_is(hwpt->domain))
		return hwpt;
	iommufd_object_put(&hwpt->obj);
	return ERR_PTR(-EINVAL);
}

static int phys_of(unsigned long addr, phys_addr_t *phys)
{
	struct page *page;
	int n;

	n = get_user_pages_fast(addr & PAGE_MASK, 1, 0, &page);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	*phys = page_to_phys(page) + offset_in_page(addr);
	put_page(page);
	return 0;
}

/**
 * mock_check_map - IOMMU_TEST_OP_MD_CHECK_MAP
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0: the page table leads to the memory of the caller; -EINVAL: it does not, or
 * something is misaligned; -ENOENT: no such HWPT; -EFAULT: no such memory.
 */
int mock_check_map(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u64 iova = arg->check_map.iova, addr = arg->check_map.uptr, done;
	phys_addr_t phys;
	int ret;

	if ((iova | addr | arg->check_map.length) % MOCK_PAGE_SIZE)
		return -EINVAL;
	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) = get_hwpt(cmd);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);

	for (done = 0; done < arg->check_map.length; done += MOCK_PAGE_SIZE) {
		ret = phys_of(addr + done, &phys);
		if (ret)
			return ret;
		if (iommu_iova_to_phys(hwpt->domain, iova + done) != phys)
			return -EINVAL;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/* How often something pinned the page at @addr; -1 where that can not be told. */
static int pins_of(unsigned long addr, int *pins)
{
	struct page *page;
	int n;

	n = get_user_pages_fast(addr, 1, 0, &page);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	*pins = PageCompound(page) ? -1 : page_ref_count(page) / GUP_PIN_COUNTING_BIAS;
	put_page(page);
	return 0;
}

/**
 * mock_check_refs - IOMMU_TEST_OP_MD_CHECK_REFS
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0: all small pages are pinned as often as the caller says; -EIO: they are
 * not; -EINVAL: misaligned; -EFAULT: no such memory.
 */
int mock_check_refs(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	u64 addr = arg->check_refs.uptr, done;
	int pins, ret;

	if ((addr | arg->check_refs.length) % PAGE_SIZE)
		return -EINVAL;

	for (done = 0; done < arg->check_refs.length; done += PAGE_SIZE) {
		ret = pins_of(addr + done, &pins);
		if (ret)
			return ret;
		if (pins >= 0 && pins != arg->check_refs.refs)
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * mock_check_iotlb - IOMMU_TEST_OP_MD_CHECK_IOTLB
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -ENOENT: no such nested HWPT; -EINVAL: another value, or no such entry.
 */
int mock_check_iotlb(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) =
		iommufd_hwpt_get(cmd->ictx, arg->id, &iommufd_hwpt_nested_class);

	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	return mock_nested_check(hwpt->domain, arg->check_iotlb.id, arg->check_iotlb.iotlb);
}

static int check_dirty_args(const struct iommu_test_cmd *arg)
{
	u64 page_size = arg->dirty.page_size;

	if (!page_size || !arg->dirty.length || !arg->dirty.uptr ||
	    arg->dirty.iova % page_size || arg->dirty.length % page_size)
		return -EINVAL;
	if (arg->dirty.length / page_size > MAX_DIRTY_BITS)
		return -EOVERFLOW;
	return 0;
}

static unsigned long *copy_bitmap(const void __user *uptr, unsigned int nbits)
{
	unsigned long *bits = kvcalloc(BITS_TO_LONGS(nbits), sizeof(long), GFP_KERNEL_ACCOUNT);

	if (!bits)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(bits, uptr, DIV_ROUND_UP(nbits, BITS_PER_BYTE))) {
		kvfree(bits);
		return ERR_PTR(-EFAULT);
	}
	return bits;
}

/**
 * mock_check_set_dirty - IOMMU_TEST_OP_DIRTY
 * @cmd: struct iommu_test_cmd
 *
 * Return: 0; -EINVAL: something is zero, misaligned or tracking is off; -EOVERFLOW: too
 * many bits; -ENOENT: no such HWPT; -EFAULT; -ENOMEM.
 */
int mock_check_set_dirty(struct iommufd_cmd *cmd)
{
	struct iommu_test_cmd *arg = cmd->arg;
	unsigned int nbits, bit;
	int ret;

	ret = check_dirty_args(arg);
	if (ret)
		return ret;
	nbits = arg->dirty.length / arg->dirty.page_size;
	struct iommufd_hwpt *hwpt __free(iommufd_hwpt_put) = get_hwpt(cmd);
	if (IS_ERR(hwpt))
		return PTR_ERR(hwpt);
	if (!mock_domain_tracks(hwpt->domain))
		return -EINVAL;
	unsigned long *bits __free(kvfree) =
		copy_bitmap(u64_to_user_ptr(arg->dirty.uptr), nbits);
	if (IS_ERR(bits))
		return PTR_ERR(no_free_ptr(bits));

	/* For write, so that nothing is mapped or unmapped meanwhile. */
	guard(rwsem_write)(&hwpt->ioas->domains_rwsem);
	for_each_set_bit(bit, bits, nbits)
		mock_domain_mark_dirty(to_mock_domain(hwpt->domain),
				       arg->dirty.iova + bit * arg->dirty.page_size);
	arg->dirty.out_nr_dirty = bitmap_weight(bits, nbits);
	return 0;
}
