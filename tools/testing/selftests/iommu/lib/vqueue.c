// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vhost.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include "vqueue.h"

/* Where a request's header and status are, behind the rings */
#define HEADER_OFFSET 0xe00
#define STATUS_OFFSET 0xf00

#define command(fd, cmd, arg) do { if (ioctl(fd, cmd, arg)) fatal(#cmd ": %m"); } while (0)

static void add_status(int fd, __u8 more)
{
	__u8 status;

	command(fd, VHOST_VDPA_GET_STATUS, &status);
	status |= more;
	command(fd, VHOST_VDPA_SET_STATUS, &status);
}

void virtio_begin(int fd, __u64 features)
{
	__u64 offered;

	add_status(fd, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	command(fd, VHOST_GET_FEATURES, &offered);
	features |= 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	features &= offered;
	command(fd, VHOST_SET_FEATURES, &features);
	add_status(fd, VIRTIO_CONFIG_S_FEATURES_OK);
}

void vqueue_setup(struct vqueue *vq, int fd, unsigned int index, void *page, __u64 iova)
{
	struct vhost_vring_state state = { .index = index, .num = VQ_SIZE };
	struct vhost_vring_file file = { .index = index };
	struct vhost_vring_addr addr = { .index = index };

	memset(page, 0, PAGE);
	vring_init(&vq->ring, VQ_SIZE, page, 1024);
	vq->fd = fd;
	vq->index = index;
	vq->page = page;
	vq->iova = iova;
	vq->used = 0;
	vq->kick = must(eventfd(0, EFD_CLOEXEC));
	vq->call = must(eventfd(0, EFD_CLOEXEC));

	command(fd, VHOST_SET_VRING_NUM, &state);
	state.num = 0;
	command(fd, VHOST_SET_VRING_BASE, &state);
	addr.desc_user_addr = iova + ((char *)vq->ring.desc - vq->page);
	addr.avail_user_addr = iova + ((char *)vq->ring.avail - vq->page);
	addr.used_user_addr = iova + ((char *)vq->ring.used - vq->page);
	command(fd, VHOST_SET_VRING_ADDR, &addr);
	file.fd = vq->kick;
	command(fd, VHOST_SET_VRING_KICK, &file);
	file.fd = vq->call;
	command(fd, VHOST_SET_VRING_CALL, &file);
	state.num = 1;
	command(fd, VHOST_VDPA_SET_VRING_ENABLE, &state);
}

void virtio_start(int fd)
{
	add_status(fd, VIRTIO_CONFIG_S_DRIVER_OK);
}

void blk_begin(struct vqueue *vq, int fd, void *page, __u64 iova)
{
	virtio_begin(fd, 0);
	vqueue_setup(vq, fd, 0, page, iova);
	virtio_start(fd);
}

void virtio_reset(int fd)
{
	__u8 status = 0;

	command(fd, VHOST_VDPA_SET_STATUS, &status);
}

void vqueue_free(struct vqueue *vq)
{
	close(vq->kick);
	close(vq->call);
}

void vqueue_submit(struct vqueue *vq, const struct vpart *parts, unsigned int n)
{
	struct vring *ring = &vq->ring;
	__u64 one = 1;
	unsigned int i;

	for (i = 0; i < n; i++) {
		ring->desc[i].addr = parts[i].iova;
		ring->desc[i].len = parts[i].length;
		ring->desc[i].flags = (parts[i].in ? VRING_DESC_F_WRITE : 0) |
				      (i + 1 < n ? VRING_DESC_F_NEXT : 0);
		ring->desc[i].next = i + 1;
	}
	ring->avail->ring[ring->avail->idx % VQ_SIZE] = 0;
	/* The device may look as soon as the index is there. */
	__atomic_store_n(&ring->avail->idx, ring->avail->idx + 1, __ATOMIC_RELEASE);
	if (write(vq->kick, &one, sizeof(one)) != sizeof(one))
		fatal("kick: %m");
}

int __vqueue_wait(struct vqueue *vq, unsigned int ms)
{
	uint64_t end = now_ns() + ms * 1000000ULL;

	while (__atomic_load_n(&vq->ring.used->idx, __ATOMIC_ACQUIRE) == vq->used) {
		if (now_ns() > end)
			return -ETIMEDOUT;
		poll(NULL, 0, 1);
	}
	vq->used++;
	return 0;
}

static void start(struct vqueue *vq, __u32 type, __u64 sector, __u64 iova, __u32 length)
{
	struct virtio_blk_outhdr *header = (void *)(vq->page + HEADER_OFFSET);
	__u8 *status = (__u8 *)vq->page + STATUS_OFFSET;
	struct vpart parts[] = {
		{ vq->iova + HEADER_OFFSET, sizeof(*header), false },
		{ iova, length, type == VIRTIO_BLK_T_IN },
		{ vq->iova + STATUS_OFFSET, 1, true },
	};

	header->type = type;
	header->sector = sector;
	*status = 0xff;
	vqueue_submit(vq, parts, ARRAY_LEN(parts));
}

static int __end(struct vqueue *vq)
{
	int ret = __vqueue_wait(vq, 2000);

	if (ret)
		return ret;
	return *(volatile __u8 *)(vq->page + STATUS_OFFSET) == VIRTIO_BLK_S_OK ? 0 : -EIO;
}

void blk_start_read(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length)
{
	start(vq, VIRTIO_BLK_T_IN, sector, iova, length);
}

int __blk_read(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length)
{
	start(vq, VIRTIO_BLK_T_IN, sector, iova, length);
	return __end(vq);
}

int __blk_write(struct vqueue *vq, __u64 sector, __u64 iova, __u32 length)
{
	start(vq, VIRTIO_BLK_T_OUT, sector, iova, length);
	return __end(vq);
}

int __blk_works(struct vqueue *vq, char *data, __u64 iova, char byte)
{
	int ret;

	memset(data, byte, PAGE);
	memset(data + PAGE, 0, PAGE);
	ret = __blk_write(vq, 8, iova, PAGE);
	if (!ret)
		ret = __blk_read(vq, 8, iova + PAGE, PAGE);
	return ret ?: is_filled(data + PAGE, PAGE, byte) ? 0 : -EBADMSG;
}
