// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine's IOMMUs can do, from the capability registers that Intel's and AMD's
 * drivers show in sysfs. Only what matters to someone who gives devices away.
 */
#include <stdio.h>
#include <string.h>

#include "features.h"

#define UNITS "/sys/class/iommu"

/**
 * struct feature - A bit of a capability register
 * @reg: File that shows the register
 * @bit: Number of the bit
 * @text: What it means if it is set
 */
struct feature {
	const char *reg;
	unsigned int bit;
	const char *text;
};

static const struct feature vtd_features[] = {
	{ "intel-iommu/cap", 10, "48-bit" },
	{ "intel-iommu/cap", 11, "57-bit" },
	{ "intel-iommu/cap", 34, "2M-pages" },
	{ "intel-iommu/cap", 35, "1G-pages" },
	{ "intel-iommu/cap", 7, "caching-mode" },
	{ "intel-iommu/cap", 59, "posted-interrupts" },
	{ "intel-iommu/ecap", 0, "coherent" },
	{ "intel-iommu/ecap", 7, "snoop-control" },
	{ "intel-iommu/ecap", 3, "interrupt-remapping" },
	{ "intel-iommu/ecap", 2, "device-tlb" },
	{ "intel-iommu/ecap", 43, "scalable-mode" },
	{ "intel-iommu/ecap", 26, "nesting" },
	{ "intel-iommu/ecap", 40, "pasid" },
	{ "intel-iommu/ecap", 29, "page-requests" },
	{ "intel-iommu/ecap", 45, "dirty-tracking" },
};

static const struct feature amd_features[] = {
	{ "amd-iommu/features", 1, "page-requests" },
	{ "amd-iommu/features", 2, "x2apic" },
	{ "amd-iommu/features", 4, "nesting" },
	{ "amd-iommu/features", 7, "posted-interrupts" },
	{ "amd-iommu/features", 48, "pasid" },
	{ "amd-iommu/features", 52, "dirty-tracking" },
};

static void decode(struct iommu_unit *unit, const struct feature *feature, unsigned int n)
{
	unsigned long long value;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!file_hex(&value, UNITS "/%s/%s", unit->name, feature[i].reg) &&
		    value >> feature[i].bit & 1)
			unit->features[unit->n++] = feature[i].text;
}

void iommu_unit_load(struct iommu_unit *unit, const char *name)
{
	*unit = (struct iommu_unit){};
	set_name(unit->name, name);
	if (file_exists(UNITS "/%s/intel-iommu", name)) {
		set_name(unit->kind, "VT-d");
		decode(unit, vtd_features, ARRAY_SIZE(vtd_features));
	} else if (file_exists(UNITS "/%s/amd-iommu", name)) {
		set_name(unit->kind, "AMD-Vi");
		decode(unit, amd_features, ARRAY_SIZE(amd_features));
	} else {
		set_name(unit->kind, name);
	}
}

int iommu_units_visit(int (*visit)(const char *name, void *data), void *data)
{
	return visit_entries(UNITS, visit, data);
}

bool iommu_units_exist(void)
{
	char name[NAME_LEN];

	return !first_entry(name, sizeof(name), "", UNITS);
}
