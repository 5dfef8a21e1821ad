/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The ioctl interface of /dev/iommu.
 *
 * An open file of /dev/iommu is one security context: it owns page tables,
 * the memory mapped into them and the devices bound to it. Every object in a
 * context has an id; ids start at 1, are unique among all kinds of objects in
 * the context and may be given out again once the object is destroyed.
 *
 * Calling convention, the same for each command:
 *
 * - The argument points to a structure whose first member, @size, tells how
 *   many bytes of it the caller knows.
 * - Structures only ever grow at the end. Fields the caller does not supply
 *   read as zero. Bytes the kernel does not know must be zero, or the command
 *   fails with E2BIG. A @size below the first published one is EINVAL.
 * - A field called __reserved must be zero.
 *
 * Error codes have one meaning throughout:
 *
 * - ENOTTY: the kernel does not have this command.
 * - E2BIG: non-zero bytes beyond the structure the kernel knows.
 * - EOPNOTSUPP: unknown flag or enum value, non-zero reserved field, or
 *   something this hardware or its driver cannot do.
 * - EINVAL: understood, but not a valid request.
 * - ENOENT: no object with that id and kind, or no mapping at that IOVA.
 * - ENOMEM: no memory, or RLIMIT_MEMLOCK is exhausted.
 * - EOVERFLOW: a sum of the given numbers does not fit.
 * - EFAULT: user memory cannot be read, written or pinned.
 * - EBUSY: the object is in use.
 * - EEXIST: something is already there.
 * - EADDRINUSE: a reserved range, an allowed range and a mapping collide.
 * - EPERM: the caller lacks a capability, or asks to write what was mapped
 *   for reading only.
 *
 * Each command below lists only what is special to it.
 */
#ifndef _UAPI_IOMMUFD_H
#define _UAPI_IOMMUFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define IOMMUFD_TYPE (';')

/* Command numbers. The range below the base belongs to VFIO. */
enum {
	IOMMUFD_CMD_BASE = 0x80,
	IOMMUFD_CMD_DESTROY = IOMMUFD_CMD_BASE,
	IOMMUFD_CMD_IOAS_ALLOC = 0x81,
	IOMMUFD_CMD_IOAS_ALLOW_IOVAS = 0x82,
	IOMMUFD_CMD_IOAS_COPY = 0x83,
	IOMMUFD_CMD_IOAS_IOVA_RANGES = 0x84,
	IOMMUFD_CMD_IOAS_MAP = 0x85,
	IOMMUFD_CMD_IOAS_UNMAP = 0x86,
	IOMMUFD_CMD_OPTION = 0x87,
	IOMMUFD_CMD_VFIO_IOAS = 0x88,
	IOMMUFD_CMD_HWPT_ALLOC = 0x89,
	IOMMUFD_CMD_GET_HW_INFO = 0x8a,
	IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING = 0x8b,
	IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP = 0x8c,
	IOMMUFD_CMD_HWPT_INVALIDATE = 0x8d,
	IOMMUFD_CMD_FAULT_QUEUE_ALLOC = 0x8e,
	IOMMUFD_CMD_IOAS_MAP_FILE = 0x8f,
	IOMMUFD_CMD_VIOMMU_ALLOC = 0x90,
	IOMMUFD_CMD_VDEVICE_ALLOC = 0x91,
	IOMMUFD_CMD_IOAS_CHANGE_PROCESS = 0x92,
	IOMMUFD_CMD_VEVENTQ_ALLOC = 0x93,
	IOMMUFD_CMD_HW_QUEUE_ALLOC = 0x94,
	IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA = 0x95,
};

/**
 * struct iommu_destroy - ioctl(IOMMU_DESTROY)
 * @size: sizeof(struct iommu_destroy)
 * @id: Object to destroy, of any kind
 *
 * Takes the object out of the context. Objects owned by a kernel driver, such
 * as devices, cannot be destroyed this way.
 *
 * ENOENT: no such object. EBUSY: other objects, or a driver, still use it;
 * nothing has changed.
 */
struct iommu_destroy {
	__u32 size;
	__u32 id;
};
#define IOMMU_DESTROY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY)

/**
 * struct iommu_ioas_alloc - ioctl(IOMMU_IOAS_ALLOC)
 * @size: sizeof(struct iommu_ioas_alloc)
 * @flags: Must be 0
 * @out_ioas_id: Id of the new IOAS
 *
 * Makes an I/O address space: a set of mappings from I/O virtual addresses to
 * memory, from which page tables are filled. It starts empty, with every
 * address usable.
 */
struct iommu_ioas_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_ioas_id;
};
#define IOMMU_IOAS_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC)

/**
 * struct iommu_iova_range - One range of I/O virtual addresses
 * @start: First address
 * @last: Last address, inclusive
 */
struct iommu_iova_range {
	__aligned_u64 start;
	__aligned_u64 last;
};

/**
 * struct iommu_ioas_iova_ranges - ioctl(IOMMU_IOAS_IOVA_RANGES)
 * @size: sizeof(struct iommu_ioas_iova_ranges)
 * @ioas_id: IOAS to look at
 * @num_iovas: In: entries the array can take. Out: ranges that exist
 * @__reserved: Must be 0
 * @allowed_iovas: Pointer to an array of struct iommu_iova_range
 * @out_iova_alignment: Power of two that address and length of each mapping
 *                      have to be a multiple of
 *
 * Lists, in ascending order, the addresses not reserved by the hardware in
 * use. Neither mappings nor IOMMU_IOAS_ALLOW_IOVAS change the answer;
 * attaching and detaching devices does.
 *
 * EMSGSIZE: the array is too small; it has been filled, and @num_iovas and
 * @out_iova_alignment are valid.
 */
