// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory the process can have, and how much of it may be locked for a device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/capability.h>

#include "memory.h"
#include "sysfs.h"
#include "users.h"

/* What the kernel calls the user namespace that it began with. */
#define FIRST_USER_NAMESPACE "user:[4026531837]"

/* Bytes; NO_LIMIT if the kernel does not say. */
unsigned long long memory_available(void)
{
	unsigned long long kib;
	char text[4096], *line;

	file_read(text, sizeof(text), "/proc/meminfo");
	line = strstr(text, "\nMemAvailable:");
	if (!line || sscanf(line, "\nMemAvailable: %llu", &kib) != 1)
		return NO_LIMIT;
	return kib << 10;
}

/* Who has CAP_IPC_LOCK is held to no limit, unless it counts in a container only. */
bool memlock_is_waived(void)
{
	char text[4096], namespace[NAME_LEN], *line;
	unsigned long long effective;

	if (!link_name(namespace, sizeof(namespace), "/proc/self/ns/user") &&
	    strcmp(namespace, FIRST_USER_NAMESPACE))
		return false;
	file_read(text, sizeof(text), "/proc/self/status");
	line = strstr(text, "\nCapEff:");
	return line && sscanf(line, "\nCapEff: %llx", &effective) == 1 &&
	       effective >> CAP_IPC_LOCK & 1;
}

/* Bytes that the user may have locked, or NO_LIMIT. */
unsigned long long memlock_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (memlock_is_waived() || limit.rlim_cur == RLIM_INFINITY)
		return NO_LIMIT;
	return limit.rlim_cur;
}

/* The line that tells what is charged to the user of the process. */
static int visit_charge(const struct open_file *file, void *data)
{
	unsigned long long *used = data;
	char text[4096], user[NAME_LEN], *locked;

	if (strcmp(file->path, "/dev/iommu"))
		return 0;
	file_read(text, sizeof(text), "/proc/%d/fdinfo/%d", file->pid, file->fd);
	snprintf(user, sizeof(user), " uid=%u mode=user ", getuid());
	locked = strstr(text, user);
	if (locked)
		locked = strstr(locked, " locked=");
	if (locked)
		*used = strtoull(locked + strlen(" locked="), NULL, 10);
	return locked ? 1 : 0;
}

/*
 * Bytes that the user has locked already, as the kernel tells it beside each /dev/iommu that
 * is open and has something mapped; 0 if there is none.
 */
unsigned long long memlock_used(void)
{
	unsigned long long used = 0;

	open_files_visit(visit_charge, &used, NULL);
	return used;
}
