// SPDX-License-Identifier: GPL-2.0
/*
 * What "iommuctl check" looks at that is the same for every user: the kernel, how it was
 * booted, and its modules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "check.h"
#include "features.h"
#include "interrupts.h"
#include "sysfs.h"

#define ACPI "/sys/firmware/acpi/tables/"
#define RELOAD "modprobe -r vfio_pci vfio_iommu_type1 vfio; modprobe vfio-pci"
#define BOOT_LINE "GRUB_CMDLINE_LINUX of /etc/default/grub, run update-grub, boot"

static bool is_loaded(const char *module)
{
	return file_exists("/sys/module/%s", module);
}

/* Built apart from the kernel, as a set; what belongs together is equal in this. */
static bool is_out_of_tree(const char *module)
{
	char taint[16];

	file_read(taint, sizeof(taint), "/sys/module/%s/taint", module);
	return strchr(taint, 'O');
}

static bool is_installed(const char *release, const char *module)
{
	char path[PATH_LEN], file[NAME_LEN];

	snprintf(file, sizeof(file), "/%s.ko", module);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
	if (file_mentions(path, file))
		return true;
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", release);
	return file_mentions(path, file);
}

/* Secure Boot locks the kernel down; modules may have to be signed without it, too. */
static bool wants_signatures(void)
{
	return file_mentions("/sys/kernel/security/lockdown", "[integrity]") ||
	       file_mentions("/sys/kernel/security/lockdown", "[confidentiality]") ||
	       parameter_is_set("module", "sig_enforce");
}

void check_kernel(const struct options *options)
{
	struct utsname name;

	(void)options;
	uname(&name);
	if (file_exists("/dev/iommu") || is_installed(name.release, "iommufd")) {
		passed("kernel", "Linux %s, with iommufd", name.release);
		return;
	}
	failed("kernel", "no iommufd is installed for Linux %s", name.release);
	if (!strncmp(name.release, "6.12.", 5))
		remedy("install iommufd-dkms and linux-headers-%s", name.release);
	else
		remedy("boot a 6.12 kernel, for which there is one, or one that has its own");
}

/* Nothing translates; tell whether it is the firmware's doing or the boot line's. */
static void explain_no_iommu(void)
{
	static const char * const off[] = { "intel_iommu=off", "amd_iommu=off", "iommu=off" };
	size_t i;

	failed("IOMMU", "the kernel uses none");
	for (i = 0; i < ARRAY_SIZE(off); i++)
		if (file_mentions("/proc/cmdline", off[i])) {
			remedy("remove %s from " BOOT_LINE, off[i]);
			return;
		}
	if (file_exists(ACPI "DMAR"))
		remedy("add intel_iommu=on to " BOOT_LINE);
	else if (file_exists(ACPI "IVRS"))
		remedy("dmesg | grep AMD-Vi says why the kernel does not use it");
	else
		remedy("switch on VT-d, AMD-Vi or \"IOMMU\" in the firmware's setup");
}

void check_iommu(const struct options *options)
{
	struct iommu_unit unit;
	char name[NAME_LEN];

	(void)options;
	if (first_entry(name, sizeof(name), "", "/sys/class/iommu")) {
		explain_no_iommu();
		return;
	}
	iommu_unit_load(&unit, name);
	passed("IOMMU", "%s (%s)", name, unit.kind);
}

/* Without it, a device could send any interrupt to the host by writing to an address. */
void check_interrupts(const struct options *options)
{
	(void)options;
	if (!iommu_units_exist())
		return;
	if (interrupts_are_remapped()) {
		passed("interrupts", "remapped");
		return;
	}
	if (interrupts_may_be_unsafe())
		warned("interrupts", "not remapped, which iommufd was told to put up with");
	else
		failed("interrupts", "not remapped: guests could send any to the host");
	remedy("remove nointremap or intremap=off from " BOOT_LINE);
}

/* The modules fit together only as the set they were built as. */
static bool check_set(void)
{
	static const char * const set[] = { "vfio", "vfio_pci_core", "vfio_pci" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(set); i++) {
		if (!is_loaded(set[i]) || is_out_of_tree(set[i]) == is_out_of_tree("iommufd"))
			continue;
		failed("modules", "%s is not of the same build as iommufd", set[i]);
		remedy(RELOAD "; if it is back after a boot: update-initramfs -u");
		return false;
	}
	return true;
}

static void explain_no_iommufd(void)
{
	struct utsname name;

	uname(&name);
	failed("modules", "iommufd is not loaded");
	if (!is_installed(name.release, "iommufd"))
		remedy("install it first, see the line \"kernel\"");
	else if (wants_signatures())
		remedy("modprobe iommufd; if its key is rejected: see iommuctl(8)");
	else
		remedy("modprobe iommufd");
}

void check_modules(const struct options *options)
{
	(void)options;
	if (!file_exists("/dev/iommu")) {
		explain_no_iommufd();
		return;
	}
	if (is_loaded("iommufd") && !check_set())
		return;
	if (is_loaded("vfio_pci") || file_exists("/sys/bus/pci/drivers/vfio-pci")) {
		passed("modules", "iommufd and vfio-pci are loaded");
		return;
	}
	warned("modules", "iommufd is loaded, vfio-pci is not yet");
	remedy("modprobe vfio-pci; iommuctl bind does it, too");
}

void check_noiommu(const struct options *options)
{
	(void)options;
	if (!parameter_is_set("vfio", "enable_unsafe_noiommu_mode"))
		return;
	warned("no-IOMMU", "VFIO was told to give devices away without an IOMMU");
	remedy("remove enable_unsafe_noiommu_mode from /etc/modprobe.d");
}
