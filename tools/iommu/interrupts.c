// SPDX-License-Identifier: GPL-2.0
/*
 * Are interrupts remapped? If not, a device could send any of them by writing to an
 * address, and iommufd takes no device unless it was told to put up with that.
 */
#include "interrupts.h"
#include "sysfs.h"

#define INTERRUPTS "/proc/interrupts"

/* The names of remapped ones begin with "IR-", on machines where there is a question. */
bool interrupts_are_remapped(void)
{
	return !file_mentions(INTERRUPTS, "IO-APIC") || file_mentions(INTERRUPTS, " IR-") ||
	       file_mentions(INTERRUPTS, "-IR-");
}

bool interrupts_may_be_unsafe(void)
{
	return parameter_is_set("iommufd", "allow_unsafe_interrupts");
}
