// SPDX-License-Identifier: GPL-2.0
/*
 * What "iommuctl check" looks at that depends on who asks: permissions of the device
 * files, and how much memory the process may lock.
 */
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "group.h"
#include "iommuctl.h"
#include "memory.h"

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

/* "failed" or "warned" */
typedef void (*verdict_t)(const char *check, const char *fmt, ...);

static bool may_open(const char *path)
{
	return !access(path, R_OK | W_OK);
}

static void explain_rights(verdict_t verdict, const char *check, const char *path)
{
	struct stat status;
	char group[NAME_LEN];

	verdict(check, "uid %d may not open %s", getuid(), path);
	/* Of what use would membership be in a group that may not open it, or in root's? */
	if (!stat(path, &status) && (status.st_mode & 0060) == 0060 && status.st_gid &&
	    group_name(status.st_gid, group))
		remedy("adduser USER %s, and log in again", group);
	else
		remedy("a udev rule: GROUP=\"kvm\", MODE=\"0660\"; see iommuctl(8)");
}

void check_iommu_file(const struct options *options)
{
	(void)options;
	if (!file_exists("/dev/iommu"))
		return;
	if (may_open("/dev/iommu"))
		passed("rights", "/dev/iommu can be opened");
	else
		explain_rights(failed, "rights", "/dev/iommu");
}

static bool is_ready(const struct devices *devices, const struct device *dev)
{
	return dev->cdev[0] && group_obstacle(devices, dev->group) == OBSTACLE_NONE &&
	       may_open(dev->cdev);
}

static void explain_device(verdict_t verdict, const struct devices *devices,
			   const struct device *dev)
{
	char reason[PATH_LEN], mend[PATH_LEN];

	obstacle_text(devices, dev->group, reason, sizeof(reason));
	if (!reason[0]) {
		explain_rights(verdict, "devices", dev->cdev);
		return;
	}
	verdict("devices", "%s: group %d is not viable: %.300s", dev->name, dev->group, reason);
	obstacle_mend(devices, dev->group, mend, sizeof(mend));
	remedy("%s", mend);
}

/* Others than those that can be given away may be another's, so that they are no failure. */
static void check_each(const struct devices *devices)
{
	unsigned int ready = 0, seen = 0;
	const struct device *dev;
	size_t i;

	for (i = 0; i < devices->n; i++) {
		ready += is_ready(devices, &devices->dev[i]);
		seen += devices->dev[i].cdev[0] != 0;
	}
	for (i = 0; i < devices->n; i++) {
		dev = &devices->dev[i];
		if (dev->cdev[0] && !is_ready(devices, dev))
			explain_device(ready ? warned : failed, devices, dev);
	}
	if (ready) {
		passed("devices", "%u can be given away", ready);
	} else if (!seen && file_exists("/dev/iommu")) {
		warned("devices", "none is bound to vfio-pci");
		remedy("iommuctl list shows them, iommuctl bind BDF binds one");
	}
}

void check_devices(const struct options *options)
{
	struct devices devices;

	(void)options;
	if (!devices_load(&devices))
		check_each(&devices);
	devices_free(&devices);
}

void check_memlock(const struct options *options)
{
	unsigned long long wanted = options->size ? options->size : SENSIBLE;
	unsigned long long limit = memlock_limit();

	if (memlock_is_waived()) {
		passed("memlock", "no limit: the process has CAP_IPC_LOCK");
	} else if (limit == NO_LIMIT) {
		passed("memlock", "no limit");
	} else if (limit >= wanted) {
		passed("memlock", "%llu MiB", limit >> 20);
	} else {
		failed("memlock", "the limit of %llu MiB is below %llu MiB%s", limit >> 20,
		       wanted >> 20, options->size ? "" : ", too little for most guests");
		remedy("a line 'USER - memlock %llu' in /etc/security/limits.d/iommu.conf",
		       wanted >> 10);
	}
}
