// SPDX-License-Identifier: GPL-2.0
/*
 * A vDPA disk that is taken away while a program has it in an address space of /dev/iommu:
 * it goes when the program closes the file, and works until then.
 *
 * Of the disk behind the IOMMU the claim on the group has to come back as well, for its
 * driver to give it up. Nobody can contest that here: vhost-vdpa opens only devices that
 * are alone in their groups, and no other device comes into one later.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vdpa.h"
#include "vfio.h"
#include "vqueue.h"

#define NAME "disk2"
#define RING 0x10000ULL
#define DATA 0x200000ULL
#define DATA_LENGTH (2 * PAGE)

FIXTURE(removal)
{
	bdf_t bdf;
	int fd, iommufd;
	__u32 ioas;
	struct vqueue vq;
	char *ring, *data;
	long pinned;
	bool card;
};

FIXTURE_VARIANT(removal)
{
	bool card;
	/* The card leaves its driver, instead of the disk leaving the card. */
	bool unbind;
};

FIXTURE_VARIANT_ADD(removal, simulated) {};
FIXTURE_VARIANT_ADD(removal, behind_the_iommu) { .card = true };
FIXTURE_VARIANT_ADD(removal, card_loses_its_driver) { .card = true, .unbind = true };

FIXTURE_SETUP(removal)
{
	self->card = variant->card;
	self->fd = -1;
	self->iommufd = -1;
	if (__vdpa_add_disk(NAME, self->card ? self->bdf : NULL))
		SKIP(return, "no such disk");
	self->pinned = pinned_pages();
	self->ring = alloc_pages(PAGE);
	self->data = alloc_pages(DATA_LENGTH);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->ioas, self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	self->fd = vdpa_open(NAME);
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	blk_begin(&self->vq, self->fd, self->ring, RING);
}

FIXTURE_TEARDOWN(removal)
{
	if (self->fd >= 0)
		close(self->fd);
	if (self->iommufd >= 0)
		close(self->iommufd);
	__vdpa_del(NAME);
}

#define disk_works(byte) __blk_works(&self->vq, self->data, DATA, byte)

struct remover {
	/* Of the card, or NULL: the disk alone goes. */
	const char *bdf;
	bool done;
	int result;
};

static void *remove_disk(void *arg)
{
	struct remover *remover = arg;

	remover->result = remover->bdf ? __pci_unbind(remover->bdf) : __vdpa_del(NAME);
	__atomic_store_n(&remover->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The removal has begun when the file can no longer be found. */
static bool wait_until_gone(void)
{
	int tries, fd;

	for (tries = 0; tries < 1000; tries++) {
		fd = __vdpa_open(NAME);
		if (fd == -ENOENT)
			return true;
		msleep(10);
	}
	return false;
}

TEST_F(removal, waits_for_the_file)
{
	struct remover remover = { .bdf = variant->unbind ? self->bdf : NULL };
	struct vdev vfio;
	pthread_t thread;

	EXPECT_EQ(0, disk_works('a'));
	ASSERT_EQ(0, pthread_create(&thread, NULL, remove_disk, &remover));
	EXPECT_TRUE(wait_until_gone());
	EXPECT_EQ(0, disk_works('b'));
	EXPECT_FALSE(__atomic_load_n(&remover.done, __ATOMIC_ACQUIRE));

	/* All that a program can do with a disk it can do still. */
	EXPECT_EQ(0, __vdpa_detach(self->fd, 0));
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(0, disk_works('c'));
	close(self->fd);
	self->fd = -1;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, remover.result);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	if (!self->card)
		return;

	/* Nobody has kept a claim on the card. */
	pci_bind(self->bdf, "vfio-pci");
	ASSERT_EQ(0, __vdev_open(&vfio, self->bdf));
	EXPECT_EQ(0, __vdev_bind(&vfio, self->iommufd));
	vdev_close(&vfio);
	pci_bind(self->bdf, "virtio-pci");
}

TEST_HARNESS_MAIN
