// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "iommufd.h"
#include "pci.h"
#include "subject.h"

/* With the device open, as it is by the other way too: to close it takes time. */
static int type1_setup(struct subject *subject, const char *bdf)
{
	int ret = __type1_open(&subject->type1, __pci_group(bdf));

	if (ret)
		return ret;
	subject->device = ioctl(subject->type1.group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return subject->device < 0 ? -errno : 0;
}

static int type1_map(struct subject *subject, const struct memory *memory)
{
	return __type1_map(&subject->type1, memory->va, memory->length, SUBJECT_IOVA);
}

static long type1_unmap(struct subject *subject, const struct memory *memory)
{
	return __type1_unmap(&subject->type1, SUBJECT_IOVA, memory->length);
}

static void type1_teardown(struct subject *subject)
{
	close(subject->device);
	type1_close(&subject->type1);
}

/* The device has no need to do DMA, and what it is nobody knows. */
static int iommufd_setup(struct subject *subject, const char *bdf)
{
	subject->iommufd = iommufd_open();
	subject->ioas = ioas_alloc(subject->iommufd);
	must(__vdev_open(&subject->dev, bdf));
	must(__vdev_bind(&subject->dev, subject->iommufd));
	vdev_attach(&subject->dev, subject->ioas);
	return 0;
}

static int iommufd_map(struct subject *subject, const struct memory *memory)
{
	return __ioas_map_at(subject->iommufd, subject->ioas, memory->va, memory->length,
			     SUBJECT_IOVA);
}

static int file_map(struct subject *subject, const struct memory *memory)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = MAP_FIXED_RW, .ioas_id = subject->ioas,
		.fd = memory->fd, .length = memory->length, .iova = SUBJECT_IOVA,
	};

	return __iommufd_ioctl(subject->iommufd, IOMMU_IOAS_MAP_FILE, &map);
}

static long iommufd_unmap(struct subject *subject, const struct memory *memory)
{
	return __ioas_unmap(subject->iommufd, subject->ioas, SUBJECT_IOVA, memory->length);
}

static void iommufd_teardown(struct subject *subject)
{
	vdev_close(&subject->dev);
	close(subject->iommufd);
}

struct subject subject_type1 = {
	.open = type1_setup,
	.map = type1_map,
	.unmap = type1_unmap,
	.close = type1_teardown,
};

struct subject subject_iommufd = {
	.open = iommufd_setup,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.close = iommufd_teardown,
	.dev.fd = -1,
};

struct subject subject_file = {
	.open = iommufd_setup,
	.map = file_map,
	.unmap = iommufd_unmap,
	.close = iommufd_teardown,
	.dev.fd = -1,
};
