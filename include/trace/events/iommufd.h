/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of iommufd, see Documentation/admin-guide/iommufd-tracing.rst.
 *
 * "ctx" is the number of the open file in debugfs, other ids are those of user space.
 * IOVAs and addresses are bytes, both ends inclusive; "pages" are PAGE_SIZE each and
 * "runs" are pieces of memory without a gap in physical addresses. "ns" is the time from
 * the beginning of the operation, 0 when the event was enabled in the middle of it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM iommufd

#if !defined(_TRACE_IOMMUFD_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_IOMMUFD_H

#include <linux/device.h>
#include <linux/tracepoint.h>

struct iommu_group;
struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_hwpt;
struct iommufd_ioas;
struct iommufd_pages;
struct iommu_hwpt_pgfault;

/*
 * One MAP or COPY is over: pinned and in every page table, or undone. After an error the
 * range is the one that was asked for; it begins at 0 if the kernel was to choose.
 */
TRACE_EVENT(iommufd_map,
	TP_PROTO(const struct iommufd_ioas *ioas, unsigned long iova, unsigned long length,
		 int ret, u64 ns),
	TP_ARGS(ioas, iova, length, ret, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(unsigned long, start)
		__field(unsigned long, last)
		__field(u32, ctx)
		__field(u32, ioas)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->start = iova;
		__entry->last = iova + length - 1;
		__entry->ctx = ioas->obj.ictx->number;
		__entry->ioas = ioas->obj.id;
		__entry->ret = ret;
	),
	TP_printk("ctx=%u ioas=%u iova=%#lx-%#lx ret=%d ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->start, __entry->last,
		  __entry->ret, __entry->ns)
);

/* An unmap of any kind is over; bytes is what was mapped in the range. */
TRACE_EVENT(iommufd_unmap,
	TP_PROTO(const struct iommufd_ioas *ioas, unsigned long start, unsigned long last,
		 unsigned long bytes, int ret, u64 ns),
	TP_ARGS(ioas, start, last, bytes, ret, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(unsigned long, start)
		__field(unsigned long, last)
		__field(unsigned long, bytes)
		__field(u32, ctx)
		__field(u32, ioas)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->start = start;
		__entry->last = last;
		__entry->bytes = bytes;
		__entry->ctx = ioas->obj.ictx->number;
		__entry->ioas = ioas->obj.id;
		__entry->ret = ret;
	),
	TP_printk("ctx=%u ioas=%u iova=%#lx-%#lx bytes=%lu ret=%d ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->start, __entry->last,
		  __entry->bytes, __entry->ret, __entry->ns)
);

/*
 * Pages that nobody had pinned before, or that nobody needs any more. The range is that
 * of the holder in the source of the memory: addresses of the process, or of the file.
 */
DECLARE_EVENT_CLASS(iommufd_pages,
	TP_PROTO(const struct iommufd_pages *pages, unsigned long first, unsigned long last,
		 unsigned long npages, unsigned long runs, int ret, u64 ns),
	TP_ARGS(pages, first, last, npages, runs, ret, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(unsigned long, start)
		__field(unsigned long, last)
		__field(unsigned long, npages)
		__field(unsigned long, runs)
		__field(u32, ctx)
		__field(int, ret)
		__string(source, pages->ops->name)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->start = pages->addr + first * PAGE_SIZE;
		__entry->last = pages->addr + last * PAGE_SIZE + PAGE_SIZE - 1;
		__entry->npages = npages;
		__entry->runs = runs;
		__entry->ctx = pages->ictx->number;
		__entry->ret = ret;
		__assign_str(source);
	),
	TP_printk("ctx=%u %s=%#lx-%#lx pages=%lu runs=%lu ret=%d ns=%llu",
		  __entry->ctx, __get_str(source), __entry->start, __entry->last,
		  __entry->npages, __entry->runs, __entry->ret, __entry->ns)
);

