/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_H
#define IOMMUCTL_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct options - What the command line says after the command
 * @dry_run: Say what would be done
 * @force: Do it although the machine needs the device
 * @group: All devices of the groups of those named
 * @driver: Driver to bind to
 * @size: Bytes to map, or memory of the guest in question; 0: not said
 * @args: The other arguments
 * @n: How many
 */
struct options {
	bool dry_run, force, group;
	const char *driver;
	unsigned long long size;
	char **args;
	int n;
};

int list_command(const struct options *options);
int bind_command(const struct options *options);
int unbind_command(const struct options *options);
int check_command(const struct options *options);
int probe_command(const struct options *options);
int status_command(const struct options *options);
int vdpa_command(const struct options *options);

#endif
