// SPDX-License-Identifier: GPL-2.0
/*
 * Who has /dev/iommu or a file of VFIO open, found as fuser(1) does it: by the links in
 * /proc/PID/fd. Those of other users' processes only root can read; they are counted.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "users.h"

/**
 * struct scan - A walk over all processes
 * @visit: Called for each file of interest
 * @data: For @visit
 * @hidden: Processes that could not be looked at
 * @file: The file at hand
 */
struct scan {
	visit_file_t visit;
	void *data;
	unsigned int hidden;
	struct open_file file;
};

/* The target of a link, of which /proc makes no more than a name. */
static bool is_ours(const char *path)
{
	return !strcmp(path, "/dev/iommu") || !strncmp(path, "/dev/vfio/", 10);
}

static int visit_fd(const char *name, void *data)
{
	struct scan *scan = data;
	char link[PATH_LEN];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/fd/%s", scan->file.pid, name);
	n = readlink(link, scan->file.path, sizeof(scan->file.path) - 1);
	if (n < 0)
		return 0;
	scan->file.path[n] = 0;
	scan->file.fd = atoi(name);
	return is_ours(scan->file.path) ? scan->visit(&scan->file, scan->data) : 0;
}

static int visit_process(const char *name, void *data)
{
	struct scan *scan = data;
	char path[PATH_LEN];
	int ret;

	scan->file.pid = atoi(name);
	/* What this program itself has open is none of its findings. */
	if (scan->file.pid <= 0 || scan->file.pid == getpid())
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", scan->file.pid);
	ret = visit_entries(path, visit_fd, scan);
	if (ret == -EACCES || ret == -EPERM)
		scan->hidden++;
	return ret > 0 ? ret : 0;
}

/* Visit all files of interest until @visit returns something else than 0. */
int open_files_visit(visit_file_t visit, void *data, unsigned int *hidden)
{
	struct scan scan = { .visit = visit, .data = data };
	int ret;

	ret = visit_entries("/proc", visit_process, &scan);
	if (hidden)
		*hidden = scan.hidden;
	return ret;
}

struct search {
	const struct device *dev;
	char group[NAME_LEN];
	struct open_file *by;
};

static int visit_user(const struct open_file *file, void *data)
{
	struct search *search = data;

	if (strcmp(file->path, search->dev->cdev) && strcmp(file->path, search->group))
		return 0;
	*search->by = *file;
	return 1;
}

/* Has a process that we may look at opened the device, or its group? */
bool device_in_use(const struct device *dev, struct open_file *by)
{
	struct search search = { .dev = dev, .by = by };

	snprintf(search.group, sizeof(search.group), "/dev/vfio/%d", dev->group);
	return dev->cdev[0] && open_files_visit(visit_user, &search, NULL) > 0;
}