struct iommu_ioas_iova_ranges {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
	__aligned_u64 out_iova_alignment;
};
#define IOMMU_IOAS_IOVA_RANGES _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_IOVA_RANGES)

/**
 * struct iommu_ioas_allow_iovas - ioctl(IOMMU_IOAS_ALLOW_IOVAS)
 * @size: sizeof(struct iommu_ioas_allow_iovas)
 * @ioas_id: IOAS to restrict
 * @num_iovas: Entries in the array; 0 lifts the restriction
 * @__reserved: Must be 0
 * @allowed_iovas: Pointer to an array of struct iommu_iova_range
 *
 * Replaces the list of ranges from which the kernel chooses addresses, and
 * promises that no device attached later takes them away. Mappings at a fixed
 * address may be made outside of the list.
 *
 * EINVAL: an entry ends at or before its start, or two overlap. EADDRINUSE: an
 * entry touches a reserved range. The old list stays after any error.
 */
struct iommu_ioas_allow_iovas {
	__u32 size;
	__u32 ioas_id;
	__u32 num_iovas;
	__u32 __reserved;
	__aligned_u64 allowed_iovas;
};
#define IOMMU_IOAS_ALLOW_IOVAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOW_IOVAS)

/**
 * enum iommufd_ioas_map_flags - Flags of IOMMU_IOAS_MAP, _COPY and _MAP_FILE
 * @IOMMU_IOAS_MAP_FIXED_IOVA: Map at the given address; otherwise the kernel
 *                             chooses one
 * @IOMMU_IOAS_MAP_WRITEABLE: Devices may write
 * @IOMMU_IOAS_MAP_READABLE: Devices may read
 */
enum iommufd_ioas_map_flags {
	IOMMU_IOAS_MAP_FIXED_IOVA = 1 << 0,
	IOMMU_IOAS_MAP_WRITEABLE = 1 << 1,
	IOMMU_IOAS_MAP_READABLE = 1 << 2,
};

/**
 * struct iommu_ioas_map - ioctl(IOMMU_IOAS_MAP)
 * @size: sizeof(struct iommu_ioas_map)
 * @flags: From &enum iommufd_ioas_map_flags
 * @ioas_id: IOAS to map into
 * @__reserved: Must be 0
 * @user_va: Start of the memory in the calling process
 * @length: Bytes to map
 * @iova: Address for the devices; in with IOMMU_IOAS_MAP_FIXED_IOVA, always out
 *
 * Makes memory of the caller visible to the devices attached to the IOAS, now
 * and later. Pages are pinned from the moment the first page table needs them.
 * A mapping made by one call goes away as a whole.
 *
 * EINVAL: neither readable nor writeable, length 0, misaligned, or the address
 * is reserved. EEXIST: another mapping is in the way. ENOSPC: no room for a
 * chosen address. EFAULT: the memory cannot be pinned, and is no
 * BAR of a device of this context that could be reached now.
 */
struct iommu_ioas_map {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 user_va;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_IOAS_MAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP)

/**
 * struct iommu_ioas_map_file - ioctl(IOMMU_IOAS_MAP_FILE)
 * @size: sizeof(struct iommu_ioas_map_file)
 * @flags: From &enum iommufd_ioas_map_flags
 * @ioas_id: IOAS to map into
 * @fd: A memfd, or another file of shmem or hugetlbfs
 * @start: Byte offset in the file
 * @length: Bytes to map
 * @iova: As in struct iommu_ioas_map
 *
 * Like IOMMU_IOAS_MAP, but the memory is named by file and offset and does not
 * depend on any address space of a process.
 *
 * EBADF: not a file descriptor. EINVAL: beyond the end of the file, or a file
 * of another kind. EPERM: writable for devices, but not open for writing or
 * sealed against it.
 */
struct iommu_ioas_map_file {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__s32 fd;
	__aligned_u64 start;
	__aligned_u64 length;
	__aligned_u64 iova;
};
#define IOMMU_IOAS_MAP_FILE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_MAP_FILE)

/**
 * struct iommu_ioas_copy - ioctl(IOMMU_IOAS_COPY)
 * @size: sizeof(struct iommu_ioas_copy)
 * @flags: From &enum iommufd_ioas_map_flags
 * @dst_ioas_id: IOAS to map into
 * @src_ioas_id: IOAS to take the memory from; may be the same one
 * @length: Bytes to map
 * @dst_iova: Address in the destination; in or out as @iova of a map
 * @src_iova: Address in the source
 *
 * Maps what the source has at @src_iova into the destination. Both share the
 * pages, which are pinned and charged once. The source may be unmapped later
 * without effect on the destination.
 *
 * ENOENT: the source range is not mapped throughout. EPERM: writeable asked
 * for memory that was mapped for reading. Otherwise as IOMMU_IOAS_MAP.
 */
struct iommu_ioas_copy {
	__u32 size;
	__u32 flags;
	__u32 dst_ioas_id;
	__u32 src_ioas_id;
	__aligned_u64 length;
	__aligned_u64 dst_iova;
	__aligned_u64 src_iova;
};
#define IOMMU_IOAS_COPY _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_COPY)

