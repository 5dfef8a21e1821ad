// SPDX-License-Identifier: GPL-2.0
/*
 * Replacing page tables under devices that are at work, in a group of two.
 *
 * Both functions of an e1000e card are attached; the edu device is in a group of its own
 * and stays behind where a test needs somebody to. Interrupts of the IOMMU's fault unit
 * are counted, which no rate limit hides.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context_info.h"
#include "edu.h"
#include "kselftest_harness.h"
#include "observe.h"
#include "pair.h"
#include "process.h"

#define IOVA 0x100000
/* Where devices write to raise an interrupt; no mapping can be there. */
#define MSI_WINDOW 0xfee00000
#define REPLACES 40

FIXTURE(replace)
{
	struct pair pair;
	struct vdev f0, f1, edu;
	int iommufd;
	/* Two address spaces that map the same page at IOVA */
	__u32 a, b;
	void *page;
};

FIXTURE_SETUP(replace)
{
	__u64 iova = IOVA;

	self->f0.fd = -1;
	self->f1.fd = -1;
	self->edu.fd = -1;
	if (!pair_find(&self->pair, ID_E1000E))
		SKIP(return, "no two e1000e functions in one group");
	pair_to_vfio(&self->pair);
	self->iommufd = iommufd_open();
	self->a = ioas_alloc(self->iommufd);
	self->b = ioas_alloc(self->iommufd);
	self->page = alloc_pages(PAGE);
	ioas_map_at(self->iommufd, self->a, self->page, PAGE, IOVA);
	must(__ioas_copy(self->iommufd, MAP_FIXED_RW, self->b, self->a, PAGE, &iova, IOVA));
	vdev_start(&self->f0, self->pair.f0, self->iommufd);
	vdev_start(&self->f1, self->pair.f1, self->iommufd);
}

FIXTURE_TEARDOWN(replace)
{
	vdev_close(&self->f0);
	vdev_close(&self->f1);
	vdev_close(&self->edu);
	close(self->iommufd);
}

/* Both functions at work, each on a page that both address spaces map alike */
struct traffic {
	struct nic nic[2];
	struct nic_load load[2];
};

static void traffic_start(FIXTURE_DATA(replace) *self, struct traffic *traffic)
{
	void *page1 = alloc_pages(PAGE);
	__u64 iova = IOVA + PAGE;
	int i;

	ioas_map_at(self->iommufd, self->a, page1, PAGE, iova);
	must(__ioas_copy(self->iommufd, MAP_FIXED_RW, self->b, self->a, PAGE, &iova, iova));
	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	nic_setup(&traffic->nic[0], &self->f0, self->page, IOVA);
	nic_setup(&traffic->nic[1], &self->f1, page1, iova);
	for (i = 0; i < 2; i++)
		nic_load_start(&traffic->load[i], &traffic->nic[i]);
}

static void traffic_wait(struct traffic *traffic)
{
	nic_load_wait(&traffic->load[0], 2);
	nic_load_wait(&traffic->load[1], 2);
}

static void traffic_stop(struct traffic *traffic)
{
	nic_load_stop(&traffic->load[0]);
	nic_load_stop(&traffic->load[1]);
}

static void replace_often(FIXTURE_DATA(replace) *self, struct traffic *traffic)
{
	int i;

	for (i = 0; i < REPLACES; i++) {
		vdev_attach(i % 3 ? &self->f0 : &self->f1, i % 2 ? self->a : self->b);
		traffic_wait(traffic);
	}
}

/*
 * The VT-d driver of Linux 6.12 switches by taking the old context entry away and then
 * writing the new one, and DMA that comes between the two faults. So here the frames are
 * started by the processor that replaces, which does not do both at once: there is DMA
 * until a replace begins and from the moment it ends.
 */
TEST_F_TIMEOUT(replace, R1_running_dma_never_faults, 180)
{
	struct traffic traffic;
	long faults;

	run_on_one_cpu();
	traffic_start(self, &traffic);
	faults = fault_count();
	run_first();
	replace_often(self, &traffic);
	traffic_stop(&traffic);

	EXPECT_EQ(faults, fault_count());
	EXPECT_EQ(0, traffic.load[0].lost);
	EXPECT_EQ(0, traffic.load[1].lost);
	EXPECT_LE(REPLACES * 2, traffic.load[0].sent);
}

/*
 * And here frames come all the time, from other processors. They may meet the driver's
 * moment without an entry, but never a page table that lacks the page.
 */
