// SPDX-License-Identifier: GPL-2.0
/*
 * "iommuctl vdpa": virtio devices that hardware, or a process, implements for others, and
 * the management devices they are made from. All by the kernel's netlink family "vdpa".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <linux/vdpa.h>

#include "iommuctl.h"
#include "report.h"
#include "users.h"

#define MAC_LEN 6

/**
 * struct vdpa - The conversation with the kernel
 * @socket: Where it takes place
 * @family: Number of the family
 * @error: What the kernel said to the last request, an errno
 * @text: The same in words, or empty
 * @done: The kernel has said all about it
 */
struct vdpa {
	struct nl_sock *socket;
	int family;
	int error;
	char text[PATH_LEN];
	bool done;
};

static int on_end(struct nl_msg *message, void *data)
{
	struct vdpa *vdpa = data;

	(void)message;
	vdpa->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *data)
{
	struct vdpa *vdpa = data;

	(void)from;
	vdpa->error = -error->error;
	vdpa->done = true;
	return NL_STOP;
}

/* A reason in words follows the header that is sent back, unless all of that is. */
static int on_any(struct nl_msg *message, void *data)
{
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct nlmsgerr *error = nlmsg_data(header);
	struct nlattr *reason;
	int skip = sizeof(*error);
	struct vdpa *vdpa = data;

	if (header->nlmsg_type != NLMSG_ERROR || !(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NL_OK;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	reason = nlmsg_find_attr(header, NLMSG_ALIGN(skip), NLMSGERR_ATTR_MSG);
	if (reason)
		snprintf(vdpa->text, sizeof(vdpa->text), "%s", nla_get_string(reason));
	return NL_OK;
}

/* Send the request, which is freed, and hear what the kernel says to it. */
static int ask(struct vdpa *vdpa, struct nl_msg *message, nl_recvmsg_msg_cb_t visit)
{
	struct nl_cb *callbacks = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	nl_cb_err(callbacks, NL_CB_CUSTOM, on_error, vdpa);
	nl_cb_set(callbacks, NL_CB_FINISH, NL_CB_CUSTOM, on_end, vdpa);
	nl_cb_set(callbacks, NL_CB_ACK, NL_CB_CUSTOM, on_end, vdpa);
	nl_cb_set(callbacks, NL_CB_MSG_IN, NL_CB_CUSTOM, on_any, vdpa);
	if (visit)
		nl_cb_set(callbacks, NL_CB_VALID, NL_CB_CUSTOM, visit, NULL);
	vdpa->error = 0;
	vdpa->done = false;
	vdpa->text[0] = 0;
	ret = nl_send_auto(vdpa->socket, message);
	while (ret >= 0 && !vdpa->done)
		ret = nl_recvmsgs(vdpa->socket, callbacks);
	nlmsg_free(message);
	nl_cb_put(callbacks);
	return vdpa->error ? vdpa->error : ret < 0 ? EIO : 0;
}

static struct nl_msg *request(const struct vdpa *vdpa, int command, int flags)
{
	struct nl_msg *message = nlmsg_alloc();

	genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, vdpa->family, 0, flags, command,
		    VDPA_GENL_VERSION);
	return message;
}

static const char *string_of(struct nlattr *attribute)
{
	return attribute ? nla_get_string(attribute) : "";
}

/* "bus/name", or only a name: how management devices are called. */
static void manager_name(struct nlattr **attributes, char *name)
{
	const char *bus = string_of(attributes[VDPA_ATTR_MGMTDEV_BUS_NAME]);

	snprintf(name, PATH_LEN, "%.100s%s%.100s", bus, bus[0] ? "/" : "",
		 string_of(attributes[VDPA_ATTR_MGMTDEV_DEV_NAME]));
}

static int show_manager(struct nl_msg *message, void *data)
{
	struct json_object *object = append_object(add_array(report_root(), "managers"));
	struct nlattr *attributes[VDPA_ATTR_MAX + 1];
	char name[PATH_LEN];

	(void)data;
	genlmsg_parse(nlmsg_hdr(message), 0, attributes, VDPA_ATTR_MAX, NULL);
	manager_name(attributes, name);
	say("manager %s", name);
	add_string(object, "manager", name);
	return NL_OK;
}

static int show_device(struct nl_msg *message, void *data)
{
	struct json_object *object = append_object(add_array(report_root(), "devices"));
	struct nlattr *attributes[VDPA_ATTR_MAX + 1];
	char manager[PATH_LEN], driver[NAME_LEN];
	const char *name;
	int id = 0;

	(void)data;
	genlmsg_parse(nlmsg_hdr(message), 0, attributes, VDPA_ATTR_MAX, NULL);
	manager_name(attributes, manager);
	name = string_of(attributes[VDPA_ATTR_DEV_NAME]);
	if (attributes[VDPA_ATTR_DEV_ID])
		id = nla_get_u32(attributes[VDPA_ATTR_DEV_ID]);
	link_name(driver, sizeof(driver), "/sys/bus/vdpa/devices/%s/driver", name);
	say("device  %s, virtio type %d, of %s, driver %s", name, id, manager,
	    driver[0] ? driver : "-");
	add_string(object, "device", name);
	add_string(object, "manager", manager);
	add_number(object, "virtio_id", id);
	add_string(object, "driver", driver);
	return NL_OK;
}

static int verdict(const struct vdpa *vdpa, const char *what, const char *name, int error)
{
	if (!error)
		return EXIT_FINE;
	complain(code_of_errno(error), "cannot %s %s: %s", what, name,
		 vdpa->text[0] ? vdpa->text : strerror(error));
	if (error == EPERM || error == EACCES)
		mend("it needs CAP_NET_ADMIN: run it with sudo");
	else if (error == ENODEV || error == EINVAL)
		mend("'iommuctl vdpa list' shows the names there are");
	return code_of_errno(error);
}

static int list_all(struct vdpa *vdpa)
{
	int error;

	add_array(report_root(), "managers");
	add_array(report_root(), "devices");
	error = ask(vdpa, request(vdpa, VDPA_CMD_MGMTDEV_GET, NLM_F_DUMP), show_manager);
	if (!error)
		error = ask(vdpa, request(vdpa, VDPA_CMD_DEV_GET, NLM_F_DUMP), show_device);
	return verdict(vdpa, "list", "devices", error);
}

static bool parse_mac(const char *text, unsigned char *mac)
{
	int end = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", mac, mac + 1, mac + 2,
		      mac + 3, mac + 4, mac + 5, &end) == MAC_LEN && !text[end];
}

