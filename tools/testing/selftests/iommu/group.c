// SPDX-License-Identifier: GPL-2.0
/*
 * Who owns a group, and what its devices can do to memory meanwhile.
 *
 * Two e1000e functions of one card share a group because nothing between them and the
 * IOMMU keeps them apart. Their own DMA shows what the IOMMU lets pass.
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
#define NOBODY_UID 65534

FIXTURE(group)
{
	struct pair pair;
	struct vdev f0, f1;
	struct klog log;
	int iommufd;
};

FIXTURE_SETUP(group)
{
	self->f0.fd = -1;
	self->f1.fd = -1;
	if (!pair_find(&self->pair, ID_E1000E))
		SKIP(return, "no two e1000e functions in one group");
	pair_to_vfio(&self->pair);
	self->iommufd = iommufd_open();
	klog_open(&self->log);
}

FIXTURE_TEARDOWN(group)
{
	vdev_close(&self->f0);
	vdev_close(&self->f1);
	klog_close(&self->log);
	close(self->iommufd);
}

TEST_F(group, G1_member_on_kernel_driver_blocks_bind)
{
	__u32 value;
	int other;

	pci_bind(self->pair.f0, self->pair.driver);
	ASSERT_EQ(0, __vdev_open(&self->f1, self->pair.f1));
	EXPECT_EQ(-EPERM, __vdev_bind(&self->f1, self->iommufd));

	EXPECT_TRUE(pair_is_blamed(&self->pair, &self->log));

	/* Nothing is left claimed: no access, and drivers come and go. */
	EXPECT_EQ(-EINVAL, __vdev_config_read(&self->f1, 0, &value, sizeof(value)));
	EXPECT_EQ(0, __pci_unbind(self->pair.f0));
	EXPECT_EQ(0, __pci_bind(self->pair.f0, self->pair.driver));
	EXPECT_EQ(0, __pci_unbind(self->pair.f0));

	/* A context that had nothing to do with it finds the group free. */
	other = iommufd_open();
	EXPECT_EQ(0, __vdev_bind(&self->f1, other));
	close(other);
}

TEST_F(group, G2_bind_succeeds_once_all_members_are_on_vfio)
{
	pci_bind(self->pair.f0, self->pair.driver);
	ASSERT_EQ(0, __vdev_open(&self->f1, self->pair.f1));
	ASSERT_EQ(-EPERM, __vdev_bind(&self->f1, self->iommufd));

	pci_bind(self->pair.f0, "vfio-pci");
	EXPECT_EQ(0, __vdev_bind(&self->f1, self->iommufd));
}

TEST_F(group, G2_bind_succeeds_with_a_member_without_driver)
{
	ASSERT_EQ(0, __pci_unbind(self->pair.f0));
	ASSERT_EQ(0, __vdev_open(&self->f1, self->pair.f1));
	EXPECT_EQ(0, __vdev_bind(&self->f1, self->iommufd));
	EXPECT_EQ(0, __vdev_map_bar0(&self->f1));
}

TEST_F(group, G3_dma_of_every_member_is_blocked_from_bind_on)
{
	__u16 vendor;

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_start(&self->f1, self->pair.f1, self->iommufd);

	/* The registers are there, memory is not. */
	EXPECT_EQ(0, __vdev_config_read(&self->f0, 0, &vendor, sizeof(vendor)));
	EXPECT_EQ(0x8086, vendor);
	EXPECT_NE(~0U, reg_read(&self->f1, 8));
	EXPECT_TRUE(nic_is_blocked(&self->f0));
	EXPECT_TRUE(nic_is_blocked(&self->f1));
}

/* Keeps ringing the bell for frames at an address that only identity would translate. */
struct intruder {
	struct nic nic;
	void *page;
	bool stop;
};

static void *intrude(void *arg)
{
	struct intruder *intruder = arg;

	while (!__atomic_load_n(&intruder->stop, __ATOMIC_ACQUIRE)) {
		nic_setup(&intruder->nic, intruder->nic.dev, intruder->page,
			  phys_of(intruder->page));
		nic_start(&intruder->nic);
		msleep(1);
		if (nic_touched(intruder->page))
			return intruder;
	}
	return NULL;
}

