// SPDX-License-Identifier: GPL-2.0
/*
 * A process takes over the mappings of a context: who pays before and after, and what
 * can not be taken over. The device goes on working all the time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "process.h"
#include "vfio.h"

#define IOVA 0x200000ULL
#define LENGTH MIB(1)
#define KB (LENGTH / 1024)
#define HEIR 1001

FIXTURE(inherit)
{
	struct vdev dev;
	int iommufd, fd;
	__u32 ioas;
	char *va;
	long pinned;
};

FIXTURE_VARIANT(inherit)
{
	bool by_process;
};

FIXTURE_VARIANT_ADD(inherit, by_user)
{
};

FIXTURE_VARIANT_ADD(inherit, by_process)
{
	.by_process = true,
};

static int __map_file(const FIXTURE_DATA(inherit) *self, __u32 ioas, __u64 iova)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map), .flags = MAP_FIXED_RW, .ioas_id = ioas,
		.fd = self->fd, .length = LENGTH, .iova = iova,
	};

	return ioctl(self->iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

static int __change_process(int iommufd)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg) };

	return __iommufd_ioctl(iommufd, IOMMU_IOAS_CHANGE_PROCESS, &arg);
}

FIXTURE_SETUP(inherit)
{
	struct pci_list edu;

	self->dev.fd = -1;
	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	self->fd = must(memfd_create("guest", 0));
	must(ftruncate(self->fd, LENGTH));
	self->va = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	memset(self->va, 0x5a, LENGTH);
	self->pinned = pinned_pages();
	self->iommufd = iommufd_open();
	must(__option_set(self->iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, variant->by_process));
	self->ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu.bdf[0], self->iommufd);
	vdev_attach(&self->dev, self->ioas);
	must(__map_file(self, self->ioas, IOVA));
}

FIXTURE_TEARDOWN(inherit)
{
	vdev_close(&self->dev);
	close(self->iommufd);
	close(self->fd);
	EXPECT_EQ(self->pinned, pinned_pages_settle(self->pinned));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
}

struct heir {
	size_t limit;
	int want;
	long vm_pin, vm_lck;
};

/* Becomes the process that pays, if it can, and then waits for its end. */
static int heir(int sock, void *arg)
{
	struct heir *plan = arg;
	int fd = receive_fd(sock), ret;

	become_user(HEIR, plan->limit);
	ret = __change_process(fd);
	close(fd);
	if (ret != plan->want)
		fatal("change of process: %s", errno_name(-ret));
	if (proc_status_kb(getpid(), "VmPin") != plan->vm_pin)
		fatal("VmPin is %ld kB", proc_status_kb(getpid(), "VmPin"));
	if (proc_status_kb(getpid(), "VmLck") != plan->vm_lck)
		fatal("VmLck is %ld kB", proc_status_kb(getpid(), "VmLck"));
	send_go(sock);
	wait_go(sock);
	/* What was unmapped meanwhile was given back to us. */
	if (proc_status_kb(getpid(), "VmPin"))
		fatal("VmPin is still %ld kB", proc_status_kb(getpid(), "VmPin"));
	return 0;
}

static int start_heir(const FIXTURE_DATA(inherit) *self, struct heir *plan,
		      struct child *child)
{
	child_start(child, heir, plan);
	send_fd(child->sock, self->iommufd);
	return wait_go(child->sock) ? 0 : -EIO;
}

static bool device_works(FIXTURE_DATA(inherit) *self)
{
	memset(self->va + PAGE, 0, PAGE);
	edu_copy(&self->dev, IOVA, IOVA + PAGE, PAGE);
	return !memcmp(self->va, self->va + PAGE, PAGE);
}

