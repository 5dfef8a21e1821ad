// SPDX-License-Identifier: GPL-2.0
/*
 * Peer-to-peer: the DMA of one device into a BAR of another, and that it ends when the
 * BAR goes away. The first is an edu; the other an igb, whose table of multicast
 * addresses is memory that anybody can write and read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container.h"
#include "context_info.h"
#include "edu.h"
#include "iommufd.h"
#include "kselftest_harness.h"
#include "observe.h"

#define MEM_IOVA 0x100000
#define BAR_IOVA 0x800000
/* The table within the BAR, and how much of it is used */
#define TABLE 0x5200
#define BYTES 64

FIXTURE(peer)
{
	struct vdev edu, igb;
	int iommufd;
	__u32 ioas;
	char *mem;
};

FIXTURE_SETUP(peer)
{
	struct pci_list edu, igb;

	self->edu.fd = -1;
	self->igb.fd = -1;
	pci_find(ID_EDU, &edu);
	pci_find(ID_IGB, &igb);
	if (!edu.n || !igb.n)
		SKIP(return, "needs an edu and an igb");
	pci_bind(edu.bdf[0], "vfio-pci");
	pci_bind(igb.bdf[0], "vfio-pci");

	self->iommufd = iommufd_open();
	self->ioas = ioas_alloc(self->iommufd);
	vdev_start(&self->edu, edu.bdf[0], self->iommufd);
	vdev_start(&self->igb, igb.bdf[0], self->iommufd);
	vdev_attach(&self->edu, self->ioas);
	self->mem = alloc_pages(PAGE);
	ioas_map_at(self->iommufd, self->ioas, self->mem, PAGE, MEM_IOVA);
}

FIXTURE_TEARDOWN(peer)
{
	vdev_close(&self->edu);
	vdev_close(&self->igb);
	close(self->iommufd);
}

static int __map_bar(int iommufd, __u32 ioas, struct vdev *dev, __u32 flags)
{
	__u64 iova = BAR_IOVA;

	return __ioas_map(iommufd, ioas, flags, (void *)dev->bar0, dev->bar0_size, &iova);
}

static bool table_holds(struct vdev *igb, const char *bytes)
{
	unsigned int i;
	__u32 word;

	for (i = 0; i < BYTES; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		if (reg_read(igb, TABLE + i) != word)
			return false;
	}
	return true;
}

/* Can edu write to the table? Whatever it was, it is then something else. */
static bool reaches(struct vdev *edu, char *mem, struct vdev *igb)
{
	static char pattern;

	pattern++;
	memset(mem, pattern, BYTES);
	edu_copy(edu, MEM_IOVA, BAR_IOVA + TABLE, BYTES);
	return table_holds(igb, mem);
}

/* The IOMMU reports a fault for what edu writes to the BAR. */
static bool faults(struct vdev *edu)
{
	long before = fault_count();
	bool seen;

	faults_expected(true);
	edu_copy(edu, MEM_IOVA, BAR_IOVA + TABLE, BYTES);
	seen = fault_seen(before);
	faults_expected(false);
	return seen;
}

TEST_F(peer, dma_reaches_a_bar)
{
	unsigned int i;

	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	for (i = 0; i < BYTES; i++)
		self->mem[i] = i * 3 + 1;
	edu_copy(&self->edu, MEM_IOVA, BAR_IOVA + TABLE, BYTES);
	EXPECT_TRUE(table_holds(&self->igb, self->mem));

	/* And back. */
	reg_write(&self->igb, TABLE, 0x12345678);
	edu_copy(&self->edu, BAR_IOVA + TABLE, MEM_IOVA + BYTES, BYTES);
	EXPECT_EQ(0x12345678, *(__u32 *)(self->mem + BYTES));
	EXPECT_EQ(0, memcmp(self->mem + 4, self->mem + BYTES + 4, BYTES - 4));

	EXPECT_EQ((long)self->igb.bar0_size,
		  __ioas_unmap(self->iommufd, self->ioas, BAR_IOVA, self->igb.bar0_size));
	EXPECT_TRUE(faults(&self->edu));
}

