// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables of the mock IOMMU that iommufd fills.
 *
 * Two levels: a table for every huge page, in it an entry for every mock page. A larger
 * page has equal entries, which differ in the address and the dirty bit only and know
 * its order, so that it can be unmapped only as a whole.
 *
 * An entry that was unmapped is stale until it is flushed: a device could still use it.
 * That is what makes this IOMMU strict. It complains when memory is unpinned before the
 * flush, when something is mapped over an entry that was not flushed, and when a page
 * table is freed that still leads somewhere.
 *
 * Locks: none. The users of different IOVAs do not meet in an entry, tables are only
 * added, and bits that change at other times change atomically.
 */
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pfn.h>
#include <linux/slab.h>

#include "dev.h"
#include "domain.h"

#define PTE_VALID BIT(0)
#define PTE_READ BIT(1)
#define PTE_WRITE BIT(2)
#define PTE_STALE BIT(3)
#define PTE_DIRTY_BIT 4
#define PTE_ORDER GENMASK(8, 5)
#define PTE_PHYS (~(MOCK_PAGE_SIZE - 1UL))

static unsigned long fail_map_iova;
module_param(fail_map_iova, ulong, 0600);
MODULE_PARM_DESC(fail_map_iova, "IOVA of the page that can not be mapped, 0 for none");

static int fail_map_after;
module_param(fail_map_after, int, 0600);
MODULE_PARM_DESC(fail_map_after, "How often it is mapped before that");

static unsigned long *find_pte(struct mock_domain *mock, unsigned long iova)
{
	unsigned long *table;

	if (iova > MOCK_APERTURE_LAST)
		return NULL;
	table = READ_ONCE(mock->tables[iova / MOCK_HUGE_PAGE_SIZE]);
	return table ? &table[iova / MOCK_PAGE_SIZE % MOCK_TABLE_ENTRIES] : NULL;
}

/* The same, with a table if there is none. Another thread may make it as well. */
static unsigned long *make_pte(struct mock_domain *mock, unsigned long iova, gfp_t gfp)
{
	unsigned long *pte = find_pte(mock, iova);
	unsigned long *table;

	if (pte || WARN_ON_ONCE(iova > MOCK_APERTURE_LAST))
		return pte;
	table = kcalloc(MOCK_TABLE_ENTRIES, sizeof(*table), gfp);
	if (!table)
		return NULL;
	if (cmpxchg(&mock->tables[iova / MOCK_HUGE_PAGE_SIZE], NULL, table))
		kfree(table);
	return find_pte(mock, iova);
}

static size_t pte_size(unsigned long pte)
{
	return (size_t)MOCK_PAGE_SIZE << FIELD_GET(PTE_ORDER, pte);
}

/* One test at a time sets this up, and maps from one thread. */
static bool is_to_fail(unsigned long iova)
{
	return fail_map_iova && iova == fail_map_iova && !fail_map_after--;
}

static int map_page(struct mock_domain *mock, unsigned long iova, unsigned long pte,
		    size_t size, gfp_t gfp)
{
	unsigned long *ptep = make_pte(mock, iova, gfp);
	size_t i;

	if (!ptep || is_to_fail(iova))
		return -ENOMEM;
	pte |= FIELD_PREP(PTE_ORDER, ilog2(size / MOCK_PAGE_SIZE));
	for (i = 0; i < size / MOCK_PAGE_SIZE; i++) {
		if (WARN(ptep[i] & (PTE_VALID | PTE_STALE),
			 "mock: %#lx mapped over %#lx\n", iova, ptep[i]))
			return -EEXIST;
		WRITE_ONCE(ptep[i], pte + i * MOCK_PAGE_SIZE);
	}
	return 0;
}

static int map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
		     size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	unsigned long bits = PTE_VALID | (prot & IOMMU_READ ? PTE_READ : 0) |
			     (prot & IOMMU_WRITE ? PTE_WRITE : 0);
	int ret;

	for (; pgcount; pgcount--) {
		ret = map_page(to_mock_domain(domain), iova, paddr | bits, pgsize, gfp);
		if (ret)
			return ret;
		iova += pgsize;
		paddr += pgsize;
		*mapped += pgsize;
	}
	return 0;
}

