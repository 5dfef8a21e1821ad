// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints, and the structures they look into.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <uapi/linux/iommufd.h>

#include "ctx.h"
#include "device.h"
#include "group.h"
#include "ioas.h"
#include "pages.h"

#define CREATE_TRACE_POINTS
#include <trace/events/iommufd.h>