TEST_F(peer, debugfs_tells_a_bar_from_memory)
{
	char line[128];

	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	snprintf(line, sizeof(line), "\n%u %#x-%#zx %zu rw mapped 0 device %#lx\n", self->ioas,
		 BAR_IOVA, BAR_IOVA + self->igb.bar0_size - 1, self->igb.bar0_size,
		 (unsigned long)self->igb.bar0);
	EXPECT_NE(NULL, strstr(context_debugfs(self->iommufd, "mappings"), line));
}

TEST_F(peer, nothing_is_pinned_or_charged)
{
	long pinned = pinned_pages(), locked = proc_status_kb(getpid(), "VmPin");

	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	EXPECT_EQ(pinned, pinned_pages());
	EXPECT_EQ(locked, proc_status_kb(getpid(), "VmPin"));
}

TEST_F(peer, page_table_that_comes_later_has_the_bar)
{
	vdev_detach(&self->edu);
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	vdev_attach(&self->edu, self->ioas);
	EXPECT_TRUE(reaches(&self->edu, self->mem, &self->igb));
}

TEST_F(peer, revoked_when_memory_decode_is_off)
{
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));

	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, false));
	memset(self->mem, 0, PAGE);
	EXPECT_TRUE(faults(&self->edu));

	/* For good: what is there now may be something else. */
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, true));
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_FALSE(table_holds(&self->igb, self->mem));

	/* The area has stayed, and makes place for a new one. */
	EXPECT_EQ(-EEXIST, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	EXPECT_EQ((long)self->igb.bar0_size,
		  __ioas_unmap(self->iommufd, self->ioas, BAR_IOVA, self->igb.bar0_size));
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	EXPECT_TRUE(reaches(&self->edu, self->mem, &self->igb));
}

TEST_F(peer, revoked_by_reset)
{
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));

	ASSERT_EQ(0, __vdev_reset(&self->igb));
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, true));
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_FALSE(table_holds(&self->igb, self->mem));
}

TEST_F(peer, revoked_by_hot_reset)
{
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));

	ASSERT_EQ(0, __vdev_hot_reset(&self->igb));
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, true));
	EXPECT_EQ(0, reg_read(&self->igb, TABLE));
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_FALSE(table_holds(&self->igb, self->mem));
}

TEST_F(peer, revoked_by_low_power)
{
	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));

	ASSERT_EQ(0, __vdev_set_power(&self->igb, 3));
	memset(self->mem, 0x77, PAGE);
	EXPECT_TRUE(faults(&self->edu));
	ASSERT_EQ(0, __vdev_set_power(&self->igb, 0));
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, true));
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_FALSE(table_holds(&self->igb, self->mem));
}

TEST_F(peer, revoked_by_close)
{
	size_t size = self->igb.bar0_size;

	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));
	vdev_close(&self->igb);
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_EQ((long)size, __ioas_unmap(self->iommufd, self->ioas, BAR_IOVA, size));
}

TEST_F(peer, revoked_in_every_ioas)
{
	__u32 other = ioas_alloc(self->iommufd);
	__u64 iova = BAR_IOVA, mem_iova = MEM_IOVA;

	ASSERT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_EQ(0, __ioas_copy(self->iommufd, MAP_FIXED_RW, other, self->ioas,
				 self->igb.bar0_size, &iova, BAR_IOVA));
	ASSERT_EQ(0, __ioas_copy(self->iommufd, MAP_FIXED_RW, other, self->ioas, PAGE,
				 &mem_iova, MEM_IOVA));
	vdev_attach(&self->edu, other);
	ASSERT_TRUE(reaches(&self->edu, self->mem, &self->igb));

	ASSERT_EQ(0, __vdev_reset(&self->igb));
	EXPECT_TRUE(faults(&self->edu));
	/* Nor does a new page table, or a copy of what was revoked, lead there. */
	vdev_attach(&self->edu, self->ioas);
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_EQ((long)self->igb.bar0_size,
		  __ioas_unmap(self->iommufd, self->ioas, BAR_IOVA, self->igb.bar0_size));
	iova = BAR_IOVA;
	ASSERT_EQ(0, __ioas_copy(self->iommufd, MAP_FIXED_RW, self->ioas, other,
				 self->igb.bar0_size, &iova, BAR_IOVA));
	EXPECT_TRUE(faults(&self->edu));
}