/* Returns the size of the page at @iova, 0 when it is not one of at most @length. */
static size_t unmap_page(struct mock_domain *mock, unsigned long iova, size_t length)
{
	unsigned long *ptep = find_pte(mock, iova);
	size_t size, i;

	if (!ptep || !(*ptep & PTE_VALID))
		return 0;
	size = pte_size(*ptep);
	if (WARN(iova % size || size > length, "mock: page of %#zx cut at %#lx\n", size, iova))
		return 0;
	for (i = 0; i < size / MOCK_PAGE_SIZE; i++)
		WRITE_ONCE(ptep[i], (ptep[i] & ~PTE_VALID) | PTE_STALE);
	return size;
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			  size_t pgcount, struct iommu_iotlb_gather *gather)
{
	size_t done = 0, size;

	while (done < pgsize * pgcount) {
		size = unmap_page(to_mock_domain(domain), iova + done,
				  pgsize * pgcount - done);
		if (!size)
			break;
		done += size;
	}
	if (done)
		iommu_iotlb_gather_add_range(gather, iova, done);
	return done;
}

/* The zero page is nobody's, it does not get pinned. */
static bool is_pinned(unsigned long pte)
{
	unsigned long pfn = PHYS_PFN(pte & PTE_PHYS);

	return !pfn_valid(pfn) || is_zero_pfn(pfn) ||
	       folio_maybe_dma_pinned(page_folio(pfn_to_page(pfn)));
}

/* A flush may cover entries of others, who are then done with the memory at once. */
static void flush_pte(unsigned long *ptep)
{
	unsigned long pte = READ_ONCE(*ptep);
	bool pinned;

	if (!(pte & PTE_STALE))
		return;
	pinned = is_pinned(pte);
	if (cmpxchg(ptep, pte, 0) == pte)
		WARN(!pinned, "mock: memory unpinned before the flush (%#lx)\n", pte);
}

static void flush(struct mock_domain *mock, unsigned long iova, unsigned long last)
{
	unsigned long *ptep;

	last = min_t(unsigned long, last, MOCK_APERTURE_LAST);
	for (; iova <= last; iova += MOCK_PAGE_SIZE) {
		ptep = find_pte(mock, iova);
		if (ptep)
			flush_pte(ptep);
		else
			iova |= MOCK_HUGE_PAGE_SIZE - MOCK_PAGE_SIZE;
	}
}

static void iotlb_sync(struct iommu_domain *domain, struct iommu_iotlb_gather *gather)
{
	flush(to_mock_domain(domain), gather->start & PTE_PHYS, gather->end);
}

static void flush_iotlb_all(struct iommu_domain *domain)
{
	flush(to_mock_domain(domain), 0, MOCK_APERTURE_LAST);
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	unsigned long *ptep = find_pte(to_mock_domain(domain), iova);
	unsigned long pte = ptep ? READ_ONCE(*ptep) : 0;

	return pte & PTE_VALID ? (pte & PTE_PHYS) + iova % MOCK_PAGE_SIZE : 0;
}

/* Nothing would be recorded of what such a device writes. */
static bool suits(struct iommu_domain *domain, struct device *dev)
{
	return !domain->dirty_ops || !(mock_dev_from(dev)->flags & MOCK_FLAGS_DEVICE_NO_DIRTY);
}

static int set_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
		     struct iommu_domain *old)
{
	if (!suits(domain, dev))
		return -EINVAL;
	return mock_dev_set_pasid(mock_dev_from(dev), pasid, domain, old);
}

static int attach_dev(struct iommu_domain *domain, struct device *dev)
{
	if (!suits(domain, dev))
		return -EINVAL;
	mock_dev_set_viommu(mock_dev_from(dev), NULL);
	return 0;
}

static void free_domain(struct iommu_domain *domain)
{
	struct mock_domain *mock = to_mock_domain(domain);
	unsigned int i;

	for (i = 0; i < MOCK_NTABLES; i++) {
		WARN(mock->tables[i] && memchr_inv(mock->tables[i], 0,
						   MOCK_TABLE_ENTRIES * sizeof(long)),
		     "mock: page table freed with entries left\n");
		kfree(mock->tables[i]);
	}
	kvfree(mock);
	/* A page table can outlive the device it was made for, but not its code. */
	module_put(THIS_MODULE);
}

