// SPDX-License-Identifier: GPL-2.0
/*
 * Devices behind IOMMUs of two kinds in one context: a card that VFIO has, and a mock
 * device. They can share an IOAS and nothing that is made for one of the two.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "mock.h"
#include "pci.h"
#include "vfio.h"
#include "viommu.h"

FIXTURE(two) {
	int fd;
	__u32 ioas;
	struct vdev card;
	struct mock_guest guest;
	char *page;
};

FIXTURE_SETUP(two)
{
	struct pci_list edu;

	self->card.fd = -1;
	self->fd = mock_open();
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	self->ioas = ioas_alloc(self->fd);
	self->page = alloc_pages(PAGE);
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->card, edu.bdf[0], self->fd);
	self->guest = mock_guest(self->fd, self->ioas);
}

FIXTURE_TEARDOWN(two)
{
	vdev_close(&self->card);
	close(self->fd);
}

/* Does the card copy between the two halves of the page? */
static bool moves(FIXTURE_DATA(two) *self)
{
	memset(self->page, 0x5a, 1024);
	memset(self->page + 2048, 0, 1024);
	edu_copy(&self->card, MOCK_IOVA, MOCK_IOVA + 2048, 1024);
	return !memcmp(self->page, self->page + 2048, 1024);
}

/* Each has the page table that suits it, and they map the same. */
TEST_F(two, share_an_ioas)
{
	__u32 hwpt;

	ioas_map_at(self->fd, self->ioas, self->page, PAGE, MOCK_IOVA);
	hwpt = vdev_attach(&self->card, self->ioas);
	EXPECT_NE(self->guest.dev.hwpt, hwpt);
	EXPECT_TRUE(moves(self));
	EXPECT_EQ(0, __mock_check_map(self->fd, self->guest.dev.hwpt, self->page, PAGE,
				      MOCK_IOVA));
	EXPECT_EQ(0, __mock_check_refs(self->fd, self->page, PAGE, 1));
}

TEST_F(two, page_table_of_the_other)
{
	__u32 of_card, of_mock, pt;

	ioas_map_at(self->fd, self->ioas, self->page, PAGE, MOCK_IOVA);
	must(__hwpt_alloc(self->fd, self->card.id, self->ioas, 0, &of_card));
	must(__hwpt_alloc(self->fd, self->guest.dev.idev, self->ioas, 0, &of_mock));
	pt = of_mock;
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->card, &pt));
	pt = of_card;
	EXPECT_EQ(-EINVAL, __mock_device(self->fd, pt, 0, &(struct mock_device){ }));

	/* And where they already have one */
	vdev_attach(&self->card, of_card);
	pt = of_mock;
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->card, &pt));
	EXPECT_TRUE(moves(self));
	pt = of_card;
	EXPECT_EQ(-EINVAL, __mock_replace(self->fd, self->guest.dev.stdev, &pt));
	EXPECT_EQ(0, __destroy(self->fd, of_mock));
	vdev_detach(&self->card);
	EXPECT_EQ(0, __destroy(self->fd, of_card));
}

/* A guest's page tables are of the same IOMMU as what they go through. */
TEST_F(two, nested_on_the_other)
{
	__u32 plain, id;

	EXPECT_EQ(-EINVAL, __nested_alloc(self->fd, self->card.id, self->guest.parent, 0, 0,
					  &id));
	EXPECT_EQ(-EINVAL, __nested_alloc(self->fd, self->card.id, self->guest.viommu, 0, 0,
					  &id));
	must(__hwpt_alloc(self->fd, self->card.id, self->ioas, 0, &plain));
	EXPECT_EQ(-EINVAL, __nested_alloc(self->fd, self->guest.dev.idev, plain, 0, 0, &id));
}

TEST_F(two, guest_with_the_other)
{
	__u32 plain, id;

	EXPECT_EQ(-EINVAL, __vdevice_alloc(self->fd, self->guest.viommu, self->card.id, 1,
					   &id));
	must(__hwpt_alloc(self->fd, self->card.id, self->ioas, 0, &plain));
	EXPECT_EQ(-EINVAL, __viommu_alloc(self->fd, self->guest.dev.idev, plain, NULL, 0, &id));
	/* This driver has none. */
	EXPECT_EQ(-EOPNOTSUPP, __viommu_alloc(self->fd, self->card.id, self->guest.parent, NULL,
					      0, &id));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.viommu));
	EXPECT_EQ(0, __destroy(self->fd, self->guest.parent));
}

TEST_HARNESS_MAIN
