// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memcg.h"
#include "util.h"

#define ROOT "/sys/fs/cgroup"
#define CGROUP ROOT "/iommufd-test"

int __memcg_enter(void)
{
	char pid[16];
	int ret;

	ret = __write_text(ROOT "/cgroup.subtree_control", "+memory");
	if (ret)
		return ret;
	mkdir(CGROUP, 0755);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return __write_text(CGROUP "/cgroup.procs", pid);
}

void memcg_remove(void)
{
	rmdir(CGROUP);
}

/* A line of memory.stat */
static long stat_of(const char *text, const char *key)
{
	const char *line = strstr(text, key);

	return line ? strtol(line + strlen(key), NULL, 10) : 0;
}

struct memcg_charge memcg_charged(void)
{
	char text[8192];

	/* To read this adds up what each processor has counted by itself. */
	must(__read_text(CGROUP "/cpu.stat", text, sizeof(text)));
	must(__read_text(CGROUP "/memory.stat", text, sizeof(text)));
	return (struct memcg_charge){
		.kernel = stat_of(text, "\nkernel ") - stat_of(text, "\npagetables ") -
			  stat_of(text, "\nsec_pagetables "),
		.slab = stat_of(text, "\nslab "),
		.iommu_tables = stat_of(text, "\nsec_pagetables "),
	};
}

long memcg_bookkeeping(const struct memcg_charge *from, const struct memcg_charge *to)
{
	long kernel = to->kernel - from->kernel, slab = to->slab - from->slab;

	return kernel > slab ? kernel : slab;
}
