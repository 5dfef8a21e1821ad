// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

#define DEVICES "/sys/bus/pci/devices"
#define PATH_LEN 320

static int by_address(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void list_dir(const char *path, struct pci_list *list)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	list->n = 0;
	if (!dir)
		return;
	while ((entry = readdir(dir)) && list->n < MAX_DEVS)
		if (strlen(entry->d_name) < BDF_LEN && strchr(entry->d_name, ':'))
			strcpy(list->bdf[list->n++], entry->d_name);
	closedir(dir);
	qsort(list->bdf, list->n, sizeof(list->bdf[0]), by_address);
}

bool pci_is(const char *bdf, enum pci_id id)
{
	char path[PATH_LEN];
	long vendor, device;

	snprintf(path, sizeof(path), DEVICES "/%s/vendor", bdf);
	vendor = __read_number(path);
	snprintf(path, sizeof(path), DEVICES "/%s/device", bdf);
	device = __read_number(path);
	return vendor >= 0 && device >= 0 && (vendor << 16 | device) == (long)(unsigned int)id;
}

static void keep_only(enum pci_id id, struct pci_list *list)
{
	unsigned int i, n = 0;

	for (i = 0; i < list->n; i++)
		if (pci_is(list->bdf[i], id))
			memmove(list->bdf[n++], list->bdf[i], BDF_LEN);
	list->n = n;
}

void pci_find(enum pci_id id, struct pci_list *list)
{
	list_dir(DEVICES, list);
	keep_only(id, list);
}

static int link_name(const char *path, char *name, size_t size)
{
	char target[PATH_LEN];
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	char *slash;

	if (n < 0)
		return -errno;
	target[n] = 0;
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return 0;
}

int __pci_group(const char *bdf)
{
	char path[PATH_LEN], name[32];
	int ret;

	snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", bdf);
	ret = link_name(path, name, sizeof(name));
	return ret ? ret : atoi(name);
}

void pci_group_members(int group, struct pci_list *list)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%d/devices", group);
	list_dir(path, list);
}

bool pci_find_group(enum pci_id id, unsigned int n, struct pci_list *list)
{
	struct pci_list all;
	unsigned int i;

	pci_find(id, &all);
	for (i = 0; i < all.n; i++) {
		int group = __pci_group(all.bdf[i]);

		if (group < 0)
			continue;
		pci_group_members(group, list);
		keep_only(id, list);
		if (list->n == n)
			return true;
	}
	list->n = 0;
	return false;
}

void pci_driver(const char *bdf, char *name, size_t size)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), DEVICES "/%s/driver", bdf);
	if (link_name(path, name, size))
		name[0] = 0;
}

int __pci_unbind(const char *bdf)
{
	char path[PATH_LEN];
	int ret;

	snprintf(path, sizeof(path), DEVICES "/%s/driver/unbind", bdf);
	ret = __write_text(path, bdf);
	return ret == -ENOENT ? 0 : ret;
}

int __pci_bind(const char *bdf, const char *driver)
{
	char path[PATH_LEN], now[64];
	int ret;

	pci_driver(bdf, now, sizeof(now));
	if (!strcmp(now, driver))
		return 0;
	ret = __pci_unbind(bdf);
	if (ret)
		return ret;

	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", bdf);
	ret = __write_text(path, driver);
	if (ret)
		return ret;
	/* The error of the probe reaches us only this way. */
	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/bind", driver);
	ret = __write_text(path, bdf);
	snprintf(path, sizeof(path), DEVICES "/%s/driver_override", bdf);
	__write_text(path, "\n");
	return ret;
}

void pci_bind(const char *bdf, const char *driver)
{
	char now[64];
	int ret = __pci_bind(bdf, driver);

	pci_driver(bdf, now, sizeof(now));
	if (ret || strcmp(now, driver))
		fatal("%s: driver %s does not take it: %s", bdf, driver, errno_name(-ret));
}
