// SPDX-License-Identifier: GPL-2.0
/*
 * The command table, and what all commands have in common.
 *
 * A structure is copied in with the rules of copy_struct_from_user(): what the caller
 * does not know reads as zero, and what this kernel does not know must be zero. Flags
 * and reserved fields that the table names are checked before the command runs. On
 * success the structure goes back to the caller as the command left it, and only then
 * does an object the command made get its id published: nobody can use, or destroy, an
 * object whose creator has not returned yet.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/iommufd.h>

#include "change_process.h"
#include "ctx.h"
#include "device.h"
#include "dirty.h"
#include "fault.h"
#include "hwpt.h"
#include "ioas.h"
#include "hw_queue.h"
#include "ioas_map.h"
#include "ioctl.h"
#include "object.h"
#include "option.h"
#include "vdevice.h"
#include "veventq.h"
#include "vfio_compat.h"
#include "viommu.h"

/* No structure comes near this; without a limit the caller could have 4 GiB scanned. */
#define MAX_USER_SIZE PAGE_SIZE

union any_cmd {
	u8 extension[IOMMUFD_EXTENSION_SIZE];
	struct iommu_destroy destroy;
	struct iommu_fault_alloc fault_alloc;
	struct iommu_hw_info hw_info;
	struct iommu_hwpt_alloc hwpt_alloc;
	struct iommu_hwpt_get_dirty_bitmap get_dirty_bitmap;
	struct iommu_hwpt_invalidate hwpt_invalidate;
	struct iommu_hwpt_set_dirty_tracking set_dirty_tracking;
	struct iommu_ioas_alloc ioas_alloc;
	struct iommu_ioas_change_process change_process;
	struct iommu_ioas_allow_iovas allow_iovas;
	struct iommu_ioas_copy ioas_copy;
	struct iommu_ioas_iova_ranges iova_ranges;
	struct iommu_ioas_map ioas_map;
	struct iommu_ioas_map_file ioas_map_file;
	struct iommu_ioas_unmap ioas_unmap;
	struct iommu_option option;
	struct iommu_vdevice_alloc vdevice_alloc;
	struct iommu_hw_queue_alloc hw_queue_alloc;
	struct iommu_veventq_alloc veventq_alloc;
	struct iommu_vfio_ioas vfio_ioas;
	struct iommu_viommu_alloc viommu_alloc;
};

struct field {
	u16 offset;
	u16 len;
};

/**
 * struct command - One row of the table
 * @run: carries it out
 * @size: bytes of the structure this kernel knows
 * @min_size: bytes of the first version of it
 * @flags: a __u32 of which only the bits @known_flags may be set
 * @known_flags: see @flags
 * @reserved: bytes that must be zero
 * @reply: what is written back on success
 */
struct command {
	int (*run)(struct iommufd_cmd *cmd);
	u16 size;
	u16 min_size;
	struct field flags;
	u32 known_flags;
	struct field reserved;
	struct field reply;
};

#define FIELD_OF(type, member)                    \
	{                                         \
		.offset = offsetof(type, member), \
		.len = sizeof_field(type, member) \
	}
#define WHOLE(type) { .len = sizeof(type) }
#define NOTHING { }
#define CMD(nr, fn, type, last_min, ...)                            \
	[IOMMUFD_CMD_##nr - IOMMUFD_CMD_BASE] = {                   \
		.run = fn,                                          \
		.size = sizeof(type) +                              \
			BUILD_BUG_ON_ZERO(offsetof(type, size)) +   \
			BUILD_BUG_ON_ZERO(sizeof(type) >            \
					  sizeof(union any_cmd)),   \
		.min_size = offsetofend(type, last_min),            \
		__VA_ARGS__                                         \
	}

static int run_destroy(struct iommufd_cmd *cmd)
{
	struct iommu_destroy *arg = cmd->arg;

	return iommufd_object_destroy_id(cmd->ictx, arg->id);
}

