// SPDX-License-Identifier: GPL-2.0
/*
 * Where the IOMMU does not remap interrupts a device can send any interrupt by writing to
 * memory. Whoever owns it could do so, therefore nobody gets it, unless the administrator
 * says that this is all right.
 */
#include <string.h>
#include <unistd.h>

#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vdpa.h"
#include "vfio.h"

#define ALLOW "/sys/module/iommufd/parameters/allow_unsafe_interrupts"
#define NAME "disk3"

FIXTURE(unsafe_interrupts)
{
	int iommufd;
};

/* Remapped ones have names of their own, such as IR-IO-APIC. */
static bool are_remapped(void)
{
	static char interrupts[65536];

	must(__read_text("/proc/interrupts", interrupts, sizeof(interrupts)));
	return strstr(interrupts, " IR-");
}

FIXTURE_SETUP(unsafe_interrupts)
{
	if (are_remapped())
		SKIP(return, "interrupts are remapped here");
	self->iommufd = iommufd_open();
}

FIXTURE_TEARDOWN(unsafe_interrupts)
{
	EXPECT_EQ(0, __write_text(ALLOW, "N"));
	close(self->iommufd);
}

TEST_F(unsafe_interrupts, a_device_of_VFIO)
{
	struct pci_list edu;
	struct vdev dev;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	must(__vdev_open(&dev, edu.bdf[0]));
	EXPECT_TRUE(klog_says(EXPECT_EQ(-EPERM, __vdev_bind(&dev, self->iommufd)),
			      edu.bdf[0], "interrupts are not remapped"));
	ASSERT_EQ(0, __write_text(ALLOW, "Y"));
	EXPECT_EQ(0, __vdev_bind(&dev, self->iommufd));
	vdev_close(&dev);
}

TEST_F(unsafe_interrupts, a_device_of_vDPA)
{
	__u32 ioas = ioas_alloc(self->iommufd), pt = ioas;
	bdf_t disk;
	int fd;

	if (__vdpa_add_disk(NAME, disk))
		SKIP(return, "no virtio disk, or no vp_vdpa");
	fd = vdpa_open(NAME);
	EXPECT_TRUE(klog_says(EXPECT_EQ(-EPERM, __vdpa_attach(fd, self->iommufd, 0, &pt)),
			      disk, "interrupts are not remapped"));
	ASSERT_EQ(0, __write_text(ALLOW, "Y"));
	pt = ioas;
	EXPECT_LT(0, __vdpa_attach(fd, self->iommufd, 0, &pt));
	close(fd);
	EXPECT_EQ(0, __vdpa_del(NAME));
}

TEST_HARNESS_MAIN