static int add_device(struct vdpa *vdpa, const struct options *options)
{
	const char *name = options->args[1], *manager = options->args[2];
	const char *slash = strchr(manager, '/');
	unsigned char mac[MAC_LEN];
	struct nl_msg *message;
	char bus[NAME_LEN];
	int error;

	if (options->n > 3 && !parse_mac(options->args[3], mac))
		return complain(EXIT_USAGE, "'%s' is no MAC address", options->args[3]);
	message = request(vdpa, VDPA_CMD_DEV_NEW, NLM_F_ACK);
	if (slash) {
		snprintf(bus, sizeof(bus), "%.*s", (int)(slash - manager), manager);
		nla_put_string(message, VDPA_ATTR_MGMTDEV_BUS_NAME, bus);
		manager = slash + 1;
	}
	nla_put_string(message, VDPA_ATTR_MGMTDEV_DEV_NAME, manager);
	nla_put_string(message, VDPA_ATTR_DEV_NAME, name);
	if (options->n > 3)
		nla_put(message, VDPA_ATTR_DEV_NET_CFG_MACADDR, MAC_LEN, mac);
	error = ask(vdpa, message, NULL);
	if (!error)
		say("%s: made by %s", name, options->args[2]);
	return verdict(vdpa, "add", name, error);
}

/*
 * The kernel waits for who has the device open, where no signal reaches it, and nothing else
 * can be asked of vDPA meanwhile. So the user has to go first.
 */
static int refuse_used(const char *name, const struct open_file *by)
{
	complain_about_user(name, by);
	mend("end it first");
	return EXIT_REFUSED;
}

static int delete_device(struct vdpa *vdpa, const char *name)
{
	struct open_file by;
	struct nl_msg *message;
	int error;

	if (vdpa_in_use(name, &by))
		return refuse_used(name, &by);
	message = request(vdpa, VDPA_CMD_DEV_DEL, NLM_F_ACK);
	nla_put_string(message, VDPA_ATTR_DEV_NAME, name);
	error = ask(vdpa, message, NULL);
	if (!error)
		say("%s: deleted", name);
	return verdict(vdpa, "delete", name, error);
}

static int connect_to_kernel(struct vdpa *vdpa)
{
	int on = 1;

	vdpa->socket = nl_socket_alloc();
	if (!vdpa->socket || genl_connect(vdpa->socket))
		return complain(EXIT_TROUBLE, "cannot open a netlink socket");
	setsockopt(nl_socket_get_fd(vdpa->socket), SOL_NETLINK, NETLINK_EXT_ACK, &on,
		   sizeof(on));
	vdpa->family = genl_ctrl_resolve(vdpa->socket, VDPA_GENL_NAME);
	if (vdpa->family >= 0)
		return EXIT_FINE;
	complain(EXIT_MISSING, "the kernel has no vDPA, or its module is not loaded");
	mend("modprobe vdpa, and the driver of the device: mlx5_vdpa, vduse, ...");
	return EXIT_MISSING;
}

static int run(struct vdpa *vdpa, const struct options *options)
{
	const char *what = options->args[0];

	if (!strcmp(what, "list"))
		return list_all(vdpa);
	if (!strcmp(what, "add"))
		return add_device(vdpa, options);
	return delete_device(vdpa, options->args[1]);
}

static bool is_complete(const struct options *options)
{
	const char *what = options->args[0];

	return (!strcmp(what, "list") && options->n == 1) ||
	       (!strcmp(what, "add") && (options->n == 3 || options->n == 4)) ||
	       (!strcmp(what, "del") && options->n == 2);
}

int vdpa_command(const struct options *options)
{
	struct vdpa vdpa = {};
	int code;

	if (!is_complete(options))
		return complain(EXIT_USAGE, "vdpa takes: list | add NAME MANAGER [MAC] | del NAME");
	code = connect_to_kernel(&vdpa);
	if (!code)
		code = run(&vdpa, options);
	nl_socket_free(vdpa.socket);
	return code;
}
