// SPDX-License-Identifier: GPL-2.0
/*
 * Small files, links and directories of sysfs and procfs. Paths are made from a format;
 * the results are -errno, and texts are empty whenever there is nothing to read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

#define make_path(path, fmt)						\
	do {								\
		va_list args;						\
									\
		va_start(args, fmt);					\
		vsnprintf(path, sizeof(path), fmt, args);		\
		va_end(args);						\
	} while (0)

/* Copy at most NAME_LEN - 1 characters; what sysfs calls a name is always shorter. */
void set_name(char *to, const char *from)
{
	snprintf(to, NAME_LEN, "%s", from);
}

static int read_path(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n < 0 ? n : 0;
}

/* The contents, without the line's end. */
int file_read(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_LEN];
	size_t n;
	int ret;

	make_path(path, fmt);
	ret = read_path(path, text, size);
	n = strlen(text);
	while (n && text[n - 1] == '\n')
		text[--n] = 0;
	return ret;
}

int file_write(const char *text, const char *fmt, ...)
{
	char path[PATH_LEN];
	int fd, ret = 0;

	make_path(path, fmt);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

int file_hex(unsigned long long *value, const char *fmt, ...)
{
	char path[PATH_LEN], text[64];
	int ret;

	make_path(path, fmt);
	ret = read_path(path, text, sizeof(text));
	*value = strtoull(text, NULL, 16);
	return ret;
}

/* Last part of what a symbolic link points to. */
int link_name(char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_LEN], target[PATH_LEN];
	char *slash;
	ssize_t n;

	make_path(path, fmt);
	name[0] = 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return 0;
}

bool file_exists(const char *fmt, ...)
{
	char path[PATH_LEN];

	make_path(path, fmt);
	return !access(path, F_OK);
}

/* Name of some entry of a directory that begins with @prefix. */
int first_entry(char *name, size_t size, const char *prefix, const char *fmt, ...)
{
	struct dirent *entry;
	char path[PATH_LEN];
	int ret = -ENOENT;
	DIR *dir;

	make_path(path, fmt);
	name[0] = 0;
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (ret && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		snprintf(name, size, "%s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

/* Call @visit for each entry but the hidden ones, until it returns something else than 0. */
int visit_entries(const char *path, int (*visit)(const char *name, void *data), void *data)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!ret && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ret = visit(entry->d_name, data);
	closedir(dir);
	return ret;
}

/* Does a line of the file contain the text? */
bool file_mentions(const char *path, const char *text)
{
	char *line = NULL;
	bool found = false;
	size_t size = 0;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && getline(&line, &size, file) >= 0)
		found = strstr(line, text);
	free(line);
	fclose(file);
	return found;
}

/* Of a module that is loaded, or built in. */
bool parameter_is_set(const char *module, const char *name)
{
	char value[16];

	file_read(value, sizeof(value), "/sys/module/%s/parameters/%s", module, name);
	return value[0] == 'Y' || value[0] == '1';
}