TEST_F_TIMEOUT(replace, R1_parallel_dma_never_meets_an_incomplete_table, 180)
{
	struct traffic traffic;
	struct klog log;

	klog_open(&log);
	faults_expected(true);
	traffic_start(self, &traffic);
	replace_often(self, &traffic);
	traffic_stop(&traffic);
	faults_expected(false);

	/* Each function can fall into the gap once at each replace. */
	EXPECT_GE(REPLACES, traffic.load[0].lost);
	EXPECT_GE(REPLACES, traffic.load[1].lost);
	while (klog_wait(&log, 100, "DMAR: [DMA", NULL))
		EXPECT_NE(NULL, strstr(log.line, "Present bit in context entry is clear"))
			TH_LOG("%s", log.line);
	klog_close(&log);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->a, GIB(1)));
}

static unsigned int count_lines(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

TEST_F_TIMEOUT(replace, R1_each_device_is_switched_once, 180)
{
	static const char *const events[] = { "iommu/attach_device_to_domain" };

	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	if (__trace_start(events, 1))
		SKIP(return, "no tracing in this kernel");
	vdev_attach(&self->f1, self->b);
	/* By way of another domain, such as the blocking one, it would be more. */
	EXPECT_EQ(2, count_lines(trace_stop(), "attach_device_to_domain:"));
}

TEST_F(replace, R1_whole_group_moves)
{
	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	vdev_attach(&self->f0, self->b);

	/* Neither has anything to do with the old one any more. */
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->b, GIB(1)));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, self->b, GIB(1)));
	EXPECT_EQ(0, __destroy(self->iommufd, self->a));
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, self->b));
}

TEST_F(replace, R2_same_replace_through_the_other_device_does_nothing)
{
	static const char *const events[] = { "iommu/attach_device_to_domain" };
	__u32 moved, same;

	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	moved = vdev_attach(&self->f0, self->b);

	ASSERT_EQ(0, __trace_start(events, 1));
	same = vdev_attach(&self->f1, self->b);
	EXPECT_EQ(NULL, strstr(trace_stop(), "attach_device_to_domain:"));
	EXPECT_EQ(moved, same);
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, self->b, GIB(1)));
}

TEST_F(replace, R3_device_that_is_not_attached_can_not_replace)
{
	__u32 pt = self->b;

	/* f1 is not attached, so moving the group is not up to it. */
	vdev_attach(&self->f0, self->a);
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->f1, &pt));
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->a, GIB(1)));
	EXPECT_EQ(0, __destroy(self->iommufd, self->b));
}

TEST_F(replace, R3_replace_with_what_it_has_succeeds)
{
	__u32 first = vdev_attach(&self->f0, self->a);

	EXPECT_EQ(first, vdev_attach(&self->f0, self->a));
	EXPECT_EQ(first, vdev_attach(&self->f0, first));
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->a, GIB(1)));
	/* There is one user to count, not three. */
	vdev_detach(&self->f0);
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, first));
}

/* Do both functions use it, as fdinfo tells? */
static bool both_use(FIXTURE_DATA(replace) *self, __u32 hwpt)
{
	return info_value(context_line(self->iommufd, "device", self->f0.id), "hwpt") == hwpt &&
	       info_value(context_line(self->iommufd, "device", self->f1.id), "hwpt") == hwpt;
}

TEST_F(replace, R4_reported_page_table_is_the_one_in_use)
{
	__u32 a = vdev_attach(&self->f0, self->a);
	__u32 b, pt;

	EXPECT_EQ(a, vdev_attach(&self->f1, self->a));
	EXPECT_TRUE(both_use(self, a));
	b = vdev_attach(&self->f1, self->b);
	EXPECT_NE(a, b);
	EXPECT_TRUE(both_use(self, b));
	EXPECT_EQ(b, vdev_attach(&self->f0, b));
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, a));

	/* A failure reports and changes nothing. */
	pt = a;
	EXPECT_EQ(-ENOENT, __vdev_attach(&self->f0, &pt));
	EXPECT_EQ(a, pt);
	EXPECT_TRUE(both_use(self, b));
	EXPECT_EQ(b, vdev_attach(&self->f0, self->b));
	EXPECT_EQ(b, vdev_attach(&self->f1, self->b));

	/* One use per device: the table goes with the second one. */
	vdev_detach(&self->f0);
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, b));
	vdev_detach(&self->f1);
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, b));
}

static bool edu_moves(struct vdev *dev, char *page, __u64 iova)
{
	memset(page, 0xa5, 1024);
	memset(page + 2048, 0, 1024);
	edu_copy(dev, iova, iova + 2048, 1024);
	return !memcmp(page, page + 2048, 1024);
}