DEFINE_EVENT(iommufd_pages, iommufd_pin,
	TP_PROTO(const struct iommufd_pages *pages, unsigned long first, unsigned long last,
		 unsigned long npages, unsigned long runs, int ret, u64 ns),
	TP_ARGS(pages, first, last, npages, runs, ret, ns)
);

DEFINE_EVENT(iommufd_pages, iommufd_unpin,
	TP_PROTO(const struct iommufd_pages *pages, unsigned long first, unsigned long last,
		 unsigned long npages, unsigned long runs, int ret, u64 ns),
	TP_ARGS(pages, first, last, npages, runs, ret, ns)
);

/*
 * @pt is what was asked for, an IOAS or a page table, or what a detach left; @hwpt is
 * what the device uses now that this was a success, or 0. @pasid is 0 for requests
 * without one.
 */
DECLARE_EVENT_CLASS(iommufd_attachment,
	TP_PROTO(const struct iommufd_device *idev, u32 pasid, u32 pt, u32 hwpt, int ret,
		 u64 ns),
	TP_ARGS(idev, pasid, pt, hwpt, ret, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(u32, ctx)
		__field(u32, dev_id)
		__field(u32, pasid)
		__field(u32, pt)
		__field(u32, hwpt)
		__field(int, group)
		__field(int, ret)
		__string(dev, dev_name(idev->dev))
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->ctx = idev->obj.ictx->number;
		__entry->dev_id = idev->obj.id;
		__entry->pasid = pasid;
		__entry->pt = pt;
		__entry->hwpt = hwpt;
		__entry->group = iommu_group_id(idev->igroup->group);
		__entry->ret = ret;
		__assign_str(dev);
	),
	TP_printk("ctx=%u device=%u dev=%s group=%d pasid=%u pt=%u hwpt=%u ret=%d ns=%llu",
		  __entry->ctx, __entry->dev_id, __get_str(dev), __entry->group,
		  __entry->pasid, __entry->pt, __entry->hwpt, __entry->ret, __entry->ns)
);

DEFINE_EVENT(iommufd_attachment, iommufd_attach,
	TP_PROTO(const struct iommufd_device *idev, u32 pasid, u32 pt, u32 hwpt, int ret,
		 u64 ns),
	TP_ARGS(idev, pasid, pt, hwpt, ret, ns)
);

DEFINE_EVENT(iommufd_attachment, iommufd_replace,
	TP_PROTO(const struct iommufd_device *idev, u32 pasid, u32 pt, u32 hwpt, int ret,
		 u64 ns),
	TP_ARGS(idev, pasid, pt, hwpt, ret, ns)
);

DEFINE_EVENT(iommufd_attachment, iommufd_detach,
	TP_PROTO(const struct iommufd_device *idev, u32 pasid, u32 pt, u32 hwpt, int ret,
		 u64 ns),
	TP_ARGS(idev, pasid, pt, hwpt, ret, ns)
);

/* A context became the owner of a device, or ceased to be; device is 0 after a failure. */
DECLARE_EVENT_CLASS(iommufd_binding,
	TP_PROTO(const struct iommufd_ctx *ictx, struct device *parent,
		 struct iommu_group *iommu_group, u32 dev_id, int ret, u64 ns),
	TP_ARGS(ictx, parent, iommu_group, dev_id, ret, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(u32, ctx)
		__field(u32, dev_id)
		__field(int, group)
		__field(int, ret)
		__string(dev, dev_name(parent))
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->ctx = ictx->number;
		__entry->dev_id = dev_id;
		__entry->group = iommu_group_id(iommu_group);
		__entry->ret = ret;
		__assign_str(dev);
	),
	TP_printk("ctx=%u device=%u dev=%s group=%d ret=%d ns=%llu",
		  __entry->ctx, __entry->dev_id, __get_str(dev), __entry->group,
		  __entry->ret, __entry->ns)
);