TEST_F(inherit, the_heir_pays)
{
	struct heir plan = { .limit = LENGTH, .vm_pin = KB,
			     .vm_lck = variant->by_process ? KB : 0 };
	long pinned = pinned_pages();
	struct child child;

	EXPECT_EQ(KB, proc_status_kb(getpid(), "VmPin"));
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(pinned, pinned_pages());
	EXPECT_TRUE(device_works(self));

	EXPECT_EQ(LENGTH, __ioas_unmap(self->iommufd, self->ioas, IOVA, LENGTH));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

TEST_F(inherit, mappings_and_charge_outlive_the_one_who_left)
{
	struct heir plan = { .limit = LENGTH, .vm_pin = KB,
			     .vm_lck = variant->by_process ? KB : 0 };
	struct child child;

	ASSERT_EQ(0, start_heir(self, &plan, &child));
	kill(child.pid, SIGKILL);
	child_wait(&child);
	EXPECT_TRUE(device_works(self));
	/* And back again, from one that is no more. */
	EXPECT_EQ(0, __change_process(self->iommufd));
	EXPECT_EQ(KB, proc_status_kb(getpid(), "VmPin"));
}

TEST_F(inherit, copies_are_paid_for_once)
{
	struct heir plan = { .limit = LENGTH, .vm_pin = KB,
			     .vm_lck = variant->by_process ? KB : 0 };
	__u32 other = ioas_alloc(self->iommufd);
	struct child child;
	__u64 iova = GIB(1);

	must(__ioas_copy(self->iommufd, MAP_FIXED_RW, other, self->ioas, LENGTH, &iova, IOVA));
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(LENGTH, __ioas_unmap_all(self->iommufd, self->ioas));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

/* The first of two mappings fits the limit, the second does not. */
TEST_F(inherit, beyond_the_limit_nothing_changes)
{
	struct heir plan = { .limit = LENGTH, .want = -ENOMEM };
	struct child child;

	must(__map_file(self, self->ioas, GIB(1)));
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	EXPECT_EQ(2 * KB, proc_status_kb(getpid(), "VmPin"));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
	EXPECT_TRUE(device_works(self));

	/* The heir has its whole limit. */
	EXPECT_EQ(LENGTH, __ioas_unmap(self->iommufd, self->ioas, GIB(1), LENGTH));
	plan = (struct heir){ .limit = LENGTH, .vm_pin = KB,
			      .vm_lck = variant->by_process ? KB : 0 };
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	EXPECT_EQ(LENGTH, __ioas_unmap_all(self->iommufd, self->ioas));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

/* What nothing is attached to is pinned later, at the expense of the heir. */
TEST_F(inherit, later_pins_are_paid_for_by_the_heir)
{
	struct heir plan = { .limit = LENGTH };
	struct child child;

	vdev_detach(&self->dev);
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	vdev_attach(&self->dev, self->ioas);
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(KB, proc_status_kb(child.pid, "VmPin"));
	EXPECT_TRUE(device_works(self));
	vdev_detach(&self->dev);
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
}

TEST_F(inherit, addresses_can_not_be_inherited)
{
	struct iommu_ioas_change_process arg = { .size = sizeof(arg), .__reserved = 1 };
	struct heir plan = { .limit = LENGTH, .want = -EINVAL };
	__u32 other = ioas_alloc(self->iommufd);
	char *memory = alloc_pages(PAGE);
	struct child child;

	EXPECT_EQ(-EOPNOTSUPP, __iommufd_ioctl(self->iommufd, IOMMU_IOAS_CHANGE_PROCESS, &arg));
	/* In another IOAS, so that the file's mapping has changed before. */
	ioas_map_at(self->iommufd, other, memory, PAGE, IOVA);
	ASSERT_EQ(0, start_heir(self, &plan, &child));
	EXPECT_EQ(KB, proc_status_kb(getpid(), "VmPin"));
	send_go(child.sock);
	EXPECT_EQ(0, child_wait(&child));
	EXPECT_EQ(-EINVAL, __change_process(self->iommufd));
}

TEST_F(inherit, the_same_process_again_changes_nothing)
{
	EXPECT_EQ(0, __change_process(self->iommufd));
	EXPECT_EQ(0, __change_process(self->iommufd));
	EXPECT_EQ(KB, proc_status_kb(getpid(), "VmPin"));
	EXPECT_TRUE(device_works(self));
}

TEST_HARNESS_MAIN