TEST_F(replace, R5_old_and_new_keep_mapping_also_for_another_group)
{
	char *page = alloc_pages(PAGE);
	struct pci_list edu;

	pci_find(ID_EDU, &edu);
	if (!edu.n)
		SKIP(return, "no edu device");
	pci_bind(edu.bdf[0], "vfio-pci");
	vdev_start(&self->edu, edu.bdf[0], self->iommufd);
	vdev_attach(&self->edu, self->a);
	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	vdev_attach(&self->f0, self->b);

	ioas_map_at(self->iommufd, self->a, page, PAGE, MIB(16));
	EXPECT_TRUE(edu_moves(&self->edu, page, MIB(16)));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, self->b, GIB(1)));

	/* What goes from the old one goes from the device that stayed there. */
	ASSERT_EQ((long)PAGE, __ioas_unmap(self->iommufd, self->a, MIB(16), PAGE));
	faults_expected(true);
	EXPECT_FALSE(edu_moves(&self->edu, page, MIB(16)));
	faults_expected(false);
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->b, GIB(1)));
}

struct mapper {
	int iommufd;
	__u32 ioas;
	bool stop;
	int rounds;
	int error;
};

static void *map_and_unmap(void *arg)
{
	struct mapper *mapper = arg;
	void *memory = alloc_pages(MIB(1));

	while (!__atomic_load_n(&mapper->stop, __ATOMIC_ACQUIRE) && !mapper->error) {
		mapper->error = __ioas_map_at(mapper->iommufd, mapper->ioas, memory, MIB(1),
					      GIB(1));
		if (!mapper->error &&
		    __ioas_unmap(mapper->iommufd, mapper->ioas, GIB(1), MIB(1)) != MIB(1))
			mapper->error = -EIO;
		__atomic_add_fetch(&mapper->rounds, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool both_work(struct mapper *mapper)
{
	return __atomic_load_n(&mapper[0].rounds, __ATOMIC_RELAXED) > 1 &&
	       __atomic_load_n(&mapper[1].rounds, __ATOMIC_RELAXED) > 1;
}

TEST_F(replace, R5_both_keep_mapping_during_replace)
{
	struct mapper mapper[2] = {
		{ .iommufd = self->iommufd, .ioas = self->a },
		{ .iommufd = self->iommufd, .ioas = self->b },
	};
	pthread_t thread[2];
	int i;

	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, map_and_unmap, &mapper[i]));
	for (i = 0; i < 50 || (i < 5000 && !both_work(mapper)); i++)
		vdev_attach(i % 3 ? &self->f0 : &self->f1, i % 2 ? self->a : self->b);
	vdev_attach(&self->f0, self->a);
	for (i = 0; i < 2; i++) {
		__atomic_store_n(&mapper[i].stop, true, __ATOMIC_RELEASE);
		pthread_join(thread[i], NULL);
		EXPECT_EQ(0, mapper[i].error);
		EXPECT_LT(0, mapper[i].rounds);
	}
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->a, GIB(2)));
}

/* Everything that a failed replace must leave alone */
struct state {
	struct ranges a, b;
	__u32 pt;
};

static void look(FIXTURE_DATA(replace) *self, struct state *state)
{
	must(__ioas_ranges(self->iommufd, self->a, &state->a));
	must(__ioas_ranges(self->iommufd, self->b, &state->b));
	state->pt = vdev_attach(&self->f0, self->a);
}

static bool state_equal(const struct state *x, const struct state *y)
{
	return ranges_equal(&x->a, &y->a) && ranges_equal(&x->b, &y->b) && x->pt == y->pt;
}

TEST_F(replace, R6_failed_replace_changes_nothing)
{
	struct state before, after;
	struct nic_load load;
	struct nic nic;
	long faults;
	__u32 pt;
	int i;

	/* The devices' MSI window will not fit into b. */
	ioas_map_at(self->iommufd, self->b, alloc_pages(PAGE), PAGE, MSI_WINDOW);
	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	look(self, &before);
	EXPECT_FALSE(ranges_contain(&before.a, MSI_WINDOW, MSI_WINDOW));

	nic_setup(&nic, &self->f0, self->page, IOVA);
	faults = fault_count();
	nic_load_start(&load, &nic);
	for (i = 0; i < 8; i++) {
		pt = self->b;
		EXPECT_EQ(-EADDRINUSE, __vdev_attach(i % 2 ? &self->f0 : &self->f1, &pt));
		EXPECT_EQ(self->b, pt);
		nic_load_wait(&load, 2);
	}
	nic_load_stop(&load);
	EXPECT_EQ(0, load.lost);
	EXPECT_EQ(faults, fault_count());

	look(self, &after);
	EXPECT_TRUE(state_equal(&before, &after));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, self->a, GIB(1)));
	/* No reference on b is left, and those on a are what they were. */
	EXPECT_EQ(0, __destroy(self->iommufd, self->b));
	vdev_detach(&self->f0);
	vdev_detach(&self->f1);
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, before.pt));
}

