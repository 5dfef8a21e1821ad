// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA network card with two address spaces (vdpa_sim_net): its data queues in one IOAS,
 * its control queue in another. It sends to itself what it is told to send.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/virtio_net.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vdpa.h"
#include "vqueue.h"

#define NAME "net0"
#define DATA_AS 0
#define CONTROL_AS 1
#define CONTROL_GROUP 1
/* The queues, as virtio numbers them, and where each has its page */
enum { RX, TX, CONTROL };
#define RX_RING 0x10000ULL
#define TX_RING 0x20000ULL
#define CONTROL_RING RX_RING
#define SENT 0x30000ULL
#define RECEIVED 0x40000ULL
#define FRAME 256

FIXTURE(vdpa_net)
{
	int fd, iommufd;
	__u32 data, control;
	struct vqueue vq[3];
	char *page[3], *sent, *received;
	long pinned;
};

FIXTURE_SETUP(vdpa_net)
{
	int i;

	/* A test that ended early may have left it behind. */
	__vdpa_del(NAME);
	if (__vdpa_add(NULL, "vdpasim_net", NAME))
		SKIP(return, "no simulated vDPA network card");
	self->pinned = pinned_pages();
	for (i = 0; i < 3; i++)
		self->page[i] = alloc_pages(PAGE);
	self->sent = alloc_pages(PAGE);
	self->received = alloc_pages(PAGE);
	self->iommufd = iommufd_open();
	self->data = ioas_alloc(self->iommufd);
	self->control = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->data, self->page[RX], PAGE, RX_RING);
	ioas_map_at(self->iommufd, self->data, self->page[TX], PAGE, TX_RING);
	ioas_map_at(self->iommufd, self->data, self->sent, PAGE, SENT);
	ioas_map_at(self->iommufd, self->data, self->received, PAGE, RECEIVED);
	/* The same address, and other memory */
	ioas_map_at(self->iommufd, self->control, self->page[CONTROL], PAGE, CONTROL_RING);
	self->fd = vdpa_open(NAME);
}