/**
 * struct iommu_ioas_unmap - ioctl(IOMMU_IOAS_UNMAP)
 * @size: sizeof(struct iommu_ioas_unmap)
 * @ioas_id: IOAS to unmap from
 * @iova: Start of the range
 * @length: In: bytes in the range. Out: bytes that were mapped
 *
 * Removes the mappings inside of the range; it may have holes but must not cut
 * a mapping. @iova 0 with @length U64_MAX removes everything and succeeds even
 * when there is nothing.
 *
 * The whole range is checked first, so an unmap that fails has removed nothing.
 *
 * ENOENT: nothing mapped, or a mapping reaches out of the range. EINVAL: length
 * 0. EBUSY: another call works on a mapping. EDEADLOCK: a kernel driver does
 * not give its pages back.
 */
struct iommu_ioas_unmap {
	__u32 size;
	__u32 ioas_id;
	__aligned_u64 iova;
	__aligned_u64 length;
};
#define IOMMU_IOAS_UNMAP _IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_UNMAP)

/**
 * enum iommufd_option - What IOMMU_OPTION reads or changes
 * @IOMMU_OPTION_RLIMIT_MODE: Against what pinned pages are counted: 0, the
 *	locked memory of the user; 1, the locked memory of the process, as VFIO
 *	does. @object_id is 0. Setting it needs CAP_SYS_RESOURCE (EPERM) and a
 *	context without any object (EBUSY)
 * @IOMMU_OPTION_HUGE_PAGES: 1 allows large page table entries, 0 forces
 *	PAGE_SIZE ones. @object_id is an IOAS. Cannot be set to 0 while pages
 *	are mapped in a page table (EINVAL)
 */
enum iommufd_option {
	IOMMU_OPTION_RLIMIT_MODE = 0,
	IOMMU_OPTION_HUGE_PAGES = 1,
};

/**
 * enum iommufd_option_ops - What to do with an option
 * @IOMMU_OPTION_OP_SET: Take the value from @val64
 * @IOMMU_OPTION_OP_GET: Return the value in @val64
 */
enum iommufd_option_ops {
	IOMMU_OPTION_OP_SET = 0,
	IOMMU_OPTION_OP_GET = 1,
};

/**
 * struct iommu_option - ioctl(IOMMU_OPTION)
 * @size: sizeof(struct iommu_option)
 * @option_id: From &enum iommufd_option
 * @op: From &enum iommufd_option_ops
 * @__reserved: Must be 0
 * @object_id: Object the option belongs to, 0 for the whole context
 * @val64: Value of the option
 */
struct iommu_option {
	__u32 size;
	__u32 option_id;
	__u16 op;
	__u16 __reserved;
	__u32 object_id;
	__aligned_u64 val64;
};
#define IOMMU_OPTION _IO(IOMMUFD_TYPE, IOMMUFD_CMD_OPTION)

/**
 * enum iommufd_vfio_ioas_op - What to do with the IOAS of the VFIO ioctls
 * @IOMMU_VFIO_IOAS_GET: Return its id
 * @IOMMU_VFIO_IOAS_SET: Select one
 * @IOMMU_VFIO_IOAS_CLEAR: Select none
 */
enum iommufd_vfio_ioas_op {
	IOMMU_VFIO_IOAS_GET = 0,
	IOMMU_VFIO_IOAS_SET = 1,
	IOMMU_VFIO_IOAS_CLEAR = 2,
};

/**
 * struct iommu_vfio_ioas - ioctl(IOMMU_VFIO_IOAS)
 * @size: sizeof(struct iommu_vfio_ioas)
 * @ioas_id: In for IOMMU_VFIO_IOAS_SET, out for IOMMU_VFIO_IOAS_GET
 * @op: From &enum iommufd_vfio_ioas_op
 * @__reserved: Must be 0
 *
 * The VFIO container ioctls, issued on a file of /dev/iommu, work on one IOAS.
 * This selects it.
 *
 * ENODEV: IOMMU_VFIO_IOAS_GET while none is selected.
 */
struct iommu_vfio_ioas {
	__u32 size;
	__u32 ioas_id;
	__u16 op;
	__u16 __reserved;
};
#define IOMMU_VFIO_IOAS _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VFIO_IOAS)

/**
 * enum iommufd_hwpt_alloc_flags - Flags of IOMMU_HWPT_ALLOC
 * @IOMMU_HWPT_ALLOC_NEST_PARENT: May become the parent of nested page tables
 * @IOMMU_HWPT_ALLOC_DIRTY_TRACKING: Only devices that can record writes may be
 *                                   attached
 * @IOMMU_HWPT_FAULT_ID_VALID: @fault_id names a queue for page requests
 * @IOMMU_HWPT_ALLOC_PASID: May be attached to a PASID of a device
 */
enum iommufd_hwpt_alloc_flags {
	IOMMU_HWPT_ALLOC_NEST_PARENT = 1 << 0,
	IOMMU_HWPT_ALLOC_DIRTY_TRACKING = 1 << 1,
	IOMMU_HWPT_FAULT_ID_VALID = 1 << 2,
	IOMMU_HWPT_ALLOC_PASID = 1 << 3,
};

