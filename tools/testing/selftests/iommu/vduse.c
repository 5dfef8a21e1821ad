// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA device without hardware, for the tests of iommuctl: creates a network device of
 * VDUSE, and destroys it again when told to end by SIGTERM. Nothing else would.
 *
 *	vduse NAME
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vduse.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#define QUEUES 2

struct config {
	struct vduse_dev_config device;
	struct virtio_net_config net;
};

static void on_end(int signal)
{
	(void)signal;
}

static int trouble(const char *what)
{
	perror(what);
	return 1;
}

static int set_up_queues(int device)
{
	struct vduse_vq_config queue = { .max_size = 256 };

	for (queue.index = 0; queue.index < QUEUES; queue.index++)
		if (ioctl(device, VDUSE_VQ_SETUP, &queue))
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct config config = {
		.device = {
			.device_id = VIRTIO_ID_NET,
			.features = 1ULL << VIRTIO_F_ACCESS_PLATFORM |
				    1ULL << VIRTIO_F_VERSION_1,
			.vq_num = QUEUES,
			.vq_align = 4096,
			.config_size = sizeof(config.net),
		},
	};
	char path[300];
	int control, device;

	if (argc != 2)
		return 2;
	signal(SIGTERM, on_end);
	snprintf(config.device.name, sizeof(config.device.name), "%s", argv[1]);
	snprintf(path, sizeof(path), "/dev/vduse/%s", argv[1]);
	control = open("/dev/vduse/control", O_RDWR);
	if (control < 0 || ioctl(control, VDUSE_CREATE_DEV, &config))
		return trouble("create");
	device = open(path, O_RDWR);
	if (device < 0 || set_up_queues(device))
		return trouble(path);
	puts("ready");
	fflush(stdout);
	pause();
	close(device);
	return ioctl(control, VDUSE_DESTROY_DEV, config.device.name) ? trouble("destroy") : 0;
}
