// SPDX-License-Identifier: GPL-2.0
/*
 * One IOAS for a device of VFIO and a vDPA disk: memory is pinned and charged once, and both
 * reach it, whichever way the disk is told of it.
 */
#include <string.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vdpa.h"
#include "vqueue.h"

#define NAME "disk4"
#define RING 0x10000ULL
#define DATA 0x200000ULL
#define DATA_LENGTH (16 * PAGE)

FIXTURE(shared)
{
	int fd, iommufd;
	struct vdev vfio;
	__u32 ioas;
	char *ring, *data;
	long pinned;
};

FIXTURE_VARIANT(shared)
{
	bool card;
};

FIXTURE_VARIANT_ADD(shared, simulated) {};
FIXTURE_VARIANT_ADD(shared, behind_the_iommu) { .card = true };

FIXTURE_SETUP(shared)
{
	struct pci_list edu;
	bdf_t card;

	pci_find(ID_EDU, &edu);
	if (!edu.n || __vdpa_add_disk(NAME, variant->card ? card : NULL))
		SKIP(return, "no edu device, or no such disk");
	self->pinned = pinned_pages();
	self->ring = alloc_pages(PAGE);
	self->data = alloc_pages(DATA_LENGTH);
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	ioas_map_at(self->iommufd, self->ioas, self->ring, PAGE, RING);
	ioas_map_at(self->iommufd, self->ioas, self->data, DATA_LENGTH, DATA);
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->vfio, edu.bdf[0], self->iommufd);
	self->fd = vdpa_open(NAME);
}

FIXTURE_TEARDOWN(shared)
{
	close(self->fd);
	vdev_close(&self->vfio);
	close(self->iommufd);
	EXPECT_EQ(0, __vdpa_del(NAME));
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
}

TEST_F(shared, pinned_once_and_reached_by_both)
{
	long pages = (PAGE + DATA_LENGTH) / PAGE, charged = proc_status_kb(getpid(), "VmPin");
	struct vqueue vq;

	vdev_attach(&self->vfio, self->ioas);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	vdpa_attach(self->fd, self->iommufd, 0, self->ioas);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_EQ(charged + pages * 4, proc_status_kb(getpid(), "VmPin"));

	/* From the disk to memory, and from there by the other device. */
	blk_begin(&vq, self->fd, self->ring, RING);
	EXPECT_EQ(0, __blk_works(&vq, self->data, DATA, 's'));
	edu_copy(&self->vfio, DATA + PAGE, DATA + 3 * PAGE, PAGE);
	EXPECT_TRUE(is_filled(self->data + 3 * PAGE, PAGE, 's'));
	vdev_close(&self->vfio);
	EXPECT_EQ(self->pinned + pages, pinned_pages());
	EXPECT_EQ(0, __blk_works(&vq, self->data, DATA, 't'));
}

TEST_HARNESS_MAIN
