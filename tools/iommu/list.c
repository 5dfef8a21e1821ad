// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl list": IOMMUs, groups, their devices, and for each group whether user space
 * could own it, or who is in the way. Everything comes from sysfs; nobody has to be root.
 */
#include <stdio.h>
#include <string.h>

#include "features.h"
#include "group.h"
#include "iommuctl.h"
#include "report.h"

#define UNGROUPED "In no group, no IOMMU translates (see 'iommuctl check'):"

static int list_unit(const char *name, void *data)
{
	struct json_object *object, *features;
	char text[PATH_LEN] = "";
	struct iommu_unit unit;
	unsigned int i;

	(void)data;
	iommu_unit_load(&unit, name);
	object = append_object(add_array(report_root(), "iommus"));
	add_string(object, "name", unit.name);
	add_string(object, "kind", unit.kind);
	features = add_array(object, "features");
	for (i = 0; i < unit.n; i++) {
		json_object_array_add(features, json_object_new_string(unit.features[i]));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s",
			 unit.features[i]);
	}
	say("IOMMU %s (%s):%s", unit.name, unit.kind, unit.n ? text : " nothing known");
	return 0;
}

static void list_device(struct json_object *devices, const struct device *dev)
{
	struct json_object *object = append_object(devices);
	char id[16] = "-";

	if (!strcmp(dev->bus, "pci"))
		snprintf(id, sizeof(id), "%04x:%04x", dev->vendor, dev->product);
	say("  %-13s %-10s %-13s %-11s %s", dev->name, id, device_class_name(dev),
	    dev->driver[0] ? dev->driver : "-", dev->cdev[0] ? dev->cdev : "-");
	add_string(object, "device", dev->name);
	add_string(object, "bus", dev->bus);
	add_string(object, "id", id);
	add_string(object, "class", device_class_name(dev));
	add_string(object, "driver", dev->driver);
	add_string(object, "driver_override", dev->override);
	add_string(object, "cdev", dev->cdev);
	add_string(object, "iommu", dev->iommu);
	add_bool(object, "blocks_group", device_blocks(dev));
}

static void list_blockers(struct json_object *object, const struct devices *devices, int group)
{
	struct json_object *array = add_array(object, "blockers"), *blocker;
	struct device *dev;

	group_for_each(devices, group, dev) {
		if (!device_blocks(dev))
			continue;
		blocker = append_object(array);
		add_string(blocker, "device", dev->name);
		add_string(blocker, "driver", dev->driver);
	}
}

static void list_group(const struct devices *devices, int group)
{
	struct json_object *object = append_object(add_array(report_root(), "groups"));
	struct json_object *members;
	char type[NAME_LEN], reason[PATH_LEN + NAME_LEN];
	struct device *dev;

	file_read(type, sizeof(type), "/sys/kernel/iommu_groups/%d/type", group);
	obstacle_text(devices, group, reason, sizeof(reason));
	say("Group %d (%s): %s%s", group, type, reason[0] ? "not viable: " : "viable", reason);
	add_number(object, "group", group);
	add_string(object, "domain_type", type);
	add_bool(object, "viable", !reason[0]);
	add_string(object, "reason", reason);
	list_blockers(object, devices, group);
	members = add_array(object, "devices");
	group_for_each(devices, group, dev)
		list_device(members, dev);
}

static void list_ungrouped(const struct devices *devices)
{
	struct json_object *array = add_array(report_root(), "ungrouped");
	struct device *dev = group_next(devices, NULL, NO_GROUP);

	if (dev)
		say(UNGROUPED);
	for (; dev; dev = group_next(devices, dev, NO_GROUP))
		list_device(array, dev);
}

static void list_one_ungrouped(const struct device *dev)
{
	say(UNGROUPED);
	list_device(add_array(report_root(), "ungrouped"), dev);
}

static void list_everything(const struct devices *devices)
{
	const struct device *dev;
	int last = NO_GROUP;
	size_t i;

	add_array(report_root(), "iommus");
	add_array(report_root(), "groups");
	iommu_units_visit(list_unit, NULL);
	for (i = 0; i < devices->n; i++) {
		dev = &devices->dev[i];
		if (dev->group == NO_GROUP)
			break;
		if (dev->group != last)
			list_group(devices, dev->group);
		last = dev->group;
	}
	list_ungrouped(devices);
}

/* The groups of the devices named; EXIT_NO if one of them is not viable. */
static int list_named(const struct devices *devices, const struct options *options)
{
	char name[NAME_LEN];
	struct device *dev;
	int i, code = EXIT_FINE;

	for (i = 0; i < options->n; i++) {
		if (!full_address(options->args[i], name))
			set_name(name, options->args[i]);
		dev = device_find(devices, name);
		if (!dev)
			return complain(EXIT_NO_DEVICE, "there is no device %s", name);
		if (dev->group == NO_GROUP)
			list_one_ungrouped(dev);
		else
			list_group(devices, dev->group);
		if (group_obstacle(devices, dev->group) != OBSTACLE_NONE)
			code = EXIT_NO;
	}
	return code;
}

int list_command(const struct options *options)
{
	struct devices devices;
	int ret, code = EXIT_FINE;

	ret = devices_load(&devices);
	if (ret)
		code = complain(EXIT_TROUBLE, "cannot read sysfs: %s", strerror(-ret));
	else if (options->n)
		code = list_named(&devices, options);
	else
		list_everything(&devices);
	devices_free(&devices);
	return code;
}
