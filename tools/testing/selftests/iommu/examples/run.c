// SPDX-License-Identifier: GPL-2.0
/*
 * All examples as one test program: each runs in a process of its own and is one test.
 *
 * Some need a device of VFIO. If QEMU's "edu" is there, it is given to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vfio.h"

#include "examples.h"

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

/* Exit status of the example, or -1. */
static int run(const struct example *example)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(STDOUT_FILENO, STDERR_FILENO);
		printf("# ");
		exit(example->run());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	unsigned int i;
	int failed = 0;

	offer_device();
	printf("TAP version 13\n1..%zu\n", ARRAY_LEN(examples));
	for (i = 0; i < ARRAY_LEN(examples); i++) {
		int status = run(&examples[i]);

		printf("\n%sok %u %s%s\n", status && status != 4 ? "not " : "", i + 1,
		       examples[i].name, status == 4 ? " # SKIP not on this machine" : "");
		failed |= status && status != 4;
	}
	return failed;
}
