// SPDX-License-Identifier: GPL-2.0
/*
 * Would the machine miss a device? It would if a mounted file system or swap space lies
 * on one of its disks, be it below LVM, RAID or encryption, or if a default route leads
 * through one of its network interfaces, be it below a bridge, a bond or a VLAN.
 *
 * What is not seen: ZFS pools, whose disks no file of the kernel names.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "needed.h"

#define MAX_DEPTH 8

/* What a walk over disks or interfaces looks for, and what it says when it found it. */
struct search {
	const char *device;
	const char *top;
	char *why;
	size_t size;
	int depth;
};

/* Does the link lead to something below the PCI device? */
static bool belongs_to(const char *link, const char *device)
{
	char path[PATH_LEN + NAME_LEN], wanted[NAME_LEN + 2];
	char *real = realpath(link, NULL);

	if (!real)
		return false;
	snprintf(path, sizeof(path), "%s/", real);
	snprintf(wanted, sizeof(wanted), "/%s/", device);
	free(real);
	return strstr(path, wanted);
}

static bool pattern_exists(const char *fmt, const char *name)
{
	char pattern[PATH_LEN];
	glob_t found;
	int ret;

	snprintf(pattern, sizeof(pattern), fmt, name);
	ret = glob(pattern, GLOB_NOSORT, NULL, &found);
	if (!ret)
		globfree(&found);
	return !ret;
}

/* Is the line of /proc/self/mountinfo about the disk? If so, the mount point is in @at. */
static bool mount_is_on(const char *line, const char *number, const char *node,
			const char *mapper, char *at)
{
	char dev[NAME_LEN], point[PATH_LEN], source[PATH_LEN];
	const char *dash = strstr(line, " - ");

	if (!dash || sscanf(line, "%*d %*d %79s %*s %511s", dev, point) != 2 ||
	    sscanf(dash, " - %*s %511s", source) != 1)
		return false;
	if (strcmp(dev, number) && strcmp(source, node) && strcmp(source, mapper))
		return false;
	strcpy(at, point);
	return true;
}

static bool is_mounted(const char *disk, char *at)
{
	char number[NAME_LEN], name[NAME_LEN], node[PATH_LEN], mapper[PATH_LEN];
	char *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *mounts;

	if (file_read(number, sizeof(number), "/sys/class/block/%s/dev", disk))
		return false;
	file_read(name, sizeof(name), "/sys/class/block/%s/dm/name", disk);
	snprintf(node, sizeof(node), "/dev/%s", disk);
	snprintf(mapper, sizeof(mapper), "/dev/mapper/%s", name);
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return false;
	while (!found && getline(&line, &size, mounts) >= 0)
		found = mount_is_on(line, number, node, mapper, at);
	free(line);
	fclose(mounts);
	return found;
}

static bool is_swap(const char *disk)
{
	char line[PATH_LEN], path[PATH_LEN], node[PATH_LEN];
	bool found = false;
	FILE *swaps;

	snprintf(node, sizeof(node), "/dev/%s", disk);
	swaps = fopen("/proc/swaps", "re");
	if (!swaps)
		return false;
	while (!found && fgets(line, sizeof(line), swaps))
		found = sscanf(line, "%511s", path) == 1 && !strcmp(path, node);
	fclose(swaps);
	return found;
}

static int visit_holder(const char *disk, void *data);

/* Is the disk in use, or something that is built on it? */
static int visit_disk(const char *disk, struct search *search)
{
	char at[PATH_LEN], holders[PATH_LEN];
	int ret;

	if (is_mounted(disk, at)) {
		snprintf(search->why, search->size, "its disk %s holds %s", search->top, at);
		return 1;
	}
	if (is_swap(disk) || pattern_exists("/sys/fs/btrfs/*/devices/%s", disk)) {
		snprintf(search->why, search->size, "its disk %s is in use", search->top);
		return 1;
	}
	if (search->depth >= MAX_DEPTH)
		return 0;
	search->depth++;
	snprintf(holders, sizeof(holders), "/sys/class/block/%s/holders", disk);
	ret = visit_entries(holders, visit_holder, search);
	search->depth--;
	return ret > 0;
}

static int visit_holder(const char *disk, void *data)
{
	return visit_disk(disk, data);
}

/* A path of a multipath NVMe disk, nvme0c1n2, stands for nvme0n2. */
static void name_of_disk(const char *name, char *disk)
{
	int subsystem, path, space, end = 0;

	set_name(disk, name);
	if (sscanf(name, "nvme%dc%dn%d%n", &subsystem, &path, &space, &end) == 3 && !name[end])
		snprintf(disk, NAME_LEN, "nvme%dn%d", subsystem, space);
}

static int visit_block(const char *name, void *data)
{
	struct search *search = data;
	char link[PATH_LEN], disk[NAME_LEN];

	snprintf(link, sizeof(link), "/sys/class/block/%s", name);
	if (!belongs_to(link, search->device))
		return 0;
	name_of_disk(name, disk);
	search->top = disk;
	return visit_disk(disk, search);
}

static bool interface_uses(const char *interface, struct search *search);

static int visit_lower(const char *name, void *data)
{
	if (strncmp(name, "lower_", 6))
		return 0;
	return interface_uses(name + 6, data);
}

static int visit_port(const char *name, void *data)
{
	return interface_uses(name, data);
}

/* Does the interface, or one below it, belong to the device? */
static bool interface_uses(const char *interface, struct search *search)
{
	char path[PATH_LEN];
	bool found;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device", interface);
	if (belongs_to(path, search->device)) {
		snprintf(search->why, search->size, "the default route leads through %s",
			 search->top);
		return true;
	}
	if (search->depth >= MAX_DEPTH)
		return false;
	search->depth++;
	snprintf(path, sizeof(path), "/sys/class/net/%s", interface);
	found = visit_entries(path, visit_lower, search) > 0;
	/* The ports of a bridge have links of another name. */
	if (!found) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/brif", interface);
		found = visit_entries(path, visit_port, search) > 0;
	}
	search->depth--;
	return found;
}

/* Is the line of the routing table a default route? Its interface is put in @interface. */
static bool is_default_route(const char *line, bool ipv6, char *interface)
{
	char to[64], mask[64];

	if (ipv6)
		return sscanf(line, "%63s %63s %*s %*s %*s %*s %*s %*s %*s %79s", to, mask,
			      interface) == 3 &&
		       strspn(to, "0") == 32 && !strcmp(mask, "00") && strcmp(interface, "lo");
	return sscanf(line, "%79s %63s %*s %*s %*s %*s %*s %63s", interface, to, mask) == 3 &&
	       strspn(to, "0") == 8 && strspn(mask, "0") == 8;
}

static bool routes_use(const char *table, bool ipv6, struct search *search)
{
	char line[PATH_LEN], interface[NAME_LEN];
	bool found = false;
	FILE *routes;

	routes = fopen(table, "re");
	if (!routes)
		return false;
	while (!found && fgets(line, sizeof(line), routes)) {
		search->top = interface;
		found = is_default_route(line, ipv6, interface) &&
			interface_uses(interface, search);
	}
	fclose(routes);
	return found;
}

/* Would the machine miss the device? If so, @why says what for. */
bool machine_needs(const struct device *dev, char *why, size_t size)
{
	struct search search = { .device = dev->name, .why = why, .size = size };

	return visit_entries("/sys/class/block", visit_block, &search) > 0 ||
	       routes_use("/proc/net/route", false, &search) ||
	       routes_use("/proc/net/ipv6_route", true, &search);
}
