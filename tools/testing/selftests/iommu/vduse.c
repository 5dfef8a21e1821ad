// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA device without hardware, for the tests of iommuctl: creates a network device of
 * VDUSE, and destroys it again when told to end by SIGTERM. Nothing else would.
 *
 *	vduse NAME
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/vduse.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "vduse.h"

struct config {
	struct vduse_dev_config device;
	struct virtio_net_config net;
};

static void on_end(int signal)
{
	(void)signal;
}

static int trouble(const char *what, int ret)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-ret));
	return 1;
}

int main(int argc, char **argv)
{
	struct config config = {
		.device = {
			.device_id = VIRTIO_ID_NET,
			.features = 1ULL << VIRTIO_F_ACCESS_PLATFORM |
				    1ULL << VIRTIO_F_VERSION_1,
			.vq_num = 2,
			.vq_align = 4096,
		},
	};
	int device, ret;

	if (argc != 2)
		return 2;
	signal(SIGTERM, on_end);
	device = __vduse_create(argv[1], &config, sizeof(config));
	if (device < 0)
		return trouble("create", device);
	puts("ready");
	fflush(stdout);
	pause();
	close(device);
	ret = __vduse_destroy(argv[1]);
	return ret ? trouble("destroy", ret) : 0;
}