static const struct command commands[] = {
	CMD(DESTROY, run_destroy, struct iommu_destroy, id,
	    .reply = NOTHING),
	CMD(IOAS_ALLOC, iommufd_ioas_alloc, struct iommu_ioas_alloc, out_ioas_id,
	    .flags = FIELD_OF(struct iommu_ioas_alloc, flags),
	    .reply = WHOLE(struct iommu_ioas_alloc)),
	CMD(IOAS_ALLOW_IOVAS, iommufd_ioas_allow_iovas,
	    struct iommu_ioas_allow_iovas, allowed_iovas,
	    .reserved = FIELD_OF(struct iommu_ioas_allow_iovas, __reserved),
	    .reply = NOTHING),
	CMD(IOAS_CHANGE_PROCESS, iommufd_change_process,
	    struct iommu_ioas_change_process, __reserved,
	    .reserved = FIELD_OF(struct iommu_ioas_change_process, __reserved),
	    .reply = NOTHING),
	CMD(IOAS_COPY, iommufd_ioas_copy, struct iommu_ioas_copy, src_iova,
	    .flags = FIELD_OF(struct iommu_ioas_copy, flags),
	    .known_flags = IOMMUFD_IOAS_MAP_FLAGS,
	    .reply = WHOLE(struct iommu_ioas_copy)),
	CMD(IOAS_IOVA_RANGES, iommufd_ioas_iova_ranges,
	    struct iommu_ioas_iova_ranges, out_iova_alignment,
	    .reserved = FIELD_OF(struct iommu_ioas_iova_ranges, __reserved),
	    .reply = WHOLE(struct iommu_ioas_iova_ranges)),
	CMD(IOAS_MAP, iommufd_ioas_map, struct iommu_ioas_map, iova,
	    .flags = FIELD_OF(struct iommu_ioas_map, flags),
	    .known_flags = IOMMUFD_IOAS_MAP_FLAGS,
	    .reserved = FIELD_OF(struct iommu_ioas_map, __reserved),
	    .reply = WHOLE(struct iommu_ioas_map)),
	CMD(IOAS_MAP_FILE, iommufd_ioas_map_file, struct iommu_ioas_map_file, iova,
	    .flags = FIELD_OF(struct iommu_ioas_map_file, flags),
	    .known_flags = IOMMUFD_IOAS_MAP_FLAGS,
	    .reply = WHOLE(struct iommu_ioas_map_file)),
	CMD(IOAS_UNMAP, iommufd_ioas_unmap, struct iommu_ioas_unmap, length,
	    .reply = WHOLE(struct iommu_ioas_unmap)),
	CMD(OPTION, iommufd_option, struct iommu_option, val64,
	    .reserved = FIELD_OF(struct iommu_option, __reserved),
	    .reply = FIELD_OF(struct iommu_option, val64)),
	CMD(VFIO_IOAS, iommufd_vfio_ioas, struct iommu_vfio_ioas, __reserved,
	    .reserved = FIELD_OF(struct iommu_vfio_ioas, __reserved),
	    .reply = NOTHING), /* GET answers by itself. */
	CMD(VIOMMU_ALLOC, iommufd_viommu_alloc, struct iommu_viommu_alloc, out_viommu_id,
	    .flags = FIELD_OF(struct iommu_viommu_alloc, flags),
	    .reserved = FIELD_OF(struct iommu_viommu_alloc, __reserved),
	    .reply = WHOLE(struct iommu_viommu_alloc)),
	CMD(VDEVICE_ALLOC, iommufd_vdevice_alloc, struct iommu_vdevice_alloc, virt_id,
	    .reply = WHOLE(struct iommu_vdevice_alloc)),
	CMD(HW_QUEUE_ALLOC, iommufd_hw_queue_alloc, struct iommu_hw_queue_alloc, length,
	    .flags = FIELD_OF(struct iommu_hw_queue_alloc, flags),
	    .reply = WHOLE(struct iommu_hw_queue_alloc)),
	CMD(VEVENTQ_ALLOC, iommufd_veventq_alloc, struct iommu_veventq_alloc, out_veventq_fd,
	    .flags = FIELD_OF(struct iommu_veventq_alloc, flags),
	    .reserved = FIELD_OF(struct iommu_veventq_alloc, __reserved),
	    .reply = WHOLE(struct iommu_veventq_alloc)),
	CMD(HWPT_ALLOC, iommufd_hwpt_alloc, struct iommu_hwpt_alloc, __reserved,
	    .reserved = FIELD_OF(struct iommu_hwpt_alloc, __reserved),
	    .reply = WHOLE(struct iommu_hwpt_alloc)),
	CMD(HWPT_SET_DIRTY_TRACKING, iommufd_dirty_set,
	    struct iommu_hwpt_set_dirty_tracking, __reserved,
	    .flags = FIELD_OF(struct iommu_hwpt_set_dirty_tracking, flags),
	    .known_flags = IOMMU_HWPT_DIRTY_TRACKING_ENABLE,
	    .reserved = FIELD_OF(struct iommu_hwpt_set_dirty_tracking, __reserved),
	    .reply = NOTHING),
	CMD(HWPT_GET_DIRTY_BITMAP, iommufd_dirty_get,
	    struct iommu_hwpt_get_dirty_bitmap, data,
	    .flags = FIELD_OF(struct iommu_hwpt_get_dirty_bitmap, flags),
	    .known_flags = IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR,
	    .reserved = FIELD_OF(struct iommu_hwpt_get_dirty_bitmap, __reserved),
	    .reply = NOTHING),
	CMD(HWPT_INVALIDATE, iommufd_hwpt_invalidate,
	    struct iommu_hwpt_invalidate, __reserved,
	    .reply = WHOLE(struct iommu_hwpt_invalidate)),
	CMD(FAULT_QUEUE_ALLOC, iommufd_fault_alloc, struct iommu_fault_alloc, out_fault_fd,
	    .flags = FIELD_OF(struct iommu_fault_alloc, flags),
	    .reply = WHOLE(struct iommu_fault_alloc)),
	CMD(GET_HW_INFO, iommufd_device_hw_info, struct iommu_hw_info, __reserved,
	    .flags = FIELD_OF(struct iommu_hw_info, flags),
	    .known_flags = IOMMU_HW_INFO_FLAG_INPUT_TYPE,
	    .reserved = FIELD_OF(struct iommu_hw_info, __reserved),
	    .reply = WHOLE(struct iommu_hw_info)),
};

