/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_USERS_H
#define IOMMUCTL_USERS_H

#include <sys/types.h>

#include "device.h"

/**
 * struct open_file - A file descriptor of some process
 * @pid: The process
 * @fd: Its number there
 * @path: What /proc says it is: /dev/iommu, a file of /dev/vfio or a vDPA device
 * @node: Directory of sysfs that stands for the file, or empty
 */
struct open_file {
	pid_t pid;
	int fd;
	char path[NAME_LEN];
	char node[PATH_LEN];
};

typedef int (*visit_file_t)(const struct open_file *file, void *data);

int open_files_visit(visit_file_t visit, void *data, unsigned int *hidden);
bool device_in_use(const struct device *dev, struct open_file *by);
bool vdpa_in_use(const char *name, struct open_file *by);
void complain_about_user(const char *name, const struct open_file *by);

#endif