/**
 * enum iommu_hwpt_vtd_s1_flags - Flags of struct iommu_hwpt_vtd_s1
 * @IOMMU_VTD_S1_SRE: Supervisor requests are allowed
 * @IOMMU_VTD_S1_EAFE: The extended access flag is used
 * @IOMMU_VTD_S1_WPE: Write protection applies to supervisor requests
 */
enum iommu_hwpt_vtd_s1_flags {
	IOMMU_VTD_S1_SRE = 1 << 0,
	IOMMU_VTD_S1_EAFE = 1 << 1,
	IOMMU_VTD_S1_WPE = 1 << 2,
};

/**
 * struct iommu_hwpt_vtd_s1 - First-stage table of an Intel VT-d guest
 * @flags: From &enum iommu_hwpt_vtd_s1_flags
 * @pgtbl_addr: Guest-physical address of the table's root
 * @addr_width: Bits of an address the table translates
 * @__reserved: Must be 0
 */
struct iommu_hwpt_vtd_s1 {
	__aligned_u64 flags;
	__aligned_u64 pgtbl_addr;
	__u32 addr_width;
	__u32 __reserved;
};

/**
 * struct iommu_hwpt_arm_smmuv3 - Stage 1 of an Arm SMMUv3 guest
 * @ste: First two words of the guest's stream table entry, little endian
 */
struct iommu_hwpt_arm_smmuv3 {
	__aligned_le64 ste[2];
};

/**
 * struct iommu_hwpt_amd_guest - Device table entry of an AMD IOMMU guest
 * @dte: The guest's entry
 */
struct iommu_hwpt_amd_guest {
	__aligned_u64 dte[4];
};

/**
 * enum iommu_hwpt_data_type - What @data_uptr of IOMMU_HWPT_ALLOC points to
 * @IOMMU_HWPT_DATA_NONE: Nothing
 * @IOMMU_HWPT_DATA_VTD_S1: struct iommu_hwpt_vtd_s1
 * @IOMMU_HWPT_DATA_ARM_SMMUV3: struct iommu_hwpt_arm_smmuv3
 * @IOMMU_HWPT_DATA_AMD_GUEST: struct iommu_hwpt_amd_guest
 */
enum iommu_hwpt_data_type {
	IOMMU_HWPT_DATA_NONE = 0,
	IOMMU_HWPT_DATA_VTD_S1 = 1,
	IOMMU_HWPT_DATA_ARM_SMMUV3 = 2,
	IOMMU_HWPT_DATA_AMD_GUEST = 3,
};

/**
 * struct iommu_hwpt_alloc - ioctl(IOMMU_HWPT_ALLOC)
 * @size: sizeof(struct iommu_hwpt_alloc)
 * @flags: From &enum iommufd_hwpt_alloc_flags
 * @dev_id: Device whose IOMMU will use the page table
 * @pt_id: Parent: an IOAS for a page table filled by the kernel; a paging HWPT
 *         or a vIOMMU for a nested one
 * @out_hwpt_id: Id of the new HWPT
 * @__reserved: Must be 0
 * @data_type: From &enum iommu_hwpt_data_type
 * @data_len: Bytes at @data_uptr
 * @data_uptr: Pointer to what @data_type says
 * @fault_id: Fault queue, with IOMMU_HWPT_FAULT_ID_VALID
 * @__reserved2: Must be 0
 *
 * Makes a hardware page table that stays until it is destroyed, apart from the
 * one the kernel makes by itself when a device is attached to an IOAS. A table
 * on an IOAS holds all of its mappings when the call returns.
 *
 * EINVAL: @pt_id is unknown or cannot be a parent, or type and length of the
 * driver data do not fit. ENOENT: @dev_id is not a device. EADDRINUSE: the
 * hardware cannot translate an address that is mapped or allowed.
 */
struct iommu_hwpt_alloc {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 pt_id;
	__u32 out_hwpt_id;
	__u32 __reserved;
	__u32 data_type;
	__u32 data_len;
	__aligned_u64 data_uptr;
	__u32 fault_id;
	__u32 __reserved2;
};
#define IOMMU_HWPT_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_ALLOC)

/**
 * enum iommu_hw_info_vtd_flags - Flags of struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: A nest parent must not have
 *                                         read-only mappings on this hardware
 */
enum iommu_hw_info_vtd_flags {
	IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17 = 1 << 0,
};

/**
 * struct iommu_hw_info_vtd - Intel VT-d
 * @flags: From &enum iommu_hw_info_vtd_flags
 * @__reserved: 0
 * @cap_reg: Capability register
 * @ecap_reg: Extended capability register
 */
struct iommu_hw_info_vtd {
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 cap_reg;
	__aligned_u64 ecap_reg;
};

/**
 * enum iommu_hw_info_arm_smmuv3_flags - Flags of struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI: Invalidations of TLB and
 *	configuration have to be issued twice
 */
enum iommu_hw_info_arm_smmuv3_flags {
	IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI = 1 << 0,
};

/**
 * struct iommu_hw_info_arm_smmuv3 - Arm SMMUv3
 * @flags: From &enum iommu_hw_info_arm_smmuv3_flags
 * @__reserved: 0
 * @idr: Identification registers
 * @iidr: Implementation identification register
 * @aidr: Architecture identification register
 */
struct iommu_hw_info_arm_smmuv3 {
	__u32 flags;
	__u32 __reserved;
	__u32 idr[6];
	__u32 iidr;
	__u32 aidr;
};

