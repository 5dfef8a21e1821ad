// SPDX-License-Identifier: GPL-2.0
/*
 * Can user space own an IOMMU group? The kernel's rule: no driver that does DMA through
 * the kernel is bound to any member. Drivers say that they do none by setting
 * driver_managed_dma, which no file shows; hence the list here.
 */
#include <stdio.h>
#include <string.h>

#include "group.h"
#include "interrupts.h"
#include "report.h"

/* Besides everything that has "vfio" in its name. */
static const char * const harmless_drivers[] = { "pcieport", "pci-stub" };

/* The member after @dev, or the first if that is NULL. */
struct device *group_next(const struct devices *devices, const struct device *dev, int group)
{
	size_t i = dev ? dev - devices->dev + 1 : 0;

	for (; i < devices->n; i++)
		if (devices->dev[i].group == group)
			return &devices->dev[i];
	return NULL;
}

/* Is the device the reason why its group cannot be owned? */
bool device_blocks(const struct device *dev)
{
	size_t i;

	if (!dev->driver[0] || strstr(dev->driver, "vfio"))
		return false;
	for (i = 0; i < ARRAY_SIZE(harmless_drivers); i++)
		if (!strcmp(dev->driver, harmless_drivers[i]))
			return false;
	return true;
}

/* Reserved ranges of type "direct" are what RMRRs become when nobody may lift them. */
static bool wants_identity(int group)
{
	char text[4096], *line, *rest = text;
	unsigned long long start, last;
	char type[32];

	file_read(text, sizeof(text), "/sys/kernel/iommu_groups/%d/reserved_regions", group);
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%llx %llx %31s", &start, &last, type) == 3 &&
		    !strcmp(type, "direct"))
			return true;
	return false;
}

enum obstacle group_obstacle(const struct devices *devices, int group)
{
	struct device *dev;

	if (group == NO_GROUP)
		return OBSTACLE_NO_IOMMU;
	group_for_each(devices, group, dev)
		if (device_blocks(dev))
			return OBSTACLE_DRIVER;
	if (wants_identity(group))
		return OBSTACLE_FIRMWARE;
	if (!interrupts_are_remapped() && !interrupts_may_be_unsafe())
		return OBSTACLE_INTERRUPTS;
	return OBSTACLE_NONE;
}

/* All the drivers in the way, "e1000e at 0000:01:00.0, igb at …". */
static void list_blockers(const struct devices *devices, int group, char *text, size_t size)
{
	struct device *dev;
	size_t used = 0;

	text[0] = 0;
	group_for_each(devices, group, dev)
		if (device_blocks(dev) && used < size)
			used += snprintf(text + used, size - used, "%s%s at %s",
					 used ? ", " : "", dev->driver, dev->name);
}

/* The reason in words; empty if there is none. */
void obstacle_text(const struct devices *devices, int group, char *text, size_t size)
{
	char blockers[PATH_LEN];

	text[0] = 0;
	switch (group_obstacle(devices, group)) {
	case OBSTACLE_NONE:
		break;
	case OBSTACLE_DRIVER:
		list_blockers(devices, group, blockers, sizeof(blockers));
		snprintf(text, size, "in use by kernel driver %s", blockers);
		break;
	case OBSTACLE_FIRMWARE:
		snprintf(text, size, "the firmware insists on an identity mapping (RMRR)");
		break;
	case OBSTACLE_INTERRUPTS:
		snprintf(text, size, "interrupts are not remapped");
		break;
	case OBSTACLE_NO_IOMMU:
		snprintf(text, size, "no IOMMU translates for it");
		break;
	}
}

/* The first device in the way that can go to vfio-pci, or just the first. */
static const struct device *first_blocker(const struct devices *devices, int group)
{
	const struct device *first = NULL;
	struct device *dev;

	group_for_each(devices, group, dev) {
		if (!device_blocks(dev))
			continue;
		if (device_can_move(dev))
			return dev;
		if (!first)
			first = dev;
	}
	return first;
}

/* A bridge, or what is no PCI device, cannot go to vfio-pci. */
static void mend_blocker(const struct device *dev, char *text, size_t size)
{
	if (device_can_move(dev))
		snprintf(text, size, "bind the whole group: iommuctl bind --group %s", dev->name);
	else
		snprintf(text, size, "if nothing needs %s: echo %s > /sys/bus/%s/drivers/%s/unbind",
			 dev->driver, dev->name, dev->bus, dev->driver);
}

/* How to get it out of the way; empty if there is nothing. */
void obstacle_mend(const struct devices *devices, int group, char *text, size_t size)
{
	text[0] = 0;
	switch (group_obstacle(devices, group)) {
	case OBSTACLE_NONE:
		break;
	case OBSTACLE_DRIVER:
		mend_blocker(first_blocker(devices, group), text, size);
		break;
	case OBSTACLE_FIRMWARE:
		snprintf(text, size, "look for a firmware setting or update that lifts it");
		break;
	case OBSTACLE_INTERRUPTS:
	case OBSTACLE_NO_IOMMU:
		snprintf(text, size, "see what 'iommuctl check' says about it");
		break;
	}
}

/* Tell what keeps the group from being owned, and how to mend it; returns an exit code. */
int complain_about_group(const struct devices *devices, int group)
{
	char text[PATH_LEN], remedy[PATH_LEN];
	int code = EXIT_NO;

	obstacle_text(devices, group, text, sizeof(text));
	obstacle_mend(devices, group, remedy, sizeof(remedy));
	if (group == NO_GROUP)
		code = complain(EXIT_MISSING, "the device is in no IOMMU group: %s", text);
	else
		complain(code, "group %d is not viable: %s", group, text);
	mend("%s", remedy);
	return code;
}
