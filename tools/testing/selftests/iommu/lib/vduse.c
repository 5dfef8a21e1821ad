// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/vduse.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "vduse.h"

#define DISK_SIZE MIB(1)
#define MAX_REGIONS 64
#define MAX_PARTS 8

/* A part of a file that the kernel gave us for a range of IOVAs. */
struct region {
	__u64 start, last;
	__u8 perm;
	char *va;
};

struct disk {
	int fd, kick;
	bool running;
	enum vduse_manners manners;
	struct vduse_vq_info info;
	__u16 seen;
	struct region region[MAX_REGIONS];
	unsigned int nregions;
	char *data;
};

static int open_control(void)
{
	return open("/dev/vduse/control", O_RDWR | O_CLOEXEC);
}

int __vduse_create(const char *name, void *config, size_t size)
{
	struct vduse_dev_config *device = config;
	struct vduse_vq_config queue = { .max_size = 256 };
	char path[300];
	int control = open_control(), fd;

	device->config_size = size - sizeof(*device);
	snprintf(device->name, sizeof(device->name), "%s", name);
	if (control < 0 || ioctl(control, VDUSE_CREATE_DEV, device))
		return -errno;
	close(control);
	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (queue.index = 0; queue.index < device->vq_num; queue.index++)
		if (ioctl(fd, VDUSE_VQ_SETUP, &queue))
			return -errno;
	return fd;
}

int __vduse_destroy(const char *name)
{
	char full[VDUSE_NAME_MAX] = "";
	int control = open_control(), ret;

	snprintf(full, sizeof(full), "%s", name);
	ret = control < 0 || ioctl(control, VDUSE_DESTROY_DEV, full) ? -errno : 0;
	close(control);
	return ret;
}

static void let_go(struct disk *disk)
{
	while (disk->nregions) {
		struct region *region = &disk->region[--disk->nregions];

		munmap(region->va, region->last - region->start + 1);
	}
}

/* Ask the kernel what is at @iova. */
static struct region *fetch(struct disk *disk, __u64 iova)
{
	struct vduse_iotlb_entry entry = { .start = iova, .last = iova };
	struct region *region = &disk->region[disk->nregions];
	int fd, prot;

	if (disk->nregions == MAX_REGIONS)
		return NULL;
	fd = ioctl(disk->fd, VDUSE_IOTLB_GET_FD, &entry);
	if (fd < 0)
		return NULL;
	prot = (entry.perm & VDUSE_ACCESS_RO ? PROT_READ : 0) |
	       (entry.perm & VDUSE_ACCESS_WO ? PROT_WRITE : 0);
	region->start = entry.start;
	region->last = entry.last;
	region->perm = entry.perm;
	region->va = mmap(NULL, entry.last - entry.start + 1, prot, MAP_SHARED, fd,
			  entry.offset);
	close(fd);
	if (region->va == MAP_FAILED)
		return NULL;
	disk->nregions++;
	return region;
}

static void *translate(struct disk *disk, __u64 iova, __u64 length, bool write)
{
	__u8 perm = write ? VDUSE_ACCESS_WO : VDUSE_ACCESS_RO;
	struct region *region = disk->region;
	unsigned int i;

	for (i = 0; i < disk->nregions; i++, region++)
		if (region->start <= iova && iova <= region->last)
			break;
	if (i == disk->nregions)
		region = fetch(disk, iova);
	if (!region || length - 1 > region->last - iova || !(region->perm & perm))
		return NULL;
	return region->va + (iova - region->start);
}

/* Move the data of a request; the first part is the header, the last the status. */
static __u8 transfer(struct disk *disk, const struct virtio_blk_outhdr *header,
		     const struct vring_desc *desc, unsigned int n)
{
	__u64 at = header->sector * 512;
	bool in = header->type == VIRTIO_BLK_T_IN;

	for (; n; n--, desc++) {
		void *va = translate(disk, desc->addr, desc->len, in);

		if (!va || at + desc->len > DISK_SIZE)
			return VIRTIO_BLK_S_IOERR;
		memcpy(in ? va : disk->data + at, in ? disk->data + at : va, desc->len);
		at += desc->len;
	}
	return VIRTIO_BLK_S_OK;
}

static unsigned int read_chain(const struct vring_desc *table, unsigned int head,
			       struct vring_desc *out)
{
	unsigned int n = 0;

	for (;; head = out[n - 1].next) {
		out[n++] = table[head];
		if (!(out[n - 1].flags & VRING_DESC_F_NEXT) || n == MAX_PARTS)
			return n;
	}
}

static bool serve(struct disk *disk, const struct vring_desc *table, unsigned int head)
{
	struct vring_desc part[MAX_PARTS];
	unsigned int n = read_chain(table, head, part);
	struct virtio_blk_outhdr *header;
	__u8 *status;

	header = translate(disk, part[0].addr, sizeof(*header), false);
	status = translate(disk, part[n - 1].addr, 1, true);
	if (!header || !status || n < 2)
		return false;
	*status = transfer(disk, header, part + 1, n - 2);
	return true;
}