/**
 * struct iommu_hw_info_tegra241_cmdqv - NVIDIA Tegra241 command queue extension
 * @flags: 0
 * @version: Version of the extension
 * @log2vcmdqs: Queues per virtual interface, as a power of two
 * @log2vsids: Stream ids per virtual interface, as a power of two
 * @__reserved: 0
 */
struct iommu_hw_info_tegra241_cmdqv {
	__u32 flags;
	__u8 version;
	__u8 log2vcmdqs;
	__u8 log2vsids;
	__u8 __reserved;
};

/**
 * struct iommu_hw_info_amd - AMD IOMMU
 * @efr: Extended feature register
 * @efr2: Extended feature 2 register
 *
 * A VMM shows its guest only the features it emulates.
 */
struct iommu_hw_info_amd {
	__aligned_u64 efr;
	__aligned_u64 efr2;
};

/**
 * enum iommu_hw_info_type - What IOMMU_GET_HW_INFO returns at @data_uptr
 * @IOMMU_HW_INFO_TYPE_NONE: Out: nothing
 * @IOMMU_HW_INFO_TYPE_DEFAULT: In: whatever the device's IOMMU is
 * @IOMMU_HW_INFO_TYPE_INTEL_VTD: struct iommu_hw_info_vtd
 * @IOMMU_HW_INFO_TYPE_ARM_SMMUV3: struct iommu_hw_info_arm_smmuv3
 * @IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: struct iommu_hw_info_tegra241_cmdqv
 * @IOMMU_HW_INFO_TYPE_AMD: struct iommu_hw_info_amd
 */
enum iommu_hw_info_type {
	IOMMU_HW_INFO_TYPE_NONE = 0,
	IOMMU_HW_INFO_TYPE_DEFAULT = 0,
	IOMMU_HW_INFO_TYPE_INTEL_VTD = 1,
	IOMMU_HW_INFO_TYPE_ARM_SMMUV3 = 2,
	IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV = 3,
	IOMMU_HW_INFO_TYPE_AMD = 4,
};

/**
 * enum iommufd_hw_capabilities - What a device and its IOMMU can do
 * @IOMMU_HW_CAP_DIRTY_TRACKING: Writes of the device can be recorded
 * @IOMMU_HW_CAP_PCI_PASID_EXEC: PASID requests may ask for execute permission
 * @IOMMU_HW_CAP_PCI_PASID_PRIV: PASID requests may ask for privileged mode
 * @IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: The device must not use ATS
 *
 * The two PASID bits mean something only if @out_max_pasid_log2 is not 0.
 */
enum iommufd_hw_capabilities {
	IOMMU_HW_CAP_DIRTY_TRACKING = 1 << 0,
	IOMMU_HW_CAP_PCI_PASID_EXEC = 1 << 1,
	IOMMU_HW_CAP_PCI_PASID_PRIV = 1 << 2,
	IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED = 1 << 3,
};

/**
 * enum iommufd_hw_info_flags - Flags of IOMMU_GET_HW_INFO
 * @IOMMU_HW_INFO_FLAG_INPUT_TYPE: @in_data_type says which information to give
 */
enum iommufd_hw_info_flags {
	IOMMU_HW_INFO_FLAG_INPUT_TYPE = 1 << 0,
};

/**
 * struct iommu_hw_info - ioctl(IOMMU_GET_HW_INFO)
 * @size: sizeof(struct iommu_hw_info)
 * @flags: From &enum iommufd_hw_info_flags
 * @dev_id: Bound device
 * @data_len: In: bytes at @data_uptr. Out: bytes the kernel has
 * @data_uptr: Buffer for the description; may be 0 if @data_len is
 * @in_data_type: Wanted type, with IOMMU_HW_INFO_FLAG_INPUT_TYPE
 * @out_data_type: Type of the description, from &enum iommu_hw_info_type
 * @out_max_pasid_log2: log2 of the PASIDs the device may use; 0: it has none
 * @__reserved: Must be 0
 * @out_capabilities: From &enum iommufd_hw_capabilities
 *
 * Tells a VMM what the IOMMU of a device is, so that it can show its guest the
 * same. What does not fit in the buffer is cut off; what the kernel does not
 * fill is zeroed.
 */
struct iommu_hw_info {
	__u32 size;
	__u32 flags;
	__u32 dev_id;
	__u32 data_len;
	__aligned_u64 data_uptr;
	union {
		__u32 in_data_type;
		__u32 out_data_type;
	};
	__u8 out_max_pasid_log2;
	__u8 __reserved[3];
	__aligned_u64 out_capabilities;
};
#define IOMMU_GET_HW_INFO _IO(IOMMUFD_TYPE, IOMMUFD_CMD_GET_HW_INFO)

/**
 * enum iommufd_hwpt_set_dirty_tracking_flags - Flags of
 *	IOMMU_HWPT_SET_DIRTY_TRACKING
 * @IOMMU_HWPT_DIRTY_TRACKING_ENABLE: Turn it on; without the flag, off
 */
enum iommufd_hwpt_set_dirty_tracking_flags {
	IOMMU_HWPT_DIRTY_TRACKING_ENABLE = 1 << 0,
};

/**
 * struct iommu_hwpt_set_dirty_tracking - ioctl(IOMMU_HWPT_SET_DIRTY_TRACKING)
 * @size: sizeof(struct iommu_hwpt_set_dirty_tracking)
 * @flags: From &enum iommufd_hwpt_set_dirty_tracking_flags
 * @hwpt_id: Paging HWPT made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING
 * @__reserved: Must be 0
 *
 * Starts or stops the recording of writes by devices. Starting forgets what
 * was recorded before.
 */