TEST_F(group, G4_both_attached_translate_and_nothing_was_open_between)
{
	struct intruder intruder = { .nic.dev = &self->f0, .page = alloc_pages(PAGE) };
	__u32 ioas = ioas_alloc(self->iommufd);
	__u32 pt0 = ioas, pt1 = ioas;
	pthread_t thread;
	void *touched;

	ASSERT_EQ(0, mlock(intruder.page, PAGE));
	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_start(&self->f1, self->pair.f1, self->iommufd);

	faults_expected(true);
	ASSERT_EQ(0, pthread_create(&thread, NULL, intrude, &intruder));
	msleep(50);
	EXPECT_EQ(0, __vdev_attach(&self->f0, &pt0));
	msleep(50);
	EXPECT_EQ(0, __vdev_attach(&self->f1, &pt1));
	msleep(50);
	__atomic_store_n(&intruder.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, &touched);
	faults_expected(false);

	EXPECT_EQ(NULL, touched);
	EXPECT_EQ(pt0, pt1);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, ioas, IOVA));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, ioas, IOVA));
}

TEST_F(group, G5_group_keeps_its_page_table_until_the_last_detach)
{
	__u32 ioas = ioas_alloc(self->iommufd);

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_start(&self->f1, self->pair.f1, self->iommufd);
	vdev_attach(&self->f0, ioas);
	vdev_attach(&self->f1, ioas);

	/* The IOMMU can not tell them apart, so f1 keeps what f0 has. */
	vdev_detach(&self->f1);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, ioas, IOVA));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, ioas, IOVA));

	vdev_detach(&self->f0);
	EXPECT_TRUE(nic_is_blocked(&self->f0));
	EXPECT_TRUE(nic_is_blocked(&self->f1));
}

TEST_F(group, G6_group_stays_owned_while_one_device_is_bound)
{
	int other = iommufd_open();
	struct vdev again;

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_start(&self->f1, self->pair.f1, self->iommufd);
	vdev_close(&self->f1);

	ASSERT_EQ(0, __vdev_open(&self->f1, self->pair.f1));
	EXPECT_EQ(-EPERM, __vdev_bind(&self->f1, other));
	/* f0 is open: not even a second open gets to the question of ownership. */
	ASSERT_EQ(0, __vdev_open(&again, self->pair.f0));
	EXPECT_GT(0, __vdev_bind(&again, other));
	vdev_close(&again);

	EXPECT_EQ(0, __vdev_bind(&self->f1, self->iommufd));
	close(other);
}

TEST_F(group, G7_member_may_leave_vfio_while_the_group_is_owned)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	char driver[32];

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_attach(&self->f0, ioas);
	EXPECT_EQ(0, __pci_unbind(self->pair.f1));
	pci_driver(self->pair.f1, driver, sizeof(driver));
	EXPECT_STREQ("", driver);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, ioas, IOVA));
}

TEST_F(group, G8_kernel_driver_is_refused_while_the_group_is_owned)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	char driver[32];

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_attach(&self->f0, ioas);

	EXPECT_EQ(-EBUSY, __pci_bind(self->pair.f1, self->pair.driver));
	pci_driver(self->pair.f1, driver, sizeof(driver));
	EXPECT_STREQ("", driver);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, ioas, IOVA));

	vdev_detach(&self->f0);
	EXPECT_TRUE(nic_is_blocked(&self->f0));
	vdev_close(&self->f0);
	EXPECT_EQ(0, __pci_bind(self->pair.f1, self->pair.driver));
}

/* The table of multicast addresses, which is zero after a reset */
#define TABLE 0x5200
#define BY_ID (VFIO_PCI_HOT_RESET_FLAG_DEV_ID | VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED)