static int check_fields(const struct command *command, const void *arg)
{
	const u8 *bytes = arg;

	if (command->flags.len) {
		u32 flags = *(const u32 *)(bytes + command->flags.offset);

		if (flags & ~command->known_flags)
			return -EOPNOTSUPP;
	}
	if (command->reserved.len &&
	    memchr_inv(bytes + command->reserved.offset, 0, command->reserved.len))
		return -EOPNOTSUPP;
	return 0;
}

static int write_reply(const struct command *command, const struct iommufd_cmd *cmd)
{
	const struct field *reply = &command->reply;
	u32 len = reply->len;

	/* A reply of one field lies within the minimum size. */
	if (!reply->offset)
		len = min(len, cmd->user_size);
	if (copy_to_user(cmd->uptr + reply->offset, cmd->arg + reply->offset, len))
		return -EFAULT;
	return 0;
}

/* Bring a new object into the world, or undo it when the command has failed. */
static int finish_object(struct iommufd_cmd *cmd, int ret)
{
	struct file *file = NULL;

	if (!ret && cmd->open_file) {
		file = cmd->open_file(cmd->new_obj);
		if (IS_ERR(file))
			ret = PTR_ERR(file);
	}
	if (ret) {
		if (cmd->open_file)
			put_unused_fd(cmd->new_fd);
		iommufd_object_abort(cmd->new_obj);
		return ret;
	}

	iommufd_object_publish(cmd->new_obj);
	if (file)
		fd_install(cmd->new_fd, file);
	return 0;
}

static int run_command(const struct command *command, struct iommufd_cmd *cmd)
{
	int ret;

	ret = check_fields(command, cmd->arg);
	if (ret)
		return ret;

	ret = command->run(cmd);
	if (!ret || cmd->reply_on_error)
		ret = write_reply(command, cmd) ?: ret;
	if (cmd->new_obj)
		ret = finish_object(cmd, ret);
	if (cmd->kept)
		iommufd_object_put(cmd->kept);
	return ret;
}