struct iommu_hwpt_set_dirty_tracking {
	__u32 size;
	__u32 flags;
	__u32 hwpt_id;
	__u32 __reserved;
};
#define IOMMU_HWPT_SET_DIRTY_TRACKING \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING)

/**
 * enum iommufd_hwpt_get_dirty_bitmap_flags - Flags of
 *	IOMMU_HWPT_GET_DIRTY_BITMAP
 * @IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: Leave the record as it is
 */
enum iommufd_hwpt_get_dirty_bitmap_flags {
	IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR = 1 << 0,
};

/**
 * struct iommu_hwpt_get_dirty_bitmap - ioctl(IOMMU_HWPT_GET_DIRTY_BITMAP)
 * @size: sizeof(struct iommu_hwpt_get_dirty_bitmap)
 * @hwpt_id: HWPT to read
 * @flags: From &enum iommufd_hwpt_get_dirty_bitmap_flags
 * @__reserved: Must be 0
 * @iova: Start of the range
 * @length: Bytes in the range
 * @page_size: Bytes that one bit stands for
 * @data: Pointer to the bitmap
 *
 * Sets bit n, in words of 64 bits in little endian order, if a device wrote to
 * @iova + n * @page_size or the bytes up to the next bit. Bits are never
 * cleared; the caller zeroes the bitmap.
 */
struct iommu_hwpt_get_dirty_bitmap {
	__u32 size;
	__u32 hwpt_id;
	__u32 flags;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 data;
};
#define IOMMU_HWPT_GET_DIRTY_BITMAP \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP)

/**
 * enum iommu_hwpt_invalidate_data_type - What an entry of IOMMU_HWPT_INVALIDATE
 *	looks like
 * @IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: struct iommu_hwpt_vtd_s1_invalidate
 * @IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3:
 *	struct iommu_viommu_arm_smmuv3_invalidate
 */
enum iommu_hwpt_invalidate_data_type {
	IOMMU_HWPT_INVALIDATE_DATA_VTD_S1 = 0,
	IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3 = 1,
};

/**
 * enum iommu_hwpt_vtd_s1_invalidate_flags - Flags of
 *	struct iommu_hwpt_vtd_s1_invalidate
 * @IOMMU_VTD_INV_FLAGS_LEAF: Only leaf entries have changed
 */
enum iommu_hwpt_vtd_s1_invalidate_flags {
	IOMMU_VTD_INV_FLAGS_LEAF = 1 << 0,
};

/**
 * struct iommu_hwpt_vtd_s1_invalidate - One VT-d first-stage invalidation
 * @addr: First address, a multiple of 4 KiB
 * @npages: Pages of 4 KiB; U64_MAX, with @addr 0, for all of them
 * @flags: From &enum iommu_hwpt_vtd_s1_invalidate_flags
 * @__reserved: Must be 0
 */
struct iommu_hwpt_vtd_s1_invalidate {
	__aligned_u64 addr;
	__aligned_u64 npages;
	__u32 flags;
	__u32 __reserved;
};

/**
 * struct iommu_viommu_arm_smmuv3_invalidate - One SMMUv3 invalidation
 * @cmd: Guest's TLBI, CFGI or ATC command, little endian
 */
struct iommu_viommu_arm_smmuv3_invalidate {
	__aligned_le64 cmd[2];
};

/**
 * struct iommu_hwpt_invalidate - ioctl(IOMMU_HWPT_INVALIDATE)
 * @size: sizeof(struct iommu_hwpt_invalidate)
 * @hwpt_id: Nested HWPT or vIOMMU
 * @data_uptr: Pointer to an array of requests
 * @data_type: From &enum iommu_hwpt_invalidate_data_type
 * @entry_len: Bytes per request
 * @entry_num: In: requests. Out, also after an error: requests carried out
 * @__reserved: Must be 0
 *
 * Drops what the IOMMU remembers of a page table that the user has changed.
 * With @entry_num 0 it only tells whether @data_type is known.
 */
struct iommu_hwpt_invalidate {
	__u32 size;
	__u32 hwpt_id;
	__aligned_u64 data_uptr;
	__u32 data_type;
	__u32 entry_len;
	__u32 entry_num;
	__u32 __reserved;
};
#define IOMMU_HWPT_INVALIDATE _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HWPT_INVALIDATE)

/**
 * enum iommu_hwpt_pgfault_flags - Flags of struct iommu_hwpt_pgfault
 * @IOMMU_PGFAULT_FLAGS_PASID_VALID: @pasid is set
 * @IOMMU_PGFAULT_FLAGS_LAST_PAGE: Last request of its group
 */
enum iommu_hwpt_pgfault_flags {
	IOMMU_PGFAULT_FLAGS_PASID_VALID = 1 << 0,
	IOMMU_PGFAULT_FLAGS_LAST_PAGE = 1 << 1,
};

/**
 * enum iommu_hwpt_pgfault_perm - Access a page request asks for
 * @IOMMU_PGFAULT_PERM_READ: Read
 * @IOMMU_PGFAULT_PERM_WRITE: Write
 * @IOMMU_PGFAULT_PERM_EXEC: Execute
 * @IOMMU_PGFAULT_PERM_PRIV: In privileged mode
 */
