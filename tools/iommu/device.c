// SPDX-License-Identifier: GPL-2.0
/*
 * The devices of the machine: every member of an IOMMU group, on whatever bus, and the
 * PCI devices that are in none. One walk makes a table; nothing is read later.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

#define GROUPS "/sys/kernel/iommu_groups"
#define PCI "/sys/bus/pci/devices"

#define CLASS_PCI_BRIDGE 0x0604
#define CLASS_CARDBUS_BRIDGE 0x0607
#define CLASS_HALF_BRIDGE 0x0609

/* What a walk over one group needs to know. */
struct walk {
	struct devices *devices;
	int group;
};

/* Read again what changes when a driver is bound. */
void device_refresh(struct device *dev)
{
	char name[NAME_LEN];

	link_name(dev->driver, sizeof(dev->driver), "%s/driver", dev->path);
	file_read(dev->override, sizeof(dev->override), "%s/driver_override", dev->path);
	if (!strcmp(dev->override, "(null)"))
		dev->override[0] = 0;
	dev->cdev[0] = 0;
	/* VFIO without iommufd makes the entry, but no file that it stands for. */
	if (!first_entry(name, sizeof(name), "vfio", "%s/vfio-dev", dev->path) &&
	    file_exists("%s/vfio-dev/%s/dev", dev->path, name))
		snprintf(dev->cdev, sizeof(dev->cdev), "/dev/vfio/devices/%s", name);
}

static unsigned int hex_attribute(const struct device *dev, const char *name)
{
	unsigned long long value;

	file_hex(&value, "%s/%s", dev->path, name);
	return value;
}

static int add_device(struct devices *devices, int group, const char *name, const char *dir)
{
	struct device *dev;

	dev = realloc(devices->dev, (devices->n + 1) * sizeof(*dev));
	if (!dev)
		return -ENOMEM;
	devices->dev = dev;
	dev += devices->n++;
	memset(dev, 0, sizeof(*dev));
	set_name(dev->name, name);
	snprintf(dev->path, sizeof(dev->path), "%s/%s", dir, name);
	dev->group = group;
	link_name(dev->bus, sizeof(dev->bus), "%s/subsystem", dev->path);
	link_name(dev->iommu, sizeof(dev->iommu), "%s/iommu", dev->path);
	link_name(dev->physfn, sizeof(dev->physfn), "%s/physfn", dev->path);
	dev->vendor = hex_attribute(dev, "vendor");
	dev->product = hex_attribute(dev, "device");
	dev->class = hex_attribute(dev, "class");
	device_refresh(dev);
	return 0;
}

static int visit_member(const char *name, void *data)
{
	struct walk *walk = data;
	char dir[NAME_LEN];

	snprintf(dir, sizeof(dir), GROUPS "/%d/devices", walk->group);
	return add_device(walk->devices, walk->group, name, dir);
}

static int visit_group(const char *name, void *data)
{
	struct walk walk = { .devices = data, .group = atoi(name) };
	char dir[NAME_LEN];
	int ret;

	snprintf(dir, sizeof(dir), GROUPS "/%d/devices", walk.group);
	ret = visit_entries(dir, visit_member, &walk);
	/* A group may go while we look. */
	return ret == -ENOENT ? 0 : ret;
}

static int visit_pci(const char *name, void *data)
{
	if (file_exists(PCI "/%s/iommu_group", name))
		return 0;
	return add_device(data, NO_GROUP, name, PCI);
}

static int by_group_and_name(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	if (x->group != y->group)
		return (unsigned int)x->group < (unsigned int)y->group ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Fill @devices; to be freed in any case. */
int devices_load(struct devices *devices)
{
	int ret;

	*devices = (struct devices){};
	ret = visit_entries(GROUPS, visit_group, devices);
	if (!ret || ret == -ENOENT)
		ret = visit_entries(PCI, visit_pci, devices);
	if (ret == -ENOENT)
		ret = 0;
	if (devices->n)
		qsort(devices->dev, devices->n, sizeof(*devices->dev), by_group_and_name);
	return ret;
}

void devices_free(struct devices *devices)
{
	free(devices->dev);
	*devices = (struct devices){};
}

struct device *device_find(const struct devices *devices, const char *name)
{
	size_t i;

	for (i = 0; i < devices->n; i++)
		if (!strcmp(devices->dev[i].name, name))
			return &devices->dev[i];
	return NULL;
}

/* One with another bus behind it, and not such a thing as an ISA bridge. */
bool device_is_bridge(const struct device *dev)
{
	unsigned int class = dev->class >> 8;

	return class == CLASS_PCI_BRIDGE || class == CLASS_CARDBUS_BRIDGE ||
	       class == CLASS_HALF_BRIDGE;
}

/* Could vfio-pci have it? */
bool device_can_move(const struct device *dev)
{
	return !strcmp(dev->bus, "pci") && !device_is_bridge(dev);
}

/* The PCI class in a word. */
const char *device_class_name(const struct device *dev)
{
	static const char * const names[] = {
		"old", "disk", "network", "display", "multimedia", "memory", "bridge",
		"communication", "system", "input", "dock", "processor", "serial",
		"wireless", "intelligent", "satellite", "crypto", "signal",
		"accelerator",
	};
	unsigned int class = dev->class >> 16;

	if (strcmp(dev->bus, "pci"))
		return dev->bus;
	return class < ARRAY_SIZE(names) ? names[class] : "other";
}

/*
 * A PCI address as people write it, "01:00.0" or "0000:01:00.0", in the form that sysfs
 * uses; false if it is none.
 */
bool full_address(const char *text, char *name)
{
	unsigned int domain = 0, bus, slot, function;
	int end = 0;

	if (sscanf(text, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &end) != 4) {
		domain = 0;
		end = 0;
		if (sscanf(text, "%2x:%2x.%1x%n", &bus, &slot, &function, &end) != 3)
			return false;
	}
	if (!end || text[end] || slot > 0x1f || function > 7)
		return false;
	snprintf(name, NAME_LEN, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return true;
}
