// SPDX-License-Identifier: GPL-2.0
/*
 * Why a step of "iommuctl probe" failed. An errno says little; what sysfs, /proc and the
 * limits of the process say beside it is mostly enough to name the cause.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "group.h"
#include "memory.h"
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

/* Has somebody opened the device, or another one of its group? */
static bool group_in_use(const struct probe *probe, struct open_file *by)
{
	struct device *dev;

	group_for_each(&probe->devices, probe->dev->group, dev)
		if (device_in_use(dev, by))
			return true;
	return false;
}

/* The group can be owned, but somebody else has it; or the reason is another one. */
static int explain_owner(const struct probe *probe, int error)
{
	struct open_file by;

	if (group_in_use(probe, &by)) {
		complain(EXIT_NO, "cannot bind %s: process %d has %s open", probe->dev->name,
			 by.pid, by.path);
		mend("end it; 'iommuctl status' shows what it does");
		return EXIT_NO;
	}
	complain(EXIT_DENIED, "cannot bind %s: %s", probe->dev->name, strerror(error));
	if (geteuid())
		mend("another user may have it open, see 'sudo iommuctl status'; or see dmesg");
	else
		mend("dmesg says why");
	return EXIT_DENIED;
}

static int explain_bind(const struct probe *probe, int error)
{
	if (error != EPERM && error != EBUSY && error != EINVAL)
		return complain(code_of_errno(error), "cannot bind %s: %s", probe->dev->name,
				strerror(error));
	if (group_obstacle(&probe->devices, probe->dev->group) == OBSTACLE_NONE)
		return explain_owner(probe, error);
	return complain_about_group(&probe->devices, probe->dev->group);
}

static int explain_attach(const struct probe *probe, int error)
{
	complain(code_of_errno(error), "cannot attach %s: %s", probe->dev->name,
		 strerror(error));
	mend("dmesg names the reserved range or the property of the IOMMU in the way");
	return code_of_errno(error);
}

static int explain_limit(const struct probe *probe, unsigned long long used)
{
	char text[NAME_LEN] = "";

	if (used)
		snprintf(text, sizeof(text), ", of which %llu MiB are used", used >> 20);
	complain(EXIT_DENIED, "cannot map %llu MiB: the memlock limit is %llu MiB%s",
		 probe->size >> 20, memlock_limit() >> 20, text);
	mend("ulimit -l %llu, or a line for it in /etc/security/limits.d",
	     (probe->size + used) >> 10);
	return EXIT_DENIED;
}

/* Too little memory, or too little that may be locked? */
static int explain_memory(const struct probe *probe, int error)
{
	unsigned long long limit = memlock_limit(), used;

	if (error == ENOMEM && limit != NO_LIMIT) {
		used = memlock_used();
		if (used > limit || probe->size > limit - used)
			return explain_limit(probe, used);
	}
	complain(EXIT_TROUBLE, "cannot map %llu MiB: %s", probe->size >> 20, strerror(error));
	if (error == ENOMEM && probe->size > memory_available())
		mend("%llu MiB of memory are available: choose a smaller --size, or end something",
		     memory_available() >> 20);
	else if (error == ENOMEM && limit != NO_LIMIT)
		mend("dmesg tells how much the user has locked, beside the limit of %llu MiB",
		     limit >> 20);
	return EXIT_TROUBLE;
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
	case PROBE_MEMORY:
	case PROBE_MAP:
		return explain_memory(probe, error);
	default:
		return complain(EXIT_TROUBLE, "%s: %s", text, strerror(error));
	}
}
