// SPDX-License-Identifier: GPL-2.0
/*
 * Two conventional PCI cards behind one bridge: the IOMMU sees the bridge's requester ID
 * for both and could not treat them differently if it wanted to.
 */
#include <unistd.h>

#include "kselftest_harness.h"
#include "observe.h"
#include "pair.h"

#define IOVA 0x100000

FIXTURE(shared_rid)
{
	struct pair pair;
	struct vdev a, b;
	int iommufd;
};

FIXTURE_SETUP(shared_rid)
{
	self->a.fd = -1;
	self->b.fd = -1;
	if (!pair_find(&self->pair, ID_E1000))
		SKIP(return, "no two e1000 cards behind one bridge");
	pair_to_vfio(&self->pair);
	self->iommufd = iommufd_open();
}

FIXTURE_TEARDOWN(shared_rid)
{
	vdev_close(&self->a);
	vdev_close(&self->b);
	close(self->iommufd);
}

TEST_F(shared_rid, B1_second_card_can_not_use_another_page_table)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	__u32 other = ioas_alloc(self->iommufd);
	struct ranges before, after;
	__u32 pt, used, again;

	vdev_start(&self->a, self->pair.f0, self->iommufd);
	vdev_start(&self->b, self->pair.f1, self->iommufd);
	used = vdev_attach(&self->a, ioas);
	ASSERT_EQ(0, __ioas_ranges(self->iommufd, other, &before));

	pt = other;
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->b, &pt));
	ASSERT_EQ(0, __ioas_ranges(self->iommufd, other, &after));
	EXPECT_TRUE(ranges_equal(&before, &after));
	EXPECT_TRUE(nic_reaches(&self->a, self->iommufd, ioas, IOVA));
	EXPECT_EQ(0, __destroy(self->iommufd, other));

	again = ioas;
	EXPECT_EQ(0, __vdev_attach(&self->b, &again));
	EXPECT_EQ(used, again);
	EXPECT_TRUE(nic_reaches(&self->b, self->iommufd, ioas, IOVA));
}

TEST_F(shared_rid, B1_replace_moves_both_cards)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	__u32 other = ioas_alloc(self->iommufd);

	vdev_start(&self->a, self->pair.f0, self->iommufd);
	vdev_start(&self->b, self->pair.f1, self->iommufd);
	vdev_attach(&self->a, ioas);
	vdev_attach(&self->b, ioas);
	vdev_attach(&self->b, other);
	EXPECT_TRUE(nic_reaches(&self->a, self->iommufd, other, IOVA));
	EXPECT_TRUE(nic_reaches(&self->b, self->iommufd, other, IOVA));
}

TEST_F(shared_rid, B2_card_on_kernel_driver_blocks_bind_of_the_other)
{
	struct klog log;

	pci_bind(self->pair.f0, self->pair.driver);
	klog_open(&log);
	ASSERT_EQ(0, __vdev_open(&self->b, self->pair.f1));
	EXPECT_EQ(-EPERM, __vdev_bind(&self->b, self->iommufd));
	EXPECT_TRUE(pair_is_blamed(&self->pair, &log));
	klog_close(&log);
	pci_bind(self->pair.f0, "vfio-pci");
	EXPECT_EQ(0, __vdev_bind(&self->b, self->iommufd));
}

TEST_HARNESS_MAIN