static const struct iommu_domain_ops domain_ops = {
	.attach_dev = attach_dev,
	.set_dev_pasid = set_pasid,
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.flush_iotlb_all = flush_iotlb_all,
	.iotlb_sync = iotlb_sync,
	.iova_to_phys = iova_to_phys,
	.free = free_domain,
};

static int set_dirty_tracking(struct iommu_domain *domain, bool enable)
{
	WRITE_ONCE(to_mock_domain(domain)->tracking, enable);
	return 0;
}

/* Was any part of a page written to? */
static bool read_page(unsigned long *ptep, size_t size, bool clear)
{
	bool dirty = false;
	size_t i;

	for (i = 0; i < size / MOCK_PAGE_SIZE; i++)
		dirty |= clear ? test_and_clear_bit(PTE_DIRTY_BIT, &ptep[i]) :
				 test_bit(PTE_DIRTY_BIT, &ptep[i]);
	return dirty;
}

static int read_and_clear_dirty(struct iommu_domain *domain, unsigned long iova,
				size_t length, unsigned long flags,
				struct iommu_dirty_bitmap *dirty)
{
	struct mock_domain *mock = to_mock_domain(domain);
	unsigned long end = iova + length;
	unsigned long *ptep;
	size_t size;

	if (!READ_ONCE(mock->tracking) && dirty->bitmap)
		return -EINVAL;

	for (; iova < end; iova += size) {
		size = MOCK_PAGE_SIZE;
		ptep = find_pte(mock, iova);
		if (!ptep || !(*ptep & PTE_VALID))
			continue;
		/* As in drivers for hardware, the IOPTE begins where the walk is. */
		size = pte_size(*ptep);
		ptep -= iova % size / MOCK_PAGE_SIZE;
		if (read_page(ptep, size, !(flags & IOMMU_DIRTY_NO_CLEAR)))
			iommu_dirty_bitmap_record(dirty, iova, size);
	}
	return 0;
}

static const struct iommu_dirty_ops dirty_ops = {
	.set_dirty_tracking = set_dirty_tracking,
	.read_and_clear_dirty = read_and_clear_dirty,
};

/**
 * mock_domain_alloc - Make a page table
 * @huge: it can have huge pages
 * @dirty: it records what is written
 *
 * Return: the domain or ERR_PTR(-ENOMEM).
 */
struct iommu_domain *mock_domain_alloc(bool huge, bool dirty)
{
	struct mock_domain *mock = kvzalloc(sizeof(*mock), GFP_KERNEL_ACCOUNT);

	if (!mock)
		return ERR_PTR(-ENOMEM);
	__module_get(THIS_MODULE);
	mock->domain.type = IOMMU_DOMAIN_UNMANAGED;
	mock->domain.ops = &domain_ops;
	mock->domain.dirty_ops = dirty ? &dirty_ops : NULL;
	mock->domain.pgsize_bitmap = MOCK_PAGE_SIZE | PAGE_SIZE |
				     (huge ? MOCK_HUGE_PAGE_SIZE : 0);
	mock->domain.geometry.aperture_start = MOCK_APERTURE_START;
	mock->domain.geometry.aperture_end = MOCK_APERTURE_LAST;
	mock->domain.geometry.force_aperture = true;
	return &mock->domain;
}

/**
 * mock_domain_is - Is a domain a page table of ours?
 * @domain: any domain
 *
 * Return: true if so.
 */
bool mock_domain_is(struct iommu_domain *domain)
{
	return domain->ops == &domain_ops;
}

/**
 * mock_domain_tracks - Is dirty tracking on?
 * @domain: page table of ours
 *
 * Return: true if so.
 */
bool mock_domain_tracks(struct iommu_domain *domain)
{
	return domain->dirty_ops && READ_ONCE(to_mock_domain(domain)->tracking);
}

/**
 * mock_domain_mark_dirty - Do what a device does when it writes
 * @mock: the page table
 * @iova: where; nothing happens if nothing is mapped there
 *
 * Context: Whoever unmaps the IOVA has to be kept away.
 */
void mock_domain_mark_dirty(struct mock_domain *mock, unsigned long iova)
{
	unsigned long *ptep = find_pte(mock, iova);

	if (ptep && READ_ONCE(*ptep) & PTE_VALID)
		set_bit(PTE_DIRTY_BIT, ptep);
}
