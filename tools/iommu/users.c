// SPDX-License-Identifier: GPL-2.0
/*
 * Who has /dev/iommu, a file of VFIO or a vDPA device open, found as fuser(1) does it: by the
 * links in /proc/PID/fd. Those of other users' processes only root can read; they are counted.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "report.h"
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
	return !strcmp(path, "/dev/iommu") || !strncmp(path, "/dev/vfio/", 10) ||
	       !strncmp(path, "/dev/vhost-vdpa-", 16);
}

/* Where sysfs shows the device that the link in /proc leads to. */
static void find_node(struct open_file *file, const char *link)
{
	char path[NAME_LEN], *real;
	struct stat status;

	file->node[0] = 0;
	if (stat(link, &status))
		return;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(status.st_rdev),
		 minor(status.st_rdev));
	real = realpath(path, NULL);
	if (real)
		snprintf(file->node, sizeof(file->node), "%s", real);
	free(real);
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
	if (!is_ours(scan->file.path))
		return 0;
	scan->file.fd = atoi(name);
	find_node(&scan->file, link);
	return scan->visit(&scan->file, scan->data);
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

/**
 * struct search - For the user of a device
 * @below: What opens the device lies below this directory of sysfs
 * @group: IOMMU group of the device, or NO_GROUP
 * @by: The file that was found
 */
struct search {
	char below[PATH_LEN];
	int group;
	struct open_file *by;
};

/* The older interface of VFIO: the file opens all devices of the group. */
static bool opens_group(const char *path, int group)
{
	char name[NAME_LEN], unsafe[NAME_LEN];

	snprintf(name, sizeof(name), "/dev/vfio/%d", group);
	snprintf(unsafe, sizeof(unsafe), "/dev/vfio/noiommu-%d", group);
	return !strcmp(path, name) || !strcmp(path, unsafe);
}

static int visit_user(const struct open_file *file, void *data)
{
	struct search *search = data;

	if (strncmp(file->node, search->below, strlen(search->below)) &&
	    !opens_group(file->path, search->group))
		return 0;
	*search->by = *file;
	return 1;
}

static bool find_user(const char *directory, int group, struct open_file *by)
{
	struct search search = { .group = group, .by = by };
	char *real = realpath(directory, NULL);

	if (!real)
		return false;
	snprintf(search.below, sizeof(search.below), "%s/", real);
	free(real);
	return open_files_visit(visit_user, &search, NULL) > 0;
}

/*
 * Has a process that we may look at opened the device, its group, or what a driver made of
 * it: a mediated device, or one of vDPA?
 */
bool device_in_use(const struct device *dev, struct open_file *by)
{
	return find_user(dev->path, dev->group, by);
}

bool vdpa_in_use(const char *name, struct open_file *by)
{
	char directory[PATH_LEN];

	snprintf(directory, sizeof(directory), "/sys/bus/vdpa/devices/%s", name);
	return find_user(directory, NO_GROUP, by);
}

/* What is called @name can not be had. */
void complain_about_user(const char *name, const struct open_file *by)
{
	complain(EXIT_REFUSED, "%s is in use by process %d, which has %s open", name, by->pid,
		 by->path);
}
