/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the subsystem may rely on: the words, and nothing else.
 *
 * Glossary
 *
 * context	one open file of /dev/iommu. It owns every object below and is the
 *		security boundary: nothing is ever shared between two contexts.
 * object	something with an id that user space can name.
 * IOAS		an I/O address space: which IOVA leads to which user memory.
 * area		one mapping of an IOAS, exactly as one MAP or COPY made it.
 * pages	the memory behind one MAP, shared by every area copied from it.
 * hold		to keep pages of a pages object pinned. A page is pinned exactly
 *		while one holder (an area of an IOAS that has a domain, or an
 *		in-kernel user) covers it.
 * domain	a page table of an IOMMU driver (struct iommu_domain).
 * HWPT		the object around a domain. A paging HWPT mirrors an IOAS.
 * device	a struct device whose driver bound it to a context.
 * group	an iommu_group seen from one context: the smallest set of devices
 *		that the IOMMU can tell apart.
 * access	an in-kernel user of an IOAS, such as a mediated device.
 *
 * Units: "iova", "length", "start", "last", "end" are bytes, "last" inclusive and
 * "end" exclusive; "index" and "npages" count PAGE_SIZE steps of a pages object.
 */
#ifndef __IOMMUFD_INTERNAL_H
#define __IOMMUFD_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/types.h>

struct iommu_domain;
struct iommufd_access;
struct iommufd_area;
struct iommufd_cmd;
struct iommufd_ctx;
struct iommufd_device;
struct iommufd_dropped;
struct iommufd_fault;
struct iommufd_fault_handle;
struct iommufd_group;
struct iommufd_hwpt;
struct iommufd_ioas;
struct iommufd_object;
struct iommufd_pages;
struct iommufd_vdevice;
struct iommufd_viommu;

#endif
