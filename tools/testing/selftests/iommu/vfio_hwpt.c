// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables that are asked for, on an IOMMU and a device as there are: what they can,
 * what is refused because it is not there, and what the IOMMU says of itself.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "pci.h"
#include "vfio.h"

#define IOVA 0x100000

FIXTURE(hwpt) {
	int iommufd;
	__u32 ioas;
	struct vdev dev;
	char *page;
};

FIXTURE_SETUP(hwpt)
{
	struct pci_list edu;

	self->dev.fd = -1;
	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	self->page = alloc_pages(PAGE);
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
}

FIXTURE_TEARDOWN(hwpt)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

static int __alloc(const FIXTURE_DATA(hwpt) *self, __u32 flags, __u32 *id)
{
	return __hwpt_alloc(self->iommufd, self->dev.id, self->ioas, flags, id);
}

/* Does the device copy between the two halves of the page? */
static bool moves(FIXTURE_DATA(hwpt) *self)
{
	memset(self->page, 0x5a, 1024);
	memset(self->page + 2048, 0, 1024);
	edu_copy(&self->dev, IOVA, IOVA + 2048, 1024);
	return !memcmp(self->page, self->page + 2048, 1024);
}

TEST_F(hwpt, translates_and_stays)
{
	__u32 first, second;

	/* One that is made before there is anything to map, and one after. */
	ASSERT_EQ(0, __alloc(self, 0, &first));
	ioas_map_at(self->iommufd, self->ioas, self->page, PAGE, IOVA);
	ASSERT_EQ(0, __alloc(self, 0, &second));
	EXPECT_NE(first, second);
	EXPECT_EQ(first, vdev_attach(&self->dev, first));
	EXPECT_TRUE(moves(self));
	EXPECT_EQ(second, vdev_attach(&self->dev, second));
	EXPECT_TRUE(moves(self));
	/* The IOAS has none of its own yet, and does not take one of these. */
	EXPECT_NE(second, vdev_attach(&self->dev, self->ioas));
	EXPECT_TRUE(moves(self));
	vdev_detach(&self->dev);
	EXPECT_EQ(0, __destroy(self->iommufd, first));
	EXPECT_EQ(0, __destroy(self->iommufd, second));
}

TEST_F(hwpt, what_the_iommu_can_not_do)
{
	struct iommu_hw_info info;
	__u32 id;

	EXPECT_EQ(-EOPNOTSUPP, __alloc(self, IOMMU_HWPT_ALLOC_NEST_PARENT, &id));
	EXPECT_EQ(-EOPNOTSUPP, __alloc(self, IOMMU_HWPT_ALLOC_NEST_PARENT |
					     IOMMU_HWPT_ALLOC_PASID, &id));
	must(__hw_info(self->iommufd, self->dev.id, NULL, 0, &info));
	if (!(info.out_capabilities & IOMMU_HW_CAP_DIRTY_TRACKING))
		EXPECT_EQ(-EOPNOTSUPP, __alloc(self, IOMMU_HWPT_ALLOC_DIRTY_TRACKING, &id));
	EXPECT_EQ(0, __destroy(self->iommufd, self->ioas));
}

/* The device has no page request interface. */
TEST_F(hwpt, device_without_page_requests)
{
	struct iommu_hwpt_alloc cmd = {
		.size = sizeof(cmd),
		.flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = self->dev.id,
		.pt_id = self->ioas,
	};
	int queue = must(__fault_alloc(self->iommufd, &cmd.fault_id));
	__u32 pt;

	ASSERT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_HWPT_ALLOC, &cmd));
	pt = cmd.out_hwpt_id;
	EXPECT_EQ(-ENODEV, __vdev_attach(&self->dev, &pt));
	/* Nor can it be moved there, and it stays where it is. */
	ioas_map_at(self->iommufd, self->ioas, self->page, PAGE, IOVA);
	vdev_attach(&self->dev, self->ioas);
	pt = cmd.out_hwpt_id;
	EXPECT_EQ(-ENODEV, __vdev_attach(&self->dev, &pt));
	EXPECT_TRUE(moves(self));
	EXPECT_EQ(0, __destroy(self->iommufd, cmd.out_hwpt_id));
	close(queue);
	EXPECT_EQ(0, __destroy(self->iommufd, cmd.fault_id));
}

/* A register as VT-d's driver shows it of the IOMMU of the device */
static __u64 vtd_register(const struct vdev *dev, const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu/intel-iommu/%s",
		 dev->bdf, name);
	must(__read_text(path, text, sizeof(text)));
	return strtoull(text, NULL, 16);
}

static int info_of_type(int fd, __u32 dev, __u32 type, struct iommu_hw_info *info)
{
	*info = (struct iommu_hw_info){
		.size = sizeof(*info),
		.flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
		.dev_id = dev,
		.in_data_type = type,
	};
	return __iommufd_ioctl(fd, IOMMU_GET_HW_INFO, info);
}

TEST_F(hwpt, vtd_tells_its_registers)
{
	struct {
		struct iommu_hw_info_vtd vtd;
		__u64 more;
	} data;
	struct iommu_hw_info info;

	memset(&data, 0xff, sizeof(data));
	must(__hw_info(self->iommufd, self->dev.id, &data, sizeof(data), &info));
	ASSERT_EQ(IOMMU_HW_INFO_TYPE_INTEL_VTD, info.out_data_type);
	EXPECT_EQ(sizeof(data.vtd), info.data_len);
	EXPECT_EQ(vtd_register(&self->dev, "cap"), data.vtd.cap_reg);
	EXPECT_EQ(vtd_register(&self->dev, "ecap"), data.vtd.ecap_reg);
	EXPECT_EQ(0, data.vtd.flags & ~IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17);
	EXPECT_EQ(0, data.vtd.__reserved);
	EXPECT_EQ(0, data.more);
	EXPECT_EQ(0, info.out_max_pasid_log2);
	EXPECT_EQ(0, info.out_capabilities & (IOMMU_HW_CAP_PCI_PASID_EXEC |
					      IOMMU_HW_CAP_PCI_PASID_PRIV));

	/* As much as there is room for */
	memset(&data, 0xff, sizeof(data));
	must(__hw_info(self->iommufd, self->dev.id, &data, 16, &info));
	EXPECT_EQ(sizeof(data.vtd), info.data_len);
	EXPECT_EQ(vtd_register(&self->dev, "cap"), data.vtd.cap_reg);
	EXPECT_EQ(~0ULL, data.vtd.ecap_reg);

	EXPECT_EQ(0, info_of_type(self->iommufd, self->dev.id,
				  IOMMU_HW_INFO_TYPE_INTEL_VTD, &info));
	EXPECT_EQ(sizeof(data.vtd), info.data_len);
	EXPECT_EQ(-EOPNOTSUPP, info_of_type(self->iommufd, self->dev.id,
					    IOMMU_HW_INFO_TYPE_ARM_SMMUV3, &info));
}

TEST_HARNESS_MAIN
