// SPDX-License-Identifier: GPL-2.0
/*
 * All examples as one test program: each runs in a process of its own and is one test.
 *
 * Some need a device of VFIO, and one of vhost-vdpa. If QEMU's "edu" is there, it is given to
 * them, and if there can be simulated disks, one is made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vdpa.h"
#include "vfio.h"

#include "examples.h"

/* What an example exits with when this machine has not got what it needs. */
#define SKIPPED 4

static const struct example {
	const char *name;
	int (*run)(void);
} examples[] = {
#include "examples.inc"
};

static void offer_device(void)
{
	struct pci_list edu;
	char path[64];

	pci_find(ID_EDU, &edu);
	if (!edu.n || __pci_bind(edu.bdf[0], "vfio-pci") ||
	    __vdev_path(edu.bdf[0], path, sizeof(path)))
		return;
	setenv("VFIO_CDEV", path, 1);
}

static void offer_vdpa_device(void)
{
	__vdpa_add_disk("example", NULL);
}

/* In a process of its own; what it prints can be read from *@output. */
static pid_t start(const struct example *example, FILE **output)
{
	int fds[2];
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		exit(example->run());
	}
	close(fds[1]);
	*output = fdopen(fds[0], "r");
	return pid;
}

/* Exit status of the example, or -1. The last line it prints goes to @line. */
static int run(const struct example *example, char *line, int size)
{
	FILE *output;
	int status;
	pid_t pid;

	pid = start(example, &output);
	if (pid < 0 || !output)
		return -1;
	*line = 0;
	while (fgets(line, size, output))
		printf("# %s", line);
	fclose(output);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	char line[256];
	unsigned int i;
	int failed = 0;

	offer_device();
	offer_vdpa_device();
	printf("TAP version 13\n1..%zu\n", ARRAY_LEN(examples));
	for (i = 0; i < ARRAY_LEN(examples); i++) {
		int status = run(&examples[i], line, sizeof(line));

		line[strcspn(line, "\n")] = 0;
		if (status == SKIPPED)
			printf("ok %u %s # SKIP %s\n", i + 1, examples[i].name, line);
		else
			printf("%sok %u %s\n", status ? "not " : "", i + 1, examples[i].name);
		failed |= status && status != SKIPPED;
	}
	__vdpa_del("example");
	return failed;
}
