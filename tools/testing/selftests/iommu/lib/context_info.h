/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells of an iommufd in fdinfo and debugfs */
#ifndef IOMMU_TEST_CONTEXT_INFO_H
#define IOMMU_TEST_CONTEXT_INFO_H

#include "util.h"

#define DEBUGFS "/sys/kernel/debug/iommufd"

/* All of a file; what does not fit is read and forgotten. */
int __read_all(const char *path, char *text, size_t size);

/* These results live until the next call. */

/* All lines of fdinfo */
const char *context_info(int fd);
/* The line of an object, or with @id 0 the first of that kind; "" if there is none. */
const char *context_line(int fd, const char *kind, __u32 id);
/* A file of the context in debugfs */
const char *context_debugfs(int fd, const char *name);

/* The number after "key=" in a line, or -1 */
long long info_value(const char *line, const char *key);

#endif
