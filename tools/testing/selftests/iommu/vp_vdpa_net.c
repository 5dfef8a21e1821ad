// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA network card behind the IOMMU, a virtio PCI card on vp_vdpa, in an address space
 * of /dev/iommu. Its network has somebody who answers to ARP.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "pci.h"
#include "vdpa.h"
#include "vqueue.h"

#define NAME "card1"
#define TX_RING 0x10000ULL
#define RX_RING 0x20000ULL
#define SENT 0x30000ULL
#define RECEIVED 0x40000ULL
#define HEADER sizeof(struct virtio_net_hdr_v1)
#define FRAME 60

/* The queues, as virtio numbers them */
enum { RX, TX };

FIXTURE(vp_vdpa_net)
{
	bdf_t bdf;
	int fd, iommufd;
	__u32 ioas;
	struct vqueue vq[2];
	char *page[2], *sent, *received;
	long pinned;
};

FIXTURE_SETUP(vp_vdpa_net)
{
	struct pci_list cards;

	self->fd = -1;
	self->iommufd = -1;
	pci_find(ID_VIRTIO_NET, &cards);
	if (!cards.n || access("/sys/bus/pci/drivers/vp-vdpa", F_OK))
		SKIP(return, "no virtio network card, or no vp_vdpa");
	memcpy(self->bdf, cards.bdf[0], sizeof(self->bdf));
	pci_bind(self->bdf, "vp-vdpa");
	/* A test that ended early may have left it behind. */
	__vdpa_del(NAME);
	must(__vdpa_add("pci", self->bdf, NAME));
	self->pinned = pinned_pages();
	self->page[RX] = alloc_pages(PAGE);
	self->page[TX] = alloc_pages(PAGE);
	self->sent = alloc_pages(PAGE);
	self->received = alloc_pages(PAGE);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->ioas, self->page[RX], PAGE, RX_RING);
	ioas_map_at(self->iommufd, self->ioas, self->page[TX], PAGE, TX_RING);
	ioas_map_at(self->iommufd, self->ioas, self->sent, PAGE, SENT);
	ioas_map_at(self->iommufd, self->ioas, self->received, PAGE, RECEIVED);
	self->fd = vdpa_open(NAME);
}

FIXTURE_TEARDOWN(vp_vdpa_net)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->iommufd >= 0)
		close(self->iommufd);
	/* Fails where the test has removed it already. */
	__vdpa_del(NAME);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

static void start_card(struct vqueue *vq, int fd, char **page)
{
	virtio_begin(fd, 0);
	vqueue_setup(&vq[RX], fd, RX, page[RX], RX_RING);
	vqueue_setup(&vq[TX], fd, TX, page[TX], TX_RING);
	virtio_start(fd);
}

#define attach_and_start()						\
	do {								\
		vdpa_attach(self->fd, self->iommufd, 0, self->ioas);	\
		start_card(self->vq, self->fd, self->page);		\
	} while (0)

/* Who has 10.0.2.2? Tell 10.0.2.15. */
static void ask(struct vqueue *vq, char *sent)
{
	static const char request[] =
		"\xff\xff\xff\xff\xff\xff\x52\x54\x00\x00\x06\x00\x08\x06"
		"\x00\x01\x08\x00\x06\x04\x00\x01"
		"\x52\x54\x00\x00\x06\x00\x0a\x00\x02\x0f"
		"\x00\x00\x00\x00\x00\x00\x0a\x00\x02\x02";
	struct vpart out = { SENT, HEADER + FRAME, false };

	memset(sent, 0, HEADER + FRAME);
	memcpy(sent + HEADER, request, sizeof(request) - 1);
	vqueue_submit(vq, &out, 1);
}

static bool is_answer(const char *frame)
{
	return !memcmp(frame + 12, "\x08\x06", 2) && !memcmp(frame + 20, "\x00\x02", 2) &&
	       !memcmp(frame + 28, "\x0a\x00\x02\x02", 4);
}

/* Ask, and wait for the answer; other frames may come in between. */
static int __card_works(struct vqueue *vq, char *sent, char *received)
{
	struct vpart in = { RECEIVED, PAGE, true };
	int tries, ret;

	memset(received, 0, PAGE);
	vqueue_submit(&vq[RX], &in, 1);
	ask(&vq[TX], sent);
	ret = __vqueue_wait(&vq[TX], 2000);
	for (tries = 0; !ret && tries < 8; tries++) {
		ret = __vqueue_wait(&vq[RX], 2000);
		if (ret || is_answer(received + HEADER))
			return ret;
		vqueue_submit(&vq[RX], &in, 1);
	}
	return ret ?: -EBADMSG;
}

#define card_works() __card_works(self->vq, self->sent, self->received)

TEST_F(vp_vdpa_net, frames_through_an_ioas)
{
	attach_and_start();
	EXPECT_EQ(0, card_works());
	EXPECT_EQ(0, card_works());
	EXPECT_EQ(self->pinned + 4, pinned_pages());
}

TEST_F(vp_vdpa_net, unmapped_memory_is_not_touched)
{
	struct vpart in = { RECEIVED, PAGE, true };
	long faults;

	attach_and_start();
	EXPECT_EQ(0, card_works());
	must(__ioas_unmap(self->iommufd, self->ioas, RECEIVED, PAGE));
	memset(self->received, 'x', PAGE);
	faults = fault_count();
	faults_expected(true);
	vqueue_submit(&self->vq[RX], &in, 1);
	ask(&self->vq[TX], self->sent);
	EXPECT_TRUE(fault_seen(faults));
	faults_expected(false);
	EXPECT_TRUE(is_filled(self->received, PAGE, 'x'));
}

TEST_F(vp_vdpa_net, the_virtio_driver_can_have_it_afterwards)
{
	char path[128];
	glob_t found;

	attach_and_start();
	EXPECT_EQ(0, card_works());
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(0, __vdpa_del(NAME));
	pci_bind(self->bdf, "virtio-pci");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtio*/net/*", self->bdf);
	EXPECT_EQ(0, glob(path, 0, NULL, &found));
	globfree(&found);
}

TEST_HARNESS_MAIN
