// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vdpa.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "pci.h"
#include "vdpa.h"

static int send_command(struct nl_sock *sock, int cmd, const char *bus, const char *parent,
			const char *name)
{
	int family = genl_ctrl_resolve(sock, VDPA_GENL_NAME);
	struct nl_msg *msg;
	int ret;

	if (family < 0)
		return -ENOENT;
	msg = nlmsg_alloc();
	if (!msg)
		return -ENOMEM;
	genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, NLM_F_ACK, cmd,
		    VDPA_GENL_VERSION);
	if (bus)
		nla_put_string(msg, VDPA_ATTR_MGMTDEV_BUS_NAME, bus);
	if (parent)
		nla_put_string(msg, VDPA_ATTR_MGMTDEV_DEV_NAME, parent);
	nla_put_string(msg, VDPA_ATTR_DEV_NAME, name);
	ret = nl_send_sync(sock, msg);
	if (ret < 0 && cmd == VDPA_CMD_DEV_NEW)
		printf("# vdpa command %d: %s\n", cmd, nl_geterror(ret));
	return ret < 0 ? -EINVAL : 0;
}

static int __command(int cmd, const char *bus, const char *parent, const char *name)
{
	struct nl_sock *sock = nl_socket_alloc();
	int ret = -ENOENT;

	if (!sock)
		return -ENOMEM;
	if (!genl_connect(sock))
		ret = send_command(sock, cmd, bus, parent, name);
	nl_socket_free(sock);
	return ret;
}

int __vdpa_add(const char *bus, const char *parent, const char *name)
{
	return __command(VDPA_CMD_DEV_NEW, bus, parent, name);
}

int __vdpa_add_disk(const char *name, char *bdf)
{
	struct pci_list cards;

	/* A test that ended early may have left it behind. */
	__vdpa_del(name);
	if (!bdf)
		return __vdpa_add(NULL, "vdpasim_blk", name);
	pci_find(ID_VIRTIO_BLK, &cards);
	if (!cards.n || access("/sys/bus/pci/drivers/vp-vdpa", F_OK))
		return -ENODEV;
	memcpy(bdf, cards.bdf[0], BDF_LEN);
	pci_bind(bdf, "vp-vdpa");
	must(__vdpa_add("pci", bdf, name));
	return 0;
}

int __vdpa_del(const char *name)
{
	return __command(VDPA_CMD_DEV_DEL, NULL, NULL, name);
}

int __vdpa_open(const char *name)
{
	char path[300], node[300] = "";
	struct dirent *entry;
	DIR *dir;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s", name);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vhost-vdpa-", 11))
			snprintf(node, sizeof(node), "/dev/%.255s", entry->d_name);
	closedir(dir);
	fd = open(node, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vdpa_open(const char *name)
{
	__u64 features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			 1ULL << VHOST_BACKEND_F_IOTLB_ASID;
	int fd = must(__vdpa_open(name));

	if (ioctl(fd, VHOST_SET_OWNER) || ioctl(fd, VHOST_SET_BACKEND_FEATURES, &features))
		fatal("%s: %m", name);
	return fd;
}

int __vdpa_attach(int fd, int iommufd, __u32 asid, __u32 *pt)
{
	struct vhost_vdpa_iommufd_attach cmd = {
		.argsz = sizeof(cmd),
		.iommufd = iommufd,
		.asid = asid,
		.pt_id = *pt,
	};

	if (ioctl(fd, VHOST_VDPA_IOMMUFD_ATTACH, &cmd))
		return -errno;
	*pt = cmd.pt_id;
	return cmd.out_dev_id;
}

void vdpa_attach(int fd, int iommufd, __u32 asid, __u32 pt)
{
	must(__vdpa_attach(fd, iommufd, asid, &pt));
}

int __vdpa_detach(int fd, __u32 asid)
{
	struct vhost_vdpa_iommufd_detach cmd = { .argsz = sizeof(cmd), .asid = asid };

	return ioctl(fd, VHOST_VDPA_IOMMUFD_DETACH, &cmd) ? -errno : 0;
}

int __vdpa_message(int fd, __u32 asid, __u8 type, const void *va, __u64 length, __u64 iova)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.asid = asid,
		.iotlb = {
			.iova = iova,
			.size = length,
			.uaddr = (uintptr_t)va,
			.perm = VHOST_ACCESS_RW,
			.type = type,
		},
	};

	return write(fd, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -errno;
}

int __vdpa_legacy_map(int fd, __u32 asid, const void *va, __u64 length, __u64 iova)
{
	return __vdpa_message(fd, asid, VHOST_IOTLB_UPDATE, va, length, iova);
}
