// SPDX-License-Identifier: GPL-2.0
/*
 * The open file of /dev/iommu is the security context, whoever holds it, and a group
 * belongs to one of them at most.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "pair.h"
#include "process.h"

#define IOVA 0x100000

FIXTURE(context)
{
	struct pci_list edu;
	struct vdev dev;
	int iommufd;
};

FIXTURE_SETUP(context)
{
	self->dev.fd = -1;
	pci_find(ID_EDU, &self->edu);
	if (!self->edu.n)
		SKIP(return, "no edu device");
	pci_bind(self->edu.bdf[0], "vfio-pci");
	self->iommufd = iommufd_open();
}

FIXTURE_TEARDOWN(context)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

static const char *edu_bdf(const FIXTURE_DATA(context) *self)
{
	return self->edu.bdf[0];
}

/* Does the device copy between the two halves of a page at @iova? */
static bool edu_moves(struct vdev *dev, char *page, __u64 iova)
{
	memset(page, 0x5a, 1024);
	memset(page + 2048, 0, 1024);
	edu_copy(dev, iova, iova + 2048, 1024);
	return !memcmp(page, page + 2048, 1024);
}

static int probe_ioas(int sock, void *arg)
{
	struct ranges ranges;
	__u32 ioas;
	int fd = receive_fd(sock);

	(void)arg;
	if (read(sock, &ioas, sizeof(ioas)) != sizeof(ioas))
		return 2;
	return __ioas_ranges(fd, ioas, &ranges) ? 1 : 0;
}

static int probe_inherited(int sock, void *arg)
{
	int *fd = arg;

	(void)sock;
	return __ioas_alloc(*fd, &(__u32){ 0 }) ? 1 : 0;
}

TEST_F(context, C1_dup_fork_and_passing_share_one_context)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	int copy = dup(self->iommufd);
	struct ranges ranges;
	struct child child;

	EXPECT_EQ(0, __ioas_ranges(copy, ioas, &ranges));
	close(copy);

	child_start(&child, probe_inherited, &self->iommufd);
	EXPECT_EQ(0, child_wait(&child));
	/* The child's object took the next id of ours. */
	EXPECT_EQ(ioas + 2, ioas_alloc(self->iommufd));

	child_start(&child, probe_ioas, NULL);
	send_fd(child.sock, self->iommufd);
	ASSERT_EQ(sizeof(ioas), write(child.sock, &ioas, sizeof(ioas)));
	EXPECT_EQ(0, child_wait(&child));
}

TEST_F(context, C1_two_opens_are_two_contexts)
{
	int other = iommufd_open();
	struct ranges ranges;
	__u32 ioas, pt;

	/* Not the first id, which the device will have in the other context. */
	ioas_alloc(self->iommufd);
	ioas = ioas_alloc(self->iommufd);
	pt = ioas;
	EXPECT_EQ(-ENOENT, __ioas_ranges(other, ioas, &ranges));

	/* A device of one can not use page tables of the other. */
	vdev_start(&self->dev, edu_bdf(self), other);
	EXPECT_EQ(-ENOENT, __vdev_attach(&self->dev, &pt));
	EXPECT_EQ(-ENOENT, __hwpt_alloc(self->iommufd, self->dev.id, ioas, 0, &pt));
	close(other);
}

TEST_F(context, C1_group_belongs_to_one_context)
{
	struct vdev f0 = { .fd = -1 }, f1 = { .fd = -1 };
	int other = iommufd_open();
	struct pair pair;

	if (!pair_find(&pair, ID_E1000E))
		SKIP(return, "no two e1000e functions in one group");
	pair_to_vfio(&pair);
	vdev_start(&f0, pair.f0, self->iommufd);
	ASSERT_EQ(0, __vdev_open(&f1, pair.f1));
	EXPECT_EQ(-EPERM, __vdev_bind(&f1, other));
	EXPECT_EQ(0, __vdev_bind(&f1, self->iommufd));
	vdev_close(&f0);
	vdev_close(&f1);

	/* Ever means at a time: afterwards anybody may have it. */
	vdev_start(&f1, pair.f1, other);
	vdev_close(&f1);
	close(other);
}

