/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_SYSFS_H
#define IOMMUCTL_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define PATH_LEN 512
#define NAME_LEN 80

#define ARRAY_SIZE(x) (sizeof(x) / sizeof((x)[0]))

int file_read(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int file_write(const char *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int file_hex(unsigned long long *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int link_name(char *name, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool file_exists(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
int first_entry(char *name, size_t size, const char *prefix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int visit_entries(const char *path, int (*visit)(const char *name, void *data), void *data);
bool file_mentions(const char *path, const char *text);
bool parameter_is_set(const char *module, const char *name);
void set_name(char *to, const char *from);

#endif