DEFINE_EVENT(iommufd_binding, iommufd_bind,
	TP_PROTO(const struct iommufd_ctx *ictx, struct device *parent,
		 struct iommu_group *iommu_group, u32 dev_id, int ret, u64 ns),
	TP_ARGS(ictx, parent, iommu_group, dev_id, ret, ns)
);

DEFINE_EVENT(iommufd_binding, iommufd_unbind,
	TP_PROTO(const struct iommufd_ctx *ictx, struct device *parent,
		 struct iommu_group *iommu_group, u32 dev_id, int ret, u64 ns),
	TP_ARGS(ictx, parent, iommu_group, dev_id, ret, ns)
);

/* An unmap asked an in-kernel user to let go of a range, which took it so long. */
TRACE_EVENT(iommufd_access_unmap,
	TP_PROTO(const struct iommufd_ioas *ioas, u32 access, unsigned long iova,
		 unsigned long length, u64 ns),
	TP_ARGS(ioas, access, iova, length, ns),
	TP_STRUCT__entry(
		__field(u64, ns)
		__field(unsigned long, start)
		__field(unsigned long, last)
		__field(u32, ctx)
		__field(u32, ioas)
		__field(u32, access)
	),
	TP_fast_assign(
		__entry->ns = ns;
		__entry->start = iova;
		__entry->last = iova + length - 1;
		__entry->ctx = ioas->obj.ictx->number;
		__entry->ioas = ioas->obj.id;
		__entry->access = access;
	),
	TP_printk("ctx=%u ioas=%u access=%u iova=%#lx-%#lx ns=%llu",
		  __entry->ctx, __entry->ioas, __entry->access, __entry->start,
		  __entry->last, __entry->ns)
);

/* User space has read a group of page requests; @fault is the first of @count. */
TRACE_EVENT(iommufd_fault_deliver,
	TP_PROTO(const struct iommufd_ctx *ictx, u32 queue,
		 const struct iommu_hwpt_pgfault *fault, size_t count),
	TP_ARGS(ictx, queue, fault, count),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u32, ctx)
		__field(u32, queue)
		__field(u32, cookie)
		__field(u32, dev_id)
		__field(u32, pasid)
		__field(u32, grpid)
		__field(u32, perm)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->addr = fault->addr;
		__entry->ctx = ictx->number;
		__entry->queue = queue;
		__entry->cookie = fault->cookie;
		__entry->dev_id = fault->dev_id;
		__entry->pasid = fault->pasid;
		__entry->grpid = fault->grpid;
		__entry->perm = fault->perm;
		__entry->count = count;
	),
	TP_printk("ctx=%u queue=%u cookie=%u device=%u pasid=%u grpid=%u addr=%#llx perm=%#x requests=%u",
		  __entry->ctx, __entry->queue, __entry->cookie, __entry->dev_id,
		  __entry->pasid, __entry->grpid, __entry->addr, __entry->perm,
		  __entry->count)
);

/* A group was answered: by user space, or because its attachment ended (cookie 0). */
TRACE_EVENT(iommufd_fault_answer,
	TP_PROTO(const struct iommufd_ctx *ictx, u32 queue, u32 dev_id, u32 cookie, int code),
	TP_ARGS(ictx, queue, dev_id, cookie, code),
	TP_STRUCT__entry(
		__field(u32, ctx)
		__field(u32, queue)
		__field(u32, dev_id)
		__field(u32, cookie)
		__field(int, code)
	),
	TP_fast_assign(
		__entry->ctx = ictx->number;
		__entry->queue = queue;
		__entry->dev_id = dev_id;
		__entry->cookie = cookie;
		__entry->code = code;
	),
	TP_printk("ctx=%u queue=%u cookie=%u device=%u code=%s",
		  __entry->ctx, __entry->queue, __entry->cookie, __entry->dev_id,
		  __entry->code == IOMMU_PAGE_RESP_SUCCESS ? "success" : "invalid")
);

#endif

#include <trace/define_trace.h>
