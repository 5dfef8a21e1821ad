// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl status": which process has /dev/iommu, a file of VFIO or a vDPA device open, and
 * what is behind it. The kernel tells what in the lines of /proc/PID/fdinfo/FD that begin with
 * "iommufd-"; where there are none, the open files are all there is to say.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "iommuctl.h"
#include "report.h"
#include "users.h"

#define FDINFO_PREFIX "iommufd-"

/**
 * struct status - What was said so far
 * @pid: Process of the last file; the walk visits all files of one in a row
 * @files: JSON array for its files
 */
struct status {
	pid_t pid;
	struct json_object *files;
};

static long long owner_of(pid_t pid)
{
	char path[NAME_LEN];
	struct stat stat_of_process;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return stat(path, &stat_of_process) ? -1 : (long long)stat_of_process.st_uid;
}

static void begin_process(struct status *status, pid_t pid)
{
	struct json_object *object = append_object(add_array(report_root(), "processes"));
	char name[NAME_LEN];
	long long uid = owner_of(pid);

	file_read(name, sizeof(name), "/proc/%d/comm", pid);
	say("%s, process %d of uid %lld", name, pid, uid);
	add_number(object, "pid", pid);
	add_string(object, "name", name);
	add_number(object, "uid", uid);
	status->pid = pid;
	status->files = add_array(object, "files");
}

/* The file's device is a child of the vDPA device. */
static void vdpa_name(const struct open_file *file, char *name)
{
	char node[PATH_LEN];

	strcpy(node, file->node);
	set_name(name, basename(dirname(node)));
}

/* What the file opens: a device, the devices of a group, or nothing of that kind. */
static void target_of(const struct open_file *file, char *target)
{
	const char *name = strrchr(file->path, '/') + 1;
	char first[NAME_LEN];

	target[0] = 0;
	if (!strncmp(file->path, "/dev/vhost-vdpa-", 16))
		vdpa_name(file, target);
	else if (!strncmp(file->path, "/dev/vfio/devices/", 18))
		link_name(target, NAME_LEN, "/sys/class/vfio-dev/%s/device", name);
	else if (!first_entry(first, sizeof(first), "", "/sys/kernel/iommu_groups/%s/devices",
			      name))
		snprintf(target, NAME_LEN, "group %.40s", name);
}

/* A line "iommufd-KEY:<tab>VALUE"; the same key may come more than once. */
static void add_line(struct json_object *info, char *line)
{
	char *value = strchr(line, ':');

	if (strncmp(line, FDINFO_PREFIX, strlen(FDINFO_PREFIX)) || !value)
		return;
	*value++ = 0;
	value += strspn(value, " \t");
	line += strlen(FDINFO_PREFIX);
	say("    %-12s %s", line, value);
	json_object_array_add(add_array(info, line), json_object_new_string(value));
}

/* Any length: there is a line for each of many objects. */
static void add_fdinfo(struct json_object *object, const struct open_file *file)
{
	struct json_object *info = json_object_new_object();
	char path[NAME_LEN], *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *lines;

	json_object_object_add(object, "info", info);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", file->pid, file->fd);
	lines = fopen(path, "re");
	if (!lines)
		return;
	while ((n = getline(&line, &size, lines)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		add_line(info, line);
	}
	free(line);
	fclose(lines);
}

static int show_file(const struct open_file *file, void *data)
{
	struct status *status = data;
	struct json_object *object;
	char target[NAME_LEN];

	if (file->pid != status->pid)
		begin_process(status, file->pid);
	target_of(file, target);
	say("  %s (fd %d)%s%s", file->path, file->fd, target[0] ? ": " : "", target);
	object = append_object(status->files);
	add_number(object, "fd", file->fd);
	add_string(object, "path", file->path);
	add_string(object, "target", target);
	add_fdinfo(object, file);
	return 0;
}

int status_command(const struct options *options)
{
	struct status status = {};
	unsigned int hidden;

	(void)options;
	add_array(report_root(), "processes");
	open_files_visit(show_file, &status, &hidden);
	add_number(report_root(), "hidden_processes", hidden);
	if (hidden)
		say("note: %u processes of other users cannot be looked at; root can", hidden);
	if (status.pid)
		return EXIT_FINE;
	if (!file_exists("/dev/iommu") && !file_exists("/dev/vfio/vfio")) {
		complain(EXIT_MISSING, "there is no /dev/iommu, and no VFIO");
		mend("see what 'iommuctl check' says about modules");
		return EXIT_MISSING;
	}
	say("Nobody has /dev/iommu, a device of VFIO or one of vDPA open.");
	return EXIT_FINE;
}