TEST_F(peer, bar_must_be_there)
{
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, false));
	EXPECT_EQ(-EFAULT, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	ASSERT_EQ(0, __vdev_enable_memory(&self->igb, true));
	EXPECT_EQ(0, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
}

/* C1: a context reaches its own devices only. */
TEST_F(peer, C1_bar_of_another_context_is_refused)
{
	int other = iommufd_open();
	bdf_t bdf;

	strcpy(bdf, self->igb.bdf);
	vdev_close(&self->igb);
	vdev_start(&self->igb, bdf, other);
	EXPECT_EQ(-EFAULT, __map_bar(self->iommufd, self->ioas, &self->igb, MAP_FIXED_RW));
	EXPECT_EQ(0, __map_bar(other, ioas_alloc(other), &self->igb, MAP_FIXED_RW));
	close(other);
}

TEST_F(peer, mapping_must_allow_it)
{
	struct vdev *igb = &self->igb;
	__u64 iova = BAR_IOVA;

	EXPECT_EQ(-EFAULT, __ioas_map(self->iommufd, self->ioas, MAP_FIXED_RW,
				      (void *)igb->bar0, igb->bar0_size + PAGE, &iova));
	ASSERT_EQ(0, mprotect((void *)igb->bar0, igb->bar0_size, PROT_READ));
	EXPECT_EQ(-EFAULT, __map_bar(self->iommufd, self->ioas, igb, MAP_FIXED_RW));
	EXPECT_EQ(0, __map_bar(self->iommufd, self->ioas, igb,
			       MAP_R | IOMMU_IOAS_MAP_FIXED_IOVA));
	EXPECT_TRUE(faults(&self->edu));
}

/* Use a device of a container by its registers. */
static void adopt(struct vdev *dev, const struct container *container)
{
	dev->fd = dup(container->device);
	must(__vdev_map_bar0(dev));
	must(__vdev_enable_dma(dev, true));
}

/* The same by the commands of a container, which both devices are in. */
TEST_F(peer, bar_in_a_container)
{
	struct container first, second;
	struct vdev *igb = &self->igb;

	vdev_close(&self->edu);
	vdev_close(igb);
	must(__container_open(&first, "/dev/iommu", self->edu.bdf, VFIO_TYPE1v2_IOMMU));
	must(__container_join(&second, &first, igb->bdf));
	adopt(&self->edu, &first);
	adopt(igb, &second);

	ASSERT_EQ(0, __container_map(&first, self->mem, PAGE, MEM_IOVA));
	ASSERT_EQ(0, __container_map(&first, (void *)igb->bar0, igb->bar0_size, BAR_IOVA));
	EXPECT_TRUE(reaches(&self->edu, self->mem, igb));
	ASSERT_EQ(0, __vdev_enable_memory(igb, false));
	EXPECT_TRUE(faults(&self->edu));
	EXPECT_EQ((long)igb->bar0_size, __container_unmap(&first, 0, BAR_IOVA, igb->bar0_size));
	container_close(&second);
	container_close(&first);
}

/* A BAR that did not come from vfio-pci: nobody would say when it goes away. */
TEST_F(peer, other_memory_without_pages_is_refused)
{
	struct pci_list nvme;
	char path[128];
	__u64 iova = BAR_IOVA;
	void *bar;
	int fd;

	pci_find(ID_NVME, &nvme);
	if (!nvme.n)
		SKIP(return, "no NVMe disk");
	ASSERT_EQ(0, __pci_unbind(nvme.bdf[0]));
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", nvme.bdf[0]);
	fd = open(path, O_RDWR);
	ASSERT_LE(0, fd);
	bar = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, bar);
	EXPECT_EQ(-EFAULT, __ioas_map(self->iommufd, self->ioas, MAP_FIXED_RW, bar, PAGE,
				      &iova));
	munmap(bar, PAGE);
	close(fd);
	pci_bind(nvme.bdf[0], "nvme");
}

TEST_HARNESS_MAIN
