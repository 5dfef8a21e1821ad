/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, for those who pass them.
 *
 *	u64 begin = iommufd_trace_begin(trace_iommufd_map_enabled());
 *
 *	ret = work();
 *	trace_iommufd_map(..., ret, iommufd_trace_ns(begin));
 *
 * While the event is off this reads no clock, and both lines are a jump not taken:
 * iommufd_trace_ns() is called in the arguments, which see @begin as 0.
 */
#ifndef __IOMMUFD_TRACE_H
#define __IOMMUFD_TRACE_H

#include <linux/timekeeping.h>
#include <trace/events/iommufd.h>

static inline u64 iommufd_trace_begin(bool enabled)
{
	return enabled ? ktime_get_ns() : 0;
}

/* 0 if the event was off when the work began */
static inline u64 iommufd_trace_ns(u64 begin)
{
	return begin ? ktime_get_ns() - begin : 0;
}

#endif
