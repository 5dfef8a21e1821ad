// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context_info.h"

int __read_all(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	char rest[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (done < size - 1 && (n = read(fd, text + done, size - 1 - done)) > 0)
		done += n;
	text[done] = 0;
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	close(fd);
	return 0;
}

const char *context_info(int fd)
{
	static char text[1 << 16];
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	must(__read_all(path, text, sizeof(text)));
	return text;
}

const char *context_line(int fd, const char *kind, __u32 id)
{
	static char found[256];
	const char *text = context_info(fd);
	char key[64];

	if (id)
		snprintf(key, sizeof(key), "\niommufd-%s:\t%u ", kind, id);
	else
		snprintf(key, sizeof(key), "\niommufd-%s:\t", kind);
	text = strstr(text, key);
	found[0] = 0;
	if (text)
		snprintf(found, sizeof(found), "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
	return found;
}

long long info_value(const char *line, const char *key)
{
	char pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", key);
	at = strstr(line, pattern);
	if (!at) {
		snprintf(pattern, sizeof(pattern), "\t%s=", key);
		at = strstr(line, pattern);
	}
	return at ? strtoll(at + strlen(pattern), NULL, 0) : -1;
}

const char *context_debugfs(int fd, const char *name)
{
	static char text[1 << 19];
	char path[80];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s",
		 context_line(fd, "ctx", 0) + strlen("iommufd-ctx:\t"), name);
	must(__read_all(path, text, sizeof(text)));
	return text;
}