TEST_F(replace, R6_failed_replace_leaves_allowed_ranges_alone)
{
	struct iommu_iova_range range = { MSI_WINDOW, MSI_WINDOW + 0xfff };
	__u32 pt = self->b;

	ASSERT_EQ(0, __ioas_allow(self->iommufd, self->b, 1, &range));
	vdev_attach(&self->f0, self->a);
	EXPECT_EQ(-EADDRINUSE, __vdev_attach(&self->f0, &pt));
	EXPECT_EQ(0, __ioas_allow(self->iommufd, self->b, 1, &range));
	EXPECT_EQ(-EADDRINUSE, __ioas_allow(self->iommufd, self->a, 1, &range));
}

TEST_F(replace, R6_replace_within_one_ioas_keeps_its_reserved_ranges)
{
	struct ranges before, after;
	__u32 hwpt, pt;

	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	ASSERT_EQ(0, __ioas_ranges(self->iommufd, self->a, &before));
	ASSERT_EQ(0, __hwpt_alloc(self->iommufd, self->f0.id, self->a, 0, &hwpt));
	pt = hwpt;
	EXPECT_EQ(0, __vdev_attach(&self->f0, &pt));
	EXPECT_EQ(hwpt, pt);
	ASSERT_EQ(0, __ioas_ranges(self->iommufd, self->a, &after));
	EXPECT_TRUE(ranges_equal(&before, &after));
	EXPECT_EQ(-EINVAL, __ioas_map_at(self->iommufd, self->a, self->page, PAGE, MSI_WINDOW));
	EXPECT_TRUE(nic_reaches(&self->f1, self->iommufd, self->a, GIB(1)));

	vdev_detach(&self->f1);
	ASSERT_EQ(0, __ioas_ranges(self->iommufd, self->a, &after));
	EXPECT_TRUE(ranges_equal(&before, &after));
}

TEST_F(replace, R7_automatic_tables_go_and_explicit_ones_stay)
{
	__u32 automatic = vdev_attach(&self->f0, self->a);
	__u32 explicit;

	vdev_attach(&self->f1, self->a);
	ASSERT_EQ(0, __hwpt_alloc(self->iommufd, self->f0.id, self->b, 0, &explicit));
	EXPECT_EQ(explicit, vdev_attach(&self->f0, explicit));
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, automatic));

	/* An automatic one does not stand in for it, nor the reverse. */
	automatic = vdev_attach(&self->f1, self->b);
	EXPECT_NE(explicit, automatic);
	EXPECT_EQ(-EBUSY, __destroy(self->iommufd, automatic));
	EXPECT_EQ(0, __destroy(self->iommufd, explicit));
	EXPECT_EQ(-ENOENT, __destroy(self->iommufd, explicit));
}

/* A page table with a fault queue is for one device, and a group of two is attached. */
TEST_F(replace, R6_replace_that_the_switch_refuses_changes_nothing)
{
	struct iommu_fault_alloc queue = { .size = sizeof(queue) };
	struct iommu_hwpt_alloc table = {
		.size = sizeof(table), .flags = IOMMU_HWPT_FAULT_ID_VALID,
		.dev_id = self->f0.id, .pt_id = self->b,
	};
	struct state before, after;
	__u32 pt;

	vdev_attach(&self->f0, self->a);
	vdev_attach(&self->f1, self->a);
	ASSERT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_FAULT_QUEUE_ALLOC, &queue));
	table.fault_id = queue.out_fault_id;
	ASSERT_EQ(0, __iommufd_ioctl(self->iommufd, IOMMU_HWPT_ALLOC, &table));
	look(self, &before);

	pt = table.out_hwpt_id;
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->f0, &pt));
	EXPECT_EQ(-EINVAL, __vdev_attach(&self->f1, &pt));
	look(self, &after);
	EXPECT_TRUE(state_equal(&before, &after));
	EXPECT_TRUE(ranges_contain(&after.b, MSI_WINDOW, MSI_WINDOW));
	EXPECT_TRUE(nic_reaches(&self->f0, self->iommufd, self->a, GIB(1)));

	EXPECT_EQ(0, __destroy(self->iommufd, table.out_hwpt_id));
	close(queue.out_fault_fd);
	EXPECT_EQ(0, __destroy(self->iommufd, queue.out_fault_id));
}

TEST_HARNESS_MAIN
