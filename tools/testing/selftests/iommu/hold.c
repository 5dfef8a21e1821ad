// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody who has a device and has locked memory for it, for the tests of iommuctl. Goes on
 * until it is killed.
 *
 *	hold BDF MIB
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "vfio.h"

int main(int argc, char **argv)
{
	struct vdev device;
	int iommufd;
	size_t size;
	__u32 ioas;
	void *memory;

	if (argc != 3)
		return 2;
	size = strtoul(argv[2], NULL, 10) << 20;
	iommufd = iommufd_open();
	must(__vdev_open(&device, argv[1]));
	must(__vdev_bind(&device, iommufd));
	ioas = ioas_alloc(iommufd);
	vdev_attach(&device, ioas);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ioas_map(iommufd, ioas, memory, size);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
