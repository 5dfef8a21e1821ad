// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "vfio.h"

int __vdev_path(const char *bdf, char *path, size_t size)
{
	struct dirent *entry;
	char dirname[128];
	int ret = -ENOENT;
	DIR *dir;

	snprintf(dirname, sizeof(dirname), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(dirname);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4)) {
			snprintf(path, size, "/dev/vfio/devices/%.32s", entry->d_name);
			ret = 0;
		}
	closedir(dir);
	return ret;
}

int __vdev_open(struct vdev *dev, const char *bdf)
{
	char path[64];
	int ret;

	/* @bdf may be that of @dev. */
	memmove(dev->bdf, bdf, strnlen(bdf, BDF_LEN - 1) + 1);
	dev->fd = -1;
	dev->id = 0;
	dev->bar0 = NULL;
	ret = __vdev_path(dev->bdf, path, sizeof(path));
	if (ret)
		return ret;
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	return dev->fd < 0 ? -errno : 0;
}

void vdev_close(struct vdev *dev)
{
	if (dev->bar0)
		munmap((void *)dev->bar0, dev->bar0_size);
	if (dev->fd >= 0)
		close(dev->fd);
	dev->bar0 = NULL;
	dev->fd = -1;
}

int __vdev_bind(struct vdev *dev, int iommufd)
{
	struct vfio_device_bind_iommufd cmd = {
		.argsz = sizeof(cmd),
		.iommufd = iommufd,
	};

	if (ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &cmd))
		return -errno;
	dev->id = cmd.out_devid;
	return 0;
}

int __vdev_attach(struct vdev *dev, __u32 *pt)
{
	struct vfio_device_attach_iommufd_pt cmd = {
		.argsz = sizeof(cmd),
		.pt_id = *pt,
	};

	if (ioctl(dev->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &cmd))
		return -errno;
	*pt = cmd.pt_id;
	return 0;
}

int __vdev_detach(struct vdev *dev)
{
	struct vfio_device_detach_iommufd_pt cmd = { .argsz = sizeof(cmd) };

	return ioctl(dev->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &cmd) ? -errno : 0;
}

static int region(struct vdev *dev, __u32 index, struct vfio_region_info *info)
{
	*info = (struct vfio_region_info){ .argsz = sizeof(*info), .index = index };
	return ioctl(dev->fd, VFIO_DEVICE_GET_REGION_INFO, info) ? -errno : 0;
}

int __vdev_map_bar0(struct vdev *dev)
{
	struct vfio_region_info info;
	int ret = region(dev, VFIO_PCI_BAR0_REGION_INDEX, &info);
	void *bar;

	if (ret)
		return ret;
	bar = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, info.offset);
	if (bar == MAP_FAILED)
		return -errno;
	dev->bar0 = bar;
	dev->bar0_size = info.size;
	return 0;
}

int __vdev_config_read(struct vdev *dev, unsigned int offset, void *data, size_t size)
{
	struct vfio_region_info info;
	int ret = region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret)
		return ret;
	return pread(dev->fd, data, size, info.offset + offset) == (ssize_t)size ? 0 : -EIO;
}

int __vdev_config_write(struct vdev *dev, unsigned int offset, const void *data, size_t size)
{
	struct vfio_region_info info;
	int ret = region(dev, VFIO_PCI_CONFIG_REGION_INDEX, &info);

	if (ret)
		return ret;
	return pwrite(dev->fd, data, size, info.offset + offset) == (ssize_t)size ? 0 : -EIO;
}

static int change_command(struct vdev *dev, __u16 clear, __u16 set)
{
	__u16 command;
	int ret = __vdev_config_read(dev, PCI_COMMAND, &command, sizeof(command));

	if (ret)
		return ret;
	command = (command & ~clear) | set;
	return __vdev_config_write(dev, PCI_COMMAND, &command, sizeof(command));
}

int __vdev_enable_dma(struct vdev *dev, bool on)
{
	return change_command(dev, PCI_COMMAND_MASTER,
			      PCI_COMMAND_MEMORY | (on ? PCI_COMMAND_MASTER : 0));
}

int __vdev_enable_memory(struct vdev *dev, bool on)
{
	return change_command(dev, PCI_COMMAND_MEMORY, on ? PCI_COMMAND_MEMORY : 0);
}

/* Where a capability is in the configuration space. */
static int __find_capability(struct vdev *dev, __u8 id)
{
	__u8 header[2], at;
	int ret;

	ret = __vdev_config_read(dev, PCI_CAPABILITY_LIST, &at, sizeof(at));
	while (!ret && at) {
		ret = __vdev_config_read(dev, at, header, sizeof(header));
		if (!ret && header[PCI_CAP_LIST_ID] == id)
			return at;
		at = header[PCI_CAP_LIST_NEXT];
	}
	return ret ?: -ENOENT;
}

int __vdev_set_power(struct vdev *dev, unsigned int state)
{
	int cap = __find_capability(dev, PCI_CAP_ID_PM);
	__u16 control;
	int ret;

	if (cap < 0)
		return cap;
	ret = __vdev_config_read(dev, cap + PCI_PM_CTRL, &control, sizeof(control));
	if (ret)
		return ret;
	control = (control & ~PCI_PM_CTRL_STATE_MASK) | state;
	return __vdev_config_write(dev, cap + PCI_PM_CTRL, &control, sizeof(control));
}

int __vdev_reset(struct vdev *dev)
{
	return ioctl(dev->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}

int __vdev_hot_reset_info(struct vdev *dev, struct hot_reset *reset)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device device[ARRAY_LEN(reset->device)];
	} cmd = { .head.argsz = sizeof(cmd) };

	if (ioctl(dev->fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &cmd))
		return -errno;
	reset->flags = cmd.head.flags;
	reset->n = cmd.head.count;
	memcpy(reset->device, cmd.device, sizeof(cmd.device));
	return 0;
}

__u32 hot_reset_id(const struct hot_reset *reset, const char *bdf)
{
	char name[BDF_LEN];
	unsigned int i;

	for (i = 0; i < reset->n; i++) {
		const struct vfio_pci_dependent_device *device = &reset->device[i];

		snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", device->segment & 0xffff,
			 device->bus, device->devfn >> 3, device->devfn & 7);
		if (!strcmp(name, bdf))
			return device->devid;
	}
	fatal("a reset does not concern %s", bdf);
}

int __vdev_hot_reset(struct vdev *dev)
{
	struct vfio_pci_hot_reset cmd = { .argsz = sizeof(cmd) };

	if (ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &cmd) && errno != ENOTTY)
		return -errno;
	return 0;
}

void vdev_start(struct vdev *dev, const char *bdf, int iommufd)
{
	must(__vdev_open(dev, bdf));
	must(__vdev_bind(dev, iommufd));
	must(__vdev_map_bar0(dev));
	must(__vdev_enable_dma(dev, true));
}

__u32 vdev_attach(struct vdev *dev, __u32 pt)
{
	must(__vdev_attach(dev, &pt));
	return pt;
}

void vdev_detach(struct vdev *dev)
{
	must(__vdev_detach(dev));
}
