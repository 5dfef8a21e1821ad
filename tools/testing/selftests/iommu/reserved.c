// SPDX-License-Identifier: GPL-2.0
/*
 * Where a device can not reach memory, because writes there are interrupts: debugfs and the
 * kernel log name the device when something is in the way.
 */
#include <string.h>
#include <unistd.h>

#include "context_info.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "vfio.h"

#define MSI_WINDOW 0xfee00000ULL

FIXTURE(reserved)
{
	struct pci_list edu;
	struct vdev dev;
	int fd;
	__u32 ioas;
	char *mem;
	/* How messages call the device */
	char name[64];
};

FIXTURE_SETUP(reserved)
{
	self->dev.fd = -1;
	pci_find(ID_EDU, &self->edu);
	if (!self->edu.n)
		SKIP(return, "no edu device");
	pci_bind(self->edu.bdf[0], "vfio-pci");
	self->fd = iommufd_open();
	self->ioas = ioas_alloc(self->fd);
	self->mem = alloc_pages(PAGE);
	vdev_start(&self->dev, self->edu.bdf[0], self->fd);
	snprintf(self->name, sizeof(self->name), "device %u (%s)", self->dev.id,
		 self->edu.bdf[0]);
}

FIXTURE_TEARDOWN(reserved)
{
	vdev_close(&self->dev);
	close(self->fd);
}

TEST_F(reserved, debugfs_names_the_device)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%u 0xfee00000-0xfeefffff %s\n", self->ioas, self->name);
	EXPECT_EQ(NULL, strstr(context_debugfs(self->fd, "reserved"), line));
	vdev_attach(&self->dev, self->ioas);
	EXPECT_NE(NULL, strstr(context_debugfs(self->fd, "reserved"), line));
	vdev_detach(&self->dev);
	EXPECT_EQ(NULL, strstr(context_debugfs(self->fd, "reserved"), line));
}

TEST_F(reserved, log_names_the_device_that_a_mapping_hits)
{
	char owner[128];

	vdev_attach(&self->dev, self->ioas);
	snprintf(owner, sizeof(owner), "0xfee00000-0xfeefffff is reserved by %s", self->name);
	EXPECT_TRUE(klog_says(EXPECT_EQ(-EINVAL, __ioas_map_at(self->fd, self->ioas, self->mem,
							       PAGE, MSI_WINDOW)),
			      "IOVA 0xfee00000-0xfee00fff can not be mapped", owner));
}

TEST_F(reserved, log_names_the_device_that_can_not_be_attached)
{
	char wanted[128];
	__u32 pt;

	ioas_map_at(self->fd, self->ioas, self->mem, PAGE, MSI_WINDOW + PAGE);
	snprintf(wanted, sizeof(wanted), "IOVA 0xfee00000-0xfeefffff must be free for %s",
		 self->name);
	EXPECT_TRUE(klog_says(({
			pt = self->ioas;
			EXPECT_EQ(-EADDRINUSE, __vdev_attach(&self->dev, &pt));
		}), wanted, "there is a mapping"));
}

TEST_HARNESS_MAIN
