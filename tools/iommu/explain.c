// SPDX-License-Identifier: GPL-2.0
/*
 * Why a step of "iommuctl probe" failed. An errno says little; what sysfs, /proc and the
 * limits of the process say beside it is mostly enough to name the cause.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "group.h"
#include "probe.h"
#include "report.h"
#include "users.h"

static int explain_open(const char *path, int error)
{
	if (error == ENOENT || error == ENODEV) {
		complain(EXIT_MISSING, "there is no %s", path);
		mend("modprobe iommufd; 'iommuctl check' says more");
		return EXIT_MISSING;
	}
	complain(code_of_errno(error), "cannot open %s: %s", path, strerror(error));
	if (error == EACCES)
		mend("become a member of the group that 'ls -l %s' shows, or root", path);
	return code_of_errno(error);
}

static int visit_user(const struct open_file *file, void *data)
{
	struct open_file *by = data;

	if (strncmp(file->path, "/dev/vfio/", 10))
		return 0;
	*by = *file;
	return 1;
}

/* The group can be owned, but somebody else has it; or the reason is another one. */
static int explain_owner(const struct probe *probe, int error)
{
	struct open_file by = {};

	if (device_in_use(probe->dev, &by)) {
		complain(EXIT_NO, "process %d has %s open", by.pid, by.path);
		mend("end it; 'iommuctl status' shows what it does");
		return EXIT_NO;
	}
	if (open_files_visit(visit_user, &by, NULL) > 0) {
		complain(EXIT_NO, "cannot bind %s: %s; process %d has %s open",
			 probe->dev->name, strerror(error), by.pid, by.path);
		mend("see 'iommuctl status'");
		return EXIT_NO;
	}
	complain(EXIT_DENIED, "cannot bind %s: %s", probe->dev->name, strerror(error));
	mend("if dmesg says that interrupts are not isolated, enable interrupt remapping");
	return EXIT_DENIED;
}

static int explain_bind(const struct probe *probe, int error)
{
	if (error != EPERM && error != EBUSY && error != EINVAL)
		return complain(code_of_errno(error), "cannot bind %s: %s", probe->dev->name,
				strerror(error));
	if (group_obstacle(&probe->devices, probe->dev->group) == OBSTACLE_NONE)
		return explain_owner(probe, error);
	complain_about_group(&probe->devices, probe->dev->group);
	return EXIT_NO;
}

static int explain_attach(const struct probe *probe, int error)
{
	complain(code_of_errno(error), "cannot attach %s: %s", probe->dev->name,
		 strerror(error));
	mend("dmesg names the reserved range or the property of the IOMMU in the way");
	return code_of_errno(error);
}

static int explain_map(const struct probe *probe, int error)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (error == ENOMEM && limit.rlim_cur < probe->size) {
		complain(EXIT_DENIED, "cannot map %llu MiB: the memlock limit is %llu MiB",
			 probe->size >> 20, (unsigned long long)limit.rlim_cur >> 20);
		mend("ulimit -l %llu, or a line for it in /etc/security/limits.d",
		     probe->size >> 10);
		return EXIT_DENIED;
	}
	return complain(EXIT_TROUBLE, "cannot map %llu MiB: %s", probe->size >> 20,
			strerror(error));
}

/* Complain about a failed step; returns the exit code that says the same. */
int probe_explain(const struct probe *probe, enum probe_step step, const char *text, int error)
{
	switch (step) {
	case PROBE_OPEN_IOMMU:
		return explain_open("/dev/iommu", error);
	case PROBE_OPEN_DEVICE:
		return explain_open(probe->dev->cdev, error);
	case PROBE_BIND:
		return explain_bind(probe, error);
	case PROBE_ATTACH:
		return explain_attach(probe, error);
	case PROBE_MAP:
		return explain_map(probe, error);
	default:
		return complain(EXIT_TROUBLE, "%s: %s", text, strerror(error));
	}
}