FIXTURE_TEARDOWN(vdpa_net)
{
	close(self->fd);
	close(self->iommufd);
	EXPECT_EQ(0, __vdpa_del(NAME));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

static void start_card(struct vqueue *vq, int fd, char **page)
{
	struct vhost_vring_state group = { .index = CONTROL_GROUP, .num = CONTROL_AS };

	if (ioctl(fd, VHOST_VDPA_SET_GROUP_ASID, &group))
		fatal("VHOST_VDPA_SET_GROUP_ASID: %m");
	virtio_begin(fd, 1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR);
	vqueue_setup(&vq[RX], fd, RX, page[RX], RX_RING);
	vqueue_setup(&vq[TX], fd, TX, page[TX], TX_RING);
	vqueue_setup(&vq[CONTROL], fd, CONTROL, page[CONTROL], CONTROL_RING);
	virtio_start(fd);
}

#define start() start_card(self->vq, self->fd, self->page)

/* Sends a frame to everybody, which comes back. */
static int __frame_passes(struct vqueue *vq, char *sent, char *received, char byte)
{
	struct vpart out = { SENT, FRAME, false }, in = { RECEIVED, FRAME, true };
	int ret;

	memset(sent, 0, FRAME);
	memset(sent + sizeof(struct virtio_net_hdr_v1), 0xff, 6);
	memset(sent + 64, byte, FRAME - 64);
	memset(received, 0, PAGE);
	vqueue_submit(&vq[RX], &in, 1);
	vqueue_submit(&vq[TX], &out, 1);
	ret = __vqueue_wait(&vq[TX], 1000) ?: __vqueue_wait(&vq[RX], 1000);
	return ret ?: memcmp(sent, received, FRAME) ? -EBADMSG : 0;
}

#define frame_passes(byte) __frame_passes(self->vq, self->sent, self->received, byte)

/* Has the card take another MAC address. */
static int __control_works(struct vqueue *vq)
{
	struct vpart parts[] = {
		{ CONTROL_RING + 0xe00, 8, false }, { CONTROL_RING + 0xf00, 1, true },
	};
	char *command = vq->page + 0xe00;
	volatile char *status = vq->page + 0xf00;
	int ret;

	command[0] = VIRTIO_NET_CTRL_MAC;
	command[1] = VIRTIO_NET_CTRL_MAC_ADDR_SET;
	memcpy(command + 2, "\x52\x54\x00\x01\x02\x03", 6);
	*status = 0x7f;
	vqueue_submit(vq, parts, ARRAY_LEN(parts));
	ret = __vqueue_wait(vq, 1000);
	return ret ?: *status == VIRTIO_NET_OK ? 0 : -EIO;
}

#define control_works() __control_works(&self->vq[CONTROL])

TEST_F(vdpa_net, each_queue_has_its_own_ioas)
{
	vdpa_attach(self->fd, self->iommufd, DATA_AS, self->data);
	vdpa_attach(self->fd, self->iommufd, CONTROL_AS, self->control);
	EXPECT_EQ(self->pinned + 5, pinned_pages());
	start();
	EXPECT_EQ(0, frame_passes('a'));
	EXPECT_EQ(0, control_works());
}

TEST_F(vdpa_net, an_unmap_concerns_one_of_them)
{
	vdpa_attach(self->fd, self->iommufd, DATA_AS, self->data);
	vdpa_attach(self->fd, self->iommufd, CONTROL_AS, self->control);
	start();
	EXPECT_EQ(0, control_works());
	must(__ioas_unmap(self->iommufd, self->control, CONTROL_RING, PAGE));
	EXPECT_EQ(0, frame_passes('a'));
	EXPECT_EQ(-ETIMEDOUT, control_works());
	EXPECT_EQ(0, frame_passes('b'));
}

TEST_F(vdpa_net, an_address_space_nobody_attached_is_empty)
{
	vdpa_attach(self->fd, self->iommufd, DATA_AS, self->data);
	start();
	EXPECT_EQ(0, frame_passes('a'));
	EXPECT_EQ(-ETIMEDOUT, control_works());
	/* It can be attached while the other is at work. */
	vdpa_attach(self->fd, self->iommufd, CONTROL_AS, self->control);
	EXPECT_EQ(0, frame_passes('b'));
}

TEST_F(vdpa_net, both_in_one_ioas)
{
	ioas_map_at(self->iommufd, self->data, self->page[CONTROL], PAGE, RX_RING + PAGE);
	vdpa_attach(self->fd, self->iommufd, DATA_AS, self->data);
	vdpa_attach(self->fd, self->iommufd, CONTROL_AS, self->data);
	/* Pinned once for the two. */
	EXPECT_EQ(self->pinned + 5, pinned_pages());
	EXPECT_EQ(0, __vdpa_detach(self->fd, DATA_AS));
	EXPECT_EQ(self->pinned + 5, pinned_pages());
	EXPECT_EQ(0, __vdpa_detach(self->fd, CONTROL_AS));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

/* With addresses of the process one kind of mapping would be taken for the other. */
TEST_F(vdpa_net, the_other_address_space_by_messages)
{
	char use_va[4] = "";

	__read_text("/sys/module/vdpa_sim/parameters/use_va", use_va, sizeof(use_va));
	vdpa_attach(self->fd, self->iommufd, DATA_AS, self->data);
	if (use_va[0] == 'Y') {
		EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, CONTROL_AS, self->page[CONTROL],
						    PAGE, CONTROL_RING));
		return;
	}
	EXPECT_EQ(0, __vdpa_legacy_map(self->fd, CONTROL_AS, self->page[CONTROL], PAGE,
				       CONTROL_RING));
	EXPECT_EQ(-EBUSY, __vdpa_attach(self->fd, self->iommufd, CONTROL_AS, &self->control));
	EXPECT_EQ(-EBUSY, __vdpa_legacy_map(self->fd, DATA_AS, self->page[CONTROL], PAGE,
					    MIB(16)));
	start();
	EXPECT_EQ(0, frame_passes('a'));
	EXPECT_EQ(0, control_works());
}

TEST_HARNESS_MAIN