enum iommu_hwpt_pgfault_perm {
	IOMMU_PGFAULT_PERM_READ = 1 << 0,
	IOMMU_PGFAULT_PERM_WRITE = 1 << 1,
	IOMMU_PGFAULT_PERM_EXEC = 1 << 2,
	IOMMU_PGFAULT_PERM_PRIV = 1 << 3,
};

/**
 * struct iommu_hwpt_pgfault - One page request, read from a fault queue
 * @flags: From &enum iommu_hwpt_pgfault_flags
 * @dev_id: Device that asks
 * @pasid: Its PASID
 * @grpid: Number of the request group, as the device gave it
 * @perm: From &enum iommu_hwpt_pgfault_perm
 * @__reserved: 0
 * @addr: Address the device wants
 * @length: Bytes it expects to need; 0: unknown
 * @cookie: Names the group in the response
 */
struct iommu_hwpt_pgfault {
	__u32 flags;
	__u32 dev_id;
	__u32 pasid;
	__u32 grpid;
	__u32 perm;
	__u32 __reserved;
	__aligned_u64 addr;
	__u32 length;
	__u32 cookie;
};

/**
 * enum iommufd_page_response_code - Answer to a group of page requests
 * @IOMMUFD_PAGE_RESP_SUCCESS: The pages are there; try again
 * @IOMMUFD_PAGE_RESP_INVALID: The access fails
 */
enum iommufd_page_response_code {
	IOMMUFD_PAGE_RESP_SUCCESS = 0,
	IOMMUFD_PAGE_RESP_INVALID = 1,
};

/**
 * struct iommu_hwpt_page_response - One answer, written to a fault queue
 * @cookie: From struct iommu_hwpt_pgfault
 * @code: From &enum iommufd_page_response_code
 */
struct iommu_hwpt_page_response {
	__u32 cookie;
	__u32 code;
};

/**
 * struct iommu_fault_alloc - ioctl(IOMMU_FAULT_QUEUE_ALLOC)
 * @size: sizeof(struct iommu_fault_alloc)
 * @flags: Must be 0
 * @out_fault_id: Id of the new queue
 * @out_fault_fd: File from which page requests are read and to which the
 *                answers are written
 *
 * Makes a queue for the page requests of devices attached to the HWPTs that
 * name it.
 */
struct iommu_fault_alloc {
	__u32 size;
	__u32 flags;
	__u32 out_fault_id;
	__u32 out_fault_fd;
};
#define IOMMU_FAULT_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_FAULT_QUEUE_ALLOC)

/**
 * enum iommu_viommu_type - Kind of a virtual IOMMU
 * @IOMMU_VIOMMU_TYPE_DEFAULT: Not a kind; refused
 * @IOMMU_VIOMMU_TYPE_ARM_SMMUV3: Arm SMMUv3
 * @IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: The same with NVIDIA's command queues
 */