/* A hot reset concerns both functions, so the context has to own both. */
TEST_F(group, hot_reset_of_what_the_context_owns)
{
	__u32 ioas = ioas_alloc(self->iommufd);
	struct hot_reset reset;

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_attach(&self->f0, ioas);
	ASSERT_EQ(0, __vdev_hot_reset_info(&self->f0, &reset));
	EXPECT_EQ(2, reset.n);
	EXPECT_EQ(BY_ID, reset.flags);
	EXPECT_EQ(self->f0.id, hot_reset_id(&reset, self->pair.f0));
	/* Owned with the group, and without an id until it is bound. */
	EXPECT_EQ(VFIO_PCI_DEVID_OWNED, hot_reset_id(&reset, self->pair.f1));
	EXPECT_EQ(0, __vdev_hot_reset(&self->f0));

	vdev_start(&self->f1, self->pair.f1, self->iommufd);
	ASSERT_EQ(0, __vdev_hot_reset_info(&self->f0, &reset));
	EXPECT_EQ(BY_ID, reset.flags);
	EXPECT_EQ(self->f1.id, hot_reset_id(&reset, self->pair.f1));
	reg_write(&self->f1, TABLE, ~0U);
	EXPECT_EQ(0, __vdev_hot_reset(&self->f0));
	EXPECT_EQ(0, reg_read(&self->f1, TABLE));
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, ioas, IOVA));
}

TEST_F(group, hot_reset_is_refused_while_a_member_is_not_on_vfio)
{
	struct hot_reset reset;

	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	ASSERT_EQ(0, __pci_unbind(self->pair.f1));
	ASSERT_EQ(0, __vdev_hot_reset_info(&self->f0, &reset));
	EXPECT_EQ(VFIO_PCI_HOT_RESET_FLAG_DEV_ID, reset.flags);
	EXPECT_EQ(VFIO_PCI_DEVID_NOT_OWNED, (int)hot_reset_id(&reset, self->pair.f1));
	EXPECT_GT(0, __vdev_hot_reset(&self->f0));
}

/* What a process does until it is killed. */
struct victim {
	struct pair pair;
	void *shared;
	bool attach;
	bool busy;
};

static int victim(int sock, void *arg)
{
	struct victim *plan = arg;
	int iommufd = iommufd_open();
	struct vdev f0, f1;
	struct nic_load load;
	struct nic nic;

	vdev_start(&f0, plan->pair.f0, iommufd);
	vdev_start(&f1, plan->pair.f1, iommufd);
	if (plan->attach) {
		__u32 ioas = ioas_alloc(iommufd);

		/* There is room for this once: a charge that stays is in the way. */
		become_user(NOBODY_UID, MIB(1));
		ioas_map_at(iommufd, ioas, plan->shared, MIB(1), IOVA);
		vdev_attach(&f0, ioas);
		vdev_attach(&f1, ioas);
	}
	if (plan->busy) {
		nic_setup(&nic, &f0, plan->shared, IOVA);
		nic_load_start(&load, &nic);
		nic_load_wait(&load, 10);
	}
	send_go(sock);
	pause();
	return 0;
}

