// SPDX-License-Identifier: GPL-2.0
/*
 * What "iommuctl check" looks at that depends on who asks: permissions of the device
 * files, and how much memory the process may lock.
 */
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/capability.h>

#include "check.h"
#include "group.h"
#include "iommuctl.h"

#define SENSIBLE (1ULL << 30)

/* By /etc/group alone: the name service is not to be had in a static program. */
static bool group_name(gid_t gid, char *name)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *group = NULL;

	if (!file)
		return false;
	while ((group = fgetgrent(file)) && group->gr_gid != gid)
		;
	if (group)
		set_name(name, group->gr_name);
	fclose(file);
	return group;
}

static bool check_file(const char *check, const char *path)
{
	struct stat status;
	char group[NAME_LEN];

	if (!access(path, R_OK | W_OK))
		return true;
	failed(check, "uid %d may not open %s", getuid(), path);
	/* Of what use would membership be in a group that may not open it, or in root's? */
	if (!stat(path, &status) && (status.st_mode & 0060) == 0060 && status.st_gid &&
	    group_name(status.st_gid, group))
		remedy("adduser USER %s, and log in again", group);
	else
		remedy("a udev rule: GROUP=\"kvm\", MODE=\"0660\"; see iommuctl(8)");
	return false;
}

void check_iommu_file(const struct options *options)
{
	(void)options;
	if (file_exists("/dev/iommu") && check_file("rights", "/dev/iommu"))
		passed("rights", "/dev/iommu can be opened");
}

/* Sets *@ready to the number of devices that could be bound, complains about others. */
static void check_each(const struct devices *devices, unsigned int *ready, unsigned int *seen)
{
	const struct device *dev;
	char reason[PATH_LEN];
	size_t i;

	for (i = 0; i < devices->n; i++) {
		dev = &devices->dev[i];
		if (!dev->cdev[0])
			continue;
		++*seen;
		obstacle_text(devices, dev->group, reason, sizeof(reason));
		if (reason[0]) {
			failed("devices", "%s: group %d is %.300s", dev->name, dev->group,
			       reason);
			remedy("iommuctl bind --group %s", dev->name);
		} else if (check_file("devices", dev->cdev)) {
			++*ready;
		}
	}
}

void check_devices(const struct options *options)
{
	unsigned int ready = 0, seen = 0;
	struct devices devices;

	(void)options;
	if (!devices_load(&devices))
		check_each(&devices, &ready, &seen);
	if (ready) {
		passed("devices", "%u can be given away", ready);
	} else if (!seen && file_exists("/dev/iommu")) {
		warned("devices", "none is bound to vfio-pci");
		remedy("iommuctl list shows them, iommuctl bind BDF binds one");
	}
	devices_free(&devices);
}

/* Who has this capability is held to no limit. */
static bool may_lock_anything(void)
{
	char text[4096], *line;
	unsigned long long effective;

	file_read(text, sizeof(text), "/proc/self/status");
	line = strstr(text, "\nCapEff:");
	return line && sscanf(line, "\nCapEff: %llx", &effective) == 1 &&
	       effective >> CAP_IPC_LOCK & 1;
}

void check_memlock(const struct options *options)
{
	unsigned long long wanted = options->size ? options->size : SENSIBLE;
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (may_lock_anything()) {
		passed("memlock", "no limit: the process has CAP_IPC_LOCK");
	} else if (limit.rlim_cur == RLIM_INFINITY) {
		passed("memlock", "no limit");
	} else if (limit.rlim_cur >= wanted) {
		passed("memlock", "%llu MiB", (unsigned long long)limit.rlim_cur >> 20);
	} else {
		failed("memlock", "the limit of %llu MiB is below %llu MiB%s",
		       (unsigned long long)limit.rlim_cur >> 20, wanted >> 20,
		       options->size ? "" : ", too little for most guests");
		remedy("a line 'USER - memlock %llu' in /etc/security/limits.d/iommu.conf",
		       wanted >> 10);
	}
}