static long command_ioctl(struct iommufd_ctx *ictx, const struct command *command,
			  unsigned int nr, unsigned long uarg)
{
	union any_cmd arg;
	struct iommufd_cmd cmd = {
		.ictx = ictx,
		.arg = &arg,
		.uptr = (void __user *)uarg,
	};
	int ret;

	if (get_user(cmd.user_size, (u32 __user *)cmd.uptr))
		return -EFAULT;
	if (!command->run || nr != _IO(IOMMUFD_TYPE, _IOC_NR(nr)))
		return -ENOTTY;
	if (cmd.user_size < command->min_size)
		return -EINVAL;
	if (cmd.user_size > MAX_USER_SIZE)
		return -E2BIG;

	ret = copy_struct_from_user(&arg, command->size, cmd.uptr, cmd.user_size);
	if (ret)
		return ret;
	return run_command(command, &cmd);
}

static DEFINE_MUTEX(extension_mutex); /* protects @the_extension */
static const struct iommufd_extension *the_extension;

/**
 * iommufd_ioctl_extend - Serve a command of another module
 * @extension: describes it; valid until iommufd_ioctl_unextend()
 *
 * Context: Process context.
 * Return: 0; -EBUSY: there is one; -EINVAL: its structure is too large.
 */
int iommufd_ioctl_extend(const struct iommufd_extension *extension)
{
	if (extension->size > IOMMUFD_EXTENSION_SIZE)
		return -EINVAL;

	guard(mutex)(&extension_mutex);
	if (the_extension)
		return -EBUSY;
	the_extension = extension;
	return 0;
}

/**
 * iommufd_ioctl_unextend - Do not serve it any more
 * @extension: as it was given. Its module is being unloaded, so it is not running
 *
 * Context: Process context.
 */
void iommufd_ioctl_unextend(const struct iommufd_extension *extension)
{
	guard(mutex)(&extension_mutex);
	if (the_extension == extension)
		the_extension = NULL;
}

/* Its module stays until module_put(). */
static const struct iommufd_extension *get_extension(void)
{
	guard(mutex)(&extension_mutex);
	if (!the_extension || !try_module_get(the_extension->owner))
		return NULL;
	return the_extension;
}

static long extension_ioctl(struct iommufd_ctx *ictx, unsigned int nr, unsigned long uarg)
{
	const struct iommufd_extension *extension = get_extension();
	struct command command = { };
	long ret;

	if (!extension)
		return iommufd_vfio_compat_ioctl(ictx, nr, uarg);

	if (_IOC_NR(nr) == extension->nr) {
		command.run = extension->run;
		command.size = extension->size;
		command.min_size = extension->min_size;
		command.reply.len = extension->size;
	}
	if (_IOC_NR(nr) > extension->nr)
		ret = iommufd_vfio_compat_ioctl(ictx, nr, uarg);
	else
		ret = command_ioctl(ictx, &command, nr, uarg);
	module_put(extension->owner);
	return ret;
}

/**
 * iommufd_ioctl - Entry point of all ioctls
 * @file: an iommufd
 * @nr: command word
 * @uarg: pointer to a structure that begins with its size as __u32; for commands of
 *	  the VFIO container interface whatever they define
 *
 * Context: Process context.
 * Return: 0 or an errno. ENOTTY: unknown command. EFAULT: structure not readable or
 * writable. EINVAL: size below the first version. E2BIG: non-zero bytes beyond what
 * this kernel knows, or more than a page. EOPNOTSUPP: unknown flag or non-zero reserved
 * field. Others as the command says.
 */
long iommufd_ioctl(struct file *file, unsigned int nr, unsigned long uarg)
{
	unsigned int index = _IOC_NR(nr) - IOMMUFD_CMD_BASE;
	struct iommufd_ctx *ictx = file->private_data;

	if (_IOC_NR(nr) < IOMMUFD_CMD_BASE)
		return iommufd_vfio_compat_ioctl(ictx, nr, uarg);
	if (index >= ARRAY_SIZE(commands))
		return extension_ioctl(ictx, nr, uarg);
	return command_ioctl(ictx, &commands[index], nr, uarg);
}