static void *shared_memory(void)
{
	void *va = mmap(NULL, MIB(1), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (va == MAP_FAILED)
		fatal("no shared memory");
	return va;
}

/* What a user is charged is forgotten with the last process of that user. */
static int stay_as_nobody(int sock, void *arg)
{
	(void)arg;
	become_user(NOBODY_UID, MIB(1));
	send_go(sock);
	return wait_go(sock);
}

TEST_F_TIMEOUT(group, G10_killed_owner_leaves_nothing_behind, 90)
{
	static const struct { bool attach, busy; } state[] = {
		{ false, false }, { true, false }, { true, true },
	};
	struct victim plan = { .pair = self->pair, .shared = shared_memory() };
	long before = pinned_pages();
	struct child nobody;
	unsigned int i;

	child_start(&nobody, stay_as_nobody, NULL);
	ASSERT_TRUE(wait_go(nobody.sock));
	for (i = 0; i < ARRAY_LEN(state); i++) {
		struct child child;

		plan.attach = state[i].attach;
		plan.busy = state[i].busy;
		child_start(&child, victim, &plan);
		ASSERT_TRUE(wait_go(child.sock));
		if (plan.attach)
			EXPECT_LE(before + (long)(MIB(1) / PAGE), pinned_pages());
		EXPECT_EQ(128 + SIGKILL, child_kill(&child));
		EXPECT_EQ(before, pinned_pages_settle(before));

		/* The group is free: this context gets it, and DMA is blocked. */
		vdev_start(&self->f0, self->pair.f0, self->iommufd);
		memset(plan.shared, 0, MIB(1));
		EXPECT_TRUE(nic_is_blocked(&self->f0));
		EXPECT_FALSE(nic_touched(plan.shared));
		vdev_close(&self->f0);
	}
	child_kill(&nobody);
}

/* Line number of the first, or last, line of @trace that contains @what; 0: none */
static unsigned long find_line(const char *trace, const char *what, bool last)
{
	unsigned long line = 0, found = 0;
	const char *end;

	for (; *trace; trace = end + (*end != 0)) {
		const char *hit = strstr(trace, what);

		end = strchrnul(trace, '\n');
		line++;
		if (hit && hit < end) {
			found = line;
			if (!last)
				break;
		}
	}
	return found;
}

TEST_F(group, G10_killed_owner_is_cut_off_before_its_pages_are_unpinned)
{
	static const char *const events[] = {
		"iommu/attach_device_to_domain", "iommu/unmap", "iommufd_test/unpin",
	};
	struct victim plan = {
		.pair = self->pair,
		.shared = shared_memory(),
		.attach = true,
		.busy = true,
	};
	unsigned long cut, unmap, unpin;
	struct child child;
	const char *trace;

	if (__trace_probe("unpin", "unpin_user_page_range_dirty_lock"))
		SKIP(return, "no tracing in this kernel");
	child_start(&child, victim, &plan);
	ASSERT_TRUE(wait_go(child.sock));
	ASSERT_EQ(0, __trace_start(events, ARRAY_LEN(events)));
	EXPECT_EQ(128 + SIGKILL, child_kill(&child));
	trace = trace_stop();

	/* The devices go to the blocking domain, the IOPTEs go, then the pins. */
	cut = find_line(trace, "attach_device_to_domain", false);
	unmap = find_line(trace, " unmap:", true);
	unpin = find_line(trace, " unpin:", false);
	ASSERT_NE(0, cut);
	ASSERT_NE(0, unmap);
	ASSERT_NE(0, unpin);
	EXPECT_LT(cut, unmap);
	EXPECT_LT(unmap, unpin);
}

FIXTURE(bridged)
{
	bdf_t nvme;
	struct vdev dev;
	int iommufd;
};

FIXTURE_SETUP(bridged)
{
	struct pci_list list;

	self->dev.fd = -1;
	pci_find(ID_NVME, &list);
	if (!list.n)
		SKIP(return, "no NVMe disk");
	memcpy(self->nvme, list.bdf[0], BDF_LEN);
	pci_bind(self->nvme, "vfio-pci");
	self->iommufd = iommufd_open();
}

FIXTURE_TEARDOWN(bridged)
{
	vdev_close(&self->dev);
	close(self->iommufd);
}

TEST_F(bridged, G9_port_driver_in_the_group_does_not_block_bind)
{
	char driver[32] = "";
	struct pci_list list;
	bool port = false;
	unsigned int i;

	pci_group_members(__pci_group(self->nvme), &list);
	for (i = 0; i < list.n; i++) {
		pci_driver(list.bdf[i], driver, sizeof(driver));
		port |= !strcmp(driver, "pcieport");
	}
	ASSERT_TRUE(port)
		TH_LOG("no port of a switch in the group of the disk");

	ASSERT_EQ(0, __vdev_open(&self->dev, self->nvme));
	EXPECT_EQ(0, __vdev_bind(&self->dev, self->iommufd));
	EXPECT_EQ(0, __vdev_map_bar0(&self->dev));
	/* CAP, the first register of a controller, is never all ones or zero. */
	EXPECT_NE(0, reg_read(&self->dev, 0));
	EXPECT_NE(~0U, reg_read(&self->dev, 0));
}

TEST_HARNESS_MAIN