static void run_queue(struct disk *disk)
{
	unsigned int num = disk->info.num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	__u32 index = 0;

	for (;;) {
		desc = translate(disk, disk->info.desc_addr, num * sizeof(*desc), false);
		avail = translate(disk, disk->info.driver_addr, 4 + 2 * num, false);
		used = translate(disk, disk->info.device_addr, 4 + 8 * num, true);
		if (!desc || !avail || !used ||
		    __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE) == disk->seen)
			return;
		if (!serve(disk, desc, avail->ring[disk->seen % num]))
			return;
		used->ring[used->idx % num].id = avail->ring[disk->seen++ % num];
		__atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_RELEASE);
		ioctl(disk->fd, VDUSE_VQ_INJECT_IRQ, &index);
	}
}

static void set_status(struct disk *disk, __u8 status)
{
	struct vduse_vq_eventfd kick = { .index = 0, .fd = disk->kick };

	if (!status) {
		disk->running = false;
		let_go(disk);
	} else if (status & VIRTIO_CONFIG_S_DRIVER_OK && !disk->running) {
		disk->info.index = 0;
		if (ioctl(disk->fd, VDUSE_VQ_GET_INFO, &disk->info) ||
		    ioctl(disk->fd, VDUSE_VQ_SETUP_KICKFD, &kick))
			fatal("VDUSE queue: %m");
		disk->seen = disk->info.split.avail_index;
		disk->running = disk->info.ready;
	}
}

static void answer(struct disk *disk)
{
	struct vduse_dev_response reply = { .result = VDUSE_REQ_RESULT_OK };
	struct vduse_dev_request request;

	if (read(disk->fd, &request, sizeof(request)) != sizeof(request))
		return;
	reply.request_id = request.request_id;
	switch (request.type) {
	case VDUSE_GET_VQ_STATE:
		reply.vq_state.index = request.vq_state.index;
		reply.vq_state.split.avail_index = disk->seen;
		break;
	case VDUSE_SET_STATUS:
		set_status(disk, request.s.status);
		break;
	case VDUSE_UPDATE_IOTLB:
		if (disk->manners != VDUSE_KEEPING)
			let_go(disk);
		if (disk->manners == VDUSE_REFUSING)
			reply.result = VDUSE_REQ_RESULT_FAILED;
		break;
	}
	if (write(disk->fd, &reply, sizeof(reply)) != sizeof(reply))
		fatal("VDUSE reply: %m");
}

static bool obey(struct disk *disk, int sock)
{
	char manners;

	if (recv(sock, &manners, 1, 0) != 1)
		return false;
	disk->manners = manners;
	send_go(sock);
	return true;
}

static int create_disk(const char *name)
{
	struct {
		struct vduse_dev_config device;
		struct virtio_blk_config blk;
	} config = {
		.device = {
			.device_id = VIRTIO_ID_BLOCK,
			.features = 1ULL << VIRTIO_F_ACCESS_PLATFORM |
				    1ULL << VIRTIO_F_VERSION_1,
			.vq_num = 1,
			.vq_align = 4096,
		},
		.blk = { .capacity = DISK_SIZE / 512 },
	};

	return must(__vduse_create(name, &config, sizeof(config)));
}

static int play(int sock, void *name)
{
	struct disk disk = { .manners = VDUSE_HONEST };
	__u64 kicks;

	disk.fd = create_disk(name);
	disk.kick = must(eventfd(0, EFD_CLOEXEC));
	disk.data = alloc_pages(DISK_SIZE);
	send_go(sock);
	for (;;) {
		struct pollfd on[] = {
			{ .fd = sock, .events = POLLIN },
			{ .fd = disk.fd, .events = POLLIN },
			{ .fd = disk.kick, .events = POLLIN },
		};

		poll(on, ARRAY_LEN(on), -1);
		if (on[0].revents && !obey(&disk, sock))
			return 0;
		if (on[1].revents & POLLIN)
			answer(&disk);
		if (on[2].revents && read(disk.kick, &kicks, sizeof(kicks)) > 0 && disk.running)
			run_queue(&disk);
	}
}

void vduse_disk_start(struct child *disk, const char *name)
{
	child_start(disk, play, (void *)name);
	if (!wait_go(disk->sock))
		fatal("the VDUSE disk does not start");
}

void vduse_disk_set(struct child *disk, enum vduse_manners manners)
{
	char byte = manners;

	if (send(disk->sock, &byte, 1, MSG_NOSIGNAL) != 1 || !wait_go(disk->sock))
		fatal("the VDUSE disk is gone");
}

void vduse_disk_end(struct child *disk, const char *name)
{
	shutdown(disk->sock, SHUT_WR);
	child_wait(disk);
	__vduse_destroy(name);
}