TEST_F(context, C2_bound_device_can_not_be_bound_again)
{
	char *page = alloc_pages(PAGE);
	__u32 ioas = ioas_alloc(self->iommufd);
	int other = iommufd_open();
	struct vdev again;

	vdev_start(&self->dev, edu_bdf(self), self->iommufd);
	vdev_attach(&self->dev, ioas);
	ioas_map_at(self->iommufd, ioas, page, PAGE, IOVA);

	EXPECT_EQ(-EINVAL, __vdev_bind(&self->dev, self->iommufd));
	EXPECT_EQ(-EINVAL, __vdev_bind(&self->dev, other));
	ASSERT_EQ(0, __vdev_open(&again, edu_bdf(self)));
	EXPECT_EQ(-EINVAL, __vdev_bind(&again, self->iommufd));
	EXPECT_EQ(-EINVAL, __vdev_bind(&again, other));
	vdev_close(&again);

	EXPECT_TRUE(edu_moves(&self->dev, page, IOVA));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->dev.id));
	close(other);
}

TEST_F(context, C3_context_lives_until_the_last_device_is_closed)
{
	char *page = alloc_pages(PAGE);
	__u32 ioas = ioas_alloc(self->iommufd);
	long before = pinned_pages();
	int other = iommufd_open();
	struct vdev again;

	vdev_start(&self->dev, edu_bdf(self), self->iommufd);
	vdev_attach(&self->dev, ioas);
	ioas_map_at(self->iommufd, ioas, page, PAGE, IOVA);
	close(self->iommufd);
	self->iommufd = other;

	/* Mapping, pin and ownership are still there. */
	EXPECT_TRUE(edu_moves(&self->dev, page, IOVA));
	EXPECT_EQ(before + 1, pinned_pages());
	EXPECT_EQ(4, proc_status_kb(getpid(), "VmPin"));
	ASSERT_EQ(0, __vdev_open(&again, edu_bdf(self)));
	EXPECT_GT(0, __vdev_bind(&again, other));

	vdev_close(&self->dev);
	EXPECT_EQ(before, pinned_pages_settle(before));
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	EXPECT_EQ(0, __vdev_bind(&again, other));
	vdev_close(&again);
}

/* A user without privileges who was given the context of somebody else. */
struct guest {
	__u32 ioas;
	size_t limit;
	const char *charged;
};

static int guest(int sock, void *arg)
{
	struct guest *plan = arg;
	char *memory = alloc_pages(plan->limit + PAGE);
	int fd = receive_fd(sock);
	__u64 iova = IOVA;
	long kb;

	become_user(1000, plan->limit);
	if (__ioas_map_at(fd, plan->ioas, memory, plan->limit + PAGE, iova) != -ENOMEM)
		fatal("more than the limit was pinned");
	if (proc_status_kb(getpid(), "VmPin"))
		fatal("the failed map left a charge");
	/* To the last page. */
	ioas_map_at(fd, plan->ioas, memory, plan->limit, iova);
	kb = plan->limit / 1024;
	if (proc_status_kb(getpid(), "VmPin") != kb)
		fatal("VmPin is %ld kB", proc_status_kb(getpid(), "VmPin"));
	if (plan->charged && proc_status_kb(getpid(), plan->charged) != kb)
		fatal("%s is %ld kB", plan->charged, proc_status_kb(getpid(), plan->charged));
	if (__ioas_map_at(fd, plan->ioas, memory, PAGE, iova + GIB(1)) != -ENOMEM)
		fatal("one page more was pinned");
	send_go(sock);
	wait_go(sock);
	return 0;
}

static int run_guest(int fd, struct guest *plan, struct child *child)
{
	child_start(child, guest, plan);
	send_fd(child->sock, fd);
	return wait_go(child->sock) ? 0 : -EIO;
}