enum iommu_viommu_type {
	IOMMU_VIOMMU_TYPE_DEFAULT = 0,
	IOMMU_VIOMMU_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_viommu_tegra241_cmdqv - Data of IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV
 * @out_vintf_mmap_offset: Offset to give to mmap() of the iommufd
 * @out_vintf_mmap_length: Length to give to mmap()
 */
struct iommu_viommu_tegra241_cmdqv {
	__aligned_u64 out_vintf_mmap_offset;
	__aligned_u64 out_vintf_mmap_length;
};

/**
 * struct iommu_viommu_alloc - ioctl(IOMMU_VIOMMU_ALLOC)
 * @size: sizeof(struct iommu_viommu_alloc)
 * @flags: Must be 0
 * @type: From &enum iommu_viommu_type
 * @dev_id: A device behind the physical IOMMU to take a slice of
 * @hwpt_id: Paging HWPT made with IOMMU_HWPT_ALLOC_NEST_PARENT
 * @out_viommu_id: Id of the new vIOMMU
 * @data_len: Bytes at @data_uptr
 * @__reserved: Must be 0
 * @data_uptr: Data of the driver, in or out
 *
 * Makes a slice of a physical IOMMU for one virtual machine, below which nested
 * page tables, virtual devices and queues are made.
 */
struct iommu_viommu_alloc {
	__u32 size;
	__u32 flags;
	__u32 type;
	__u32 dev_id;
	__u32 hwpt_id;
	__u32 out_viommu_id;
	__u32 data_len;
	__u32 __reserved;
	__aligned_u64 data_uptr;
};
#define IOMMU_VIOMMU_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VIOMMU_ALLOC)

/**
 * struct iommu_vdevice_alloc - ioctl(IOMMU_VDEVICE_ALLOC)
 * @size: sizeof(struct iommu_vdevice_alloc)
 * @viommu_id: vIOMMU of the virtual machine
 * @dev_id: Bound device
 * @out_vdevice_id: Id of the new vDEVICE
 * @virt_id: How the guest names the device to its IOMMU
 *
 * EEXIST: the device has a vDEVICE already, or @virt_id is taken.
 */
struct iommu_vdevice_alloc {
	__u32 size;
	__u32 viommu_id;
	__u32 dev_id;
	__u32 out_vdevice_id;
	__aligned_u64 virt_id;
};
#define IOMMU_VDEVICE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VDEVICE_ALLOC)

/**
 * struct iommu_ioas_change_process - ioctl(IOMMU_IOAS_CHANGE_PROCESS)
 * @size: sizeof(struct iommu_ioas_change_process)
 * @__reserved: Must be 0
 *
 * Moves the charges for all mappings of the context to the calling process. It
 * either moves all or none.
 *
 * EINVAL: there is a mapping that is not of a file.
 */
struct iommu_ioas_change_process {
	__u32 size;
	__u32 __reserved;
};
#define IOMMU_IOAS_CHANGE_PROCESS \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_CHANGE_PROCESS)

/**
 * enum iommu_veventq_flag - Flags of struct iommufd_vevent_header
 * @IOMMU_VEVENTQ_FLAG_LOST_EVENTS: The queue was full and events were dropped;
 *                                  no data follows
 */
enum iommu_veventq_flag {
	IOMMU_VEVENTQ_FLAG_LOST_EVENTS = 1 << 0,
};

/**
 * struct iommufd_vevent_header - What comes before each event of a vEVENTQ
 * @flags: From &enum iommu_veventq_flag
 * @sequence: Number of the event, 0 to INT_MAX and round again; dropped events
 *            count
 */
struct iommufd_vevent_header {
	__u32 flags;
	__u32 sequence;
};

/**
 * enum iommu_veventq_type - Kind of events
 * @IOMMU_VEVENTQ_TYPE_DEFAULT: Not a kind; refused
 * @IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: struct iommu_vevent_arm_smmuv3
 * @IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: struct iommu_vevent_tegra241_cmdqv
 */
enum iommu_veventq_type {
	IOMMU_VEVENTQ_TYPE_DEFAULT = 0,
	IOMMU_VEVENTQ_TYPE_ARM_SMMUV3 = 1,
	IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV = 2,
};

/**
 * struct iommu_vevent_arm_smmuv3 - Event record of an SMMUv3
 * @evt: The record with the guest's StreamID, little endian
 */
struct iommu_vevent_arm_smmuv3 {
	__aligned_le64 evt[4];
};

/**
 * struct iommu_vevent_tegra241_cmdqv - Event of a Tegra241 virtual interface
 * @lvcmdq_err_map: Bitmap of the queues in error, little endian
 */
struct iommu_vevent_tegra241_cmdqv {
	__aligned_le64 lvcmdq_err_map[2];
};

/**
 * struct iommu_veventq_alloc - ioctl(IOMMU_VEVENTQ_ALLOC)
 * @size: sizeof(struct iommu_veventq_alloc)
 * @flags: Must be 0
 * @viommu_id: vIOMMU whose events to deliver
 * @type: From &enum iommu_veventq_type
 * @veventq_depth: Events to keep, 1 to 2^19
 * @out_veventq_id: Id of the new queue
 * @out_veventq_fd: File from which events are read
 * @__reserved: Must be 0
 *
 * EEXIST: this vIOMMU has a queue of that type.
 */
struct iommu_veventq_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 veventq_depth;
	__u32 out_veventq_id;
	__u32 out_veventq_fd;
	__u32 __reserved;
};
#define IOMMU_VEVENTQ_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_VEVENTQ_ALLOC)

/**
 * enum iommu_hw_queue_type - Kind of a hardware queue
 * @IOMMU_HW_QUEUE_TYPE_DEFAULT: Not a kind; refused
 * @IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: Virtual command queue of a Tegra241
 */
enum iommu_hw_queue_type {
	IOMMU_HW_QUEUE_TYPE_DEFAULT = 0,
	IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV = 1,
};

/**
 * struct iommu_hw_queue_alloc - ioctl(IOMMU_HW_QUEUE_ALLOC)
 * @size: sizeof(struct iommu_hw_queue_alloc)
 * @flags: Must be 0
 * @viommu_id: vIOMMU the queue belongs to
 * @type: From &enum iommu_hw_queue_type
 * @index: Number of the queue in the vIOMMU
 * @out_hw_queue_id: Id of the new queue
 * @nesting_parent_iova: Guest-physical address of the queue
 * @length: Bytes in the queue
 *
 * Lets the hardware read a queue of the guest directly. The memory has to be
 * physically contiguous and cannot be unmapped while the queue exists.
 */
struct iommu_hw_queue_alloc {
	__u32 size;
	__u32 flags;
	__u32 viommu_id;
	__u32 type;
	__u32 index;
	__u32 out_hw_queue_id;
	__aligned_u64 nesting_parent_iova;
	__aligned_u64 length;
};
#define IOMMU_HW_QUEUE_ALLOC _IO(IOMMUFD_TYPE, IOMMUFD_CMD_HW_QUEUE_ALLOC)

/**
 * struct iommu_ioas_noiommu_get_pa - ioctl(IOMMU_IOAS_NOIOMMU_GET_PA)
 * @size: sizeof(struct iommu_ioas_noiommu_get_pa)
 * @flags: Must be 0
 * @ioas_id: IOAS without any IOMMU page table
 * @__reserved: Must be 0
 * @iova: Address to look up
 * @length: In: bytes of interest. Out: bytes that are physically contiguous
 * @out_phys: Physical address
 *
 * For devices without an IOMMU, whose driver in user space has to program
 * physical addresses. Needs CAP_SYS_RAWIO.
 */
struct iommu_ioas_noiommu_get_pa {
	__u32 size;
	__u32 flags;
	__u32 ioas_id;
	__u32 __reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 out_phys;
};
#define IOMMU_IOAS_NOIOMMU_GET_PA \
	_IO(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA)

#endif