TEST_F(context, C4_mapper_pays_by_user_whoever_made_the_context)
{
	char *memory = alloc_pages(MIB(4));
	struct guest plan = { .limit = MIB(1) };
	long before = pinned_pages();
	struct child first;

	plan.ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu_bdf(self), self->iommufd);
	vdev_attach(&self->dev, plan.ioas);
	ASSERT_EQ(0, run_guest(self->iommufd, &plan, &first));

	/* We have CAP_IPC_LOCK and no limit, and did not pay for the guest. */
	EXPECT_EQ(0, proc_status_kb(getpid(), "VmPin"));
	ioas_map_at(self->iommufd, plan.ioas, memory, MIB(4), GIB(2));
	EXPECT_EQ(4096, proc_status_kb(getpid(), "VmPin"));

	/* The guest's pins outlive it; unmapping them is up to anybody. */
	send_go(first.sock);
	EXPECT_EQ(0, child_wait(&first));
	EXPECT_EQ(before + 1280, pinned_pages());
	EXPECT_EQ(MIB(1), __ioas_unmap(self->iommufd, plan.ioas, IOVA, MIB(1)));
	EXPECT_EQ(before + 1024, pinned_pages_settle(before + 1024));

	/* The user has its whole limit again. */
	ASSERT_EQ(0, run_guest(self->iommufd, &plan, &first));
	send_go(first.sock);
	EXPECT_EQ(0, child_wait(&first));
}

static int second_of_user(int sock, void *arg)
{
	struct guest *plan = arg;
	char *memory = alloc_pages(PAGE);
	int fd = receive_fd(sock);

	become_user(1000, plan->limit);
	return __ioas_map_at(fd, plan->ioas, memory, PAGE, GIB(3)) == -ENOMEM ? 0 : 1;
}

TEST_F(context, C4_processes_of_one_user_share_the_limit)
{
	struct guest plan = { .limit = MIB(1) };
	struct child first, second;

	plan.ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu_bdf(self), self->iommufd);
	vdev_attach(&self->dev, plan.ioas);
	ASSERT_EQ(0, run_guest(self->iommufd, &plan, &first));
	child_start(&second, second_of_user, &plan);
	send_fd(second.sock, self->iommufd);
	EXPECT_EQ(0, child_wait(&second));
	send_go(first.sock);
	EXPECT_EQ(0, child_wait(&first));
}

TEST_F(context, C4_mapper_pays_by_process_in_that_mode)
{
	struct guest plan = { .limit = MIB(1), .charged = "VmLck" };
	struct child first, second;

	ASSERT_EQ(0, __option_set(self->iommufd, IOMMU_OPTION_RLIMIT_MODE, 0, 1));
	plan.ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->dev, edu_bdf(self), self->iommufd);
	vdev_attach(&self->dev, plan.ioas);
	ASSERT_EQ(0, run_guest(self->iommufd, &plan, &first));

	/* Another process of that user has a limit of its own. */
	child_start(&second, second_of_user, &plan);
	send_fd(second.sock, self->iommufd);
	EXPECT_EQ(1, child_wait(&second));
	send_go(first.sock);
	EXPECT_EQ(0, child_wait(&first));
}

TEST_F(context, compatibility_ioas_is_told)
{
	struct iommu_vfio_ioas arg = { .size = sizeof(arg), .op = IOMMU_VFIO_IOAS_SET };
	__u32 ioas = ioas_alloc(self->iommufd);

	arg.ioas_id = ioas;
	ASSERT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_VFIO_IOAS, &arg));
	arg.ioas_id = 77;
	arg.op = IOMMU_VFIO_IOAS_GET;
	ASSERT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_VFIO_IOAS, &arg));
	EXPECT_EQ(ioas, arg.ioas_id);
	arg.op = IOMMU_VFIO_IOAS_CLEAR;
	EXPECT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_VFIO_IOAS, &arg));
	arg.op = IOMMU_VFIO_IOAS_GET;
	EXPECT_EQ(-ENODEV, __iommufd_ioctl(self->iommufd, IOMMU_VFIO_IOAS, &arg));
}

TEST_HARNESS_MAIN
