// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <string.h>

#include "nic.h"

enum {
	NIC_IMC = 0x00d8,
	NIC_TCTL = 0x0400,
	NIC_TDBAL = 0x3800,
	NIC_TDBAH = 0x3804,
	NIC_TDLEN = 0x3808,
	NIC_TDH = 0x3810,
	NIC_TDT = 0x3818,

	NIC_TCTL_EN = 1 << 1,
	NIC_TCTL_PSP = 1 << 3,

	NIC_CMD_EOP = 1 << 0,
	NIC_CMD_IFCS = 1 << 1,
	NIC_CMD_RS = 1 << 3,
	NIC_STATUS_DD = 1 << 0,

	/* The shortest ring the card takes */
	RING_LEN = 8,
	FRAME_OFFSET = 2048,
	FRAME_LEN = 60,
};

struct tx_desc {
	__u64 addr;
	__u16 length;
	__u8 cso;
	__u8 cmd;
	__u8 status;
	__u8 css;
	__u16 special;
};

void nic_setup(struct nic *nic, struct vdev *dev, void *page, __u64 iova)
{
	struct tx_desc *ring = page;
	int i;

	nic->dev = dev;
	nic->page = page;
	nic->tail = 0;
	memset(page, 0, PAGE);
	for (i = 0; i < RING_LEN; i++) {
		ring[i].addr = iova + FRAME_OFFSET;
		ring[i].length = FRAME_LEN;
		ring[i].cmd = NIC_CMD_EOP | NIC_CMD_IFCS | NIC_CMD_RS;
	}

	reg_write(dev, NIC_TCTL, 0);
	reg_write(dev, NIC_IMC, ~0U);
	reg_write(dev, NIC_TDBAL, iova);
	reg_write(dev, NIC_TDBAH, iova >> 32);
	reg_write(dev, NIC_TDLEN, RING_LEN * sizeof(*ring));
	reg_write(dev, NIC_TDH, 0);
	reg_write(dev, NIC_TDT, 0);
	reg_write(dev, NIC_TCTL, NIC_TCTL_EN | NIC_TCTL_PSP);
}

void nic_start(struct nic *nic)
{
	struct tx_desc *ring = nic->page;

	ring[nic->tail].status = 0;
	nic->tail = (nic->tail + 1) % RING_LEN;
	/* The descriptor must be complete before the bell rings. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	reg_write(nic->dev, NIC_TDT, nic->tail);
}

static bool wait_done(struct nic *nic, unsigned int index)
{
	struct tx_desc *ring = nic->page;
	int tries;

	for (tries = 0; tries < 300; tries++) {
		if (__atomic_load_n(&ring[index].status, __ATOMIC_ACQUIRE) & NIC_STATUS_DD)
			return true;
		/* The emulated card is done before the bell's write returns. */
		if (tries > 20)
			msleep(1);
	}
	return false;
}

bool nic_works(struct nic *nic)
{
	unsigned int index = nic->tail;

	nic_start(nic);
	return wait_done(nic, index);
}

bool nic_touched(const void *page)
{
	const struct tx_desc *ring = page;
	int i;

	for (i = 0; i < RING_LEN; i++)
		if (ring[i].status)
			return true;
	return false;
}

static void *load_thread(void *arg)
{
	struct nic_load *load = arg;

	while (!__atomic_load_n(&load->stop, __ATOMIC_ACQUIRE)) {
		if (!nic_works(load->nic))
			__atomic_add_fetch(&load->lost, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&load->sent, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void nic_load_start(struct nic_load *load, struct nic *nic)
{
	pthread_t thread;

	memset(load, 0, sizeof(*load));
	load->nic = nic;
	if (pthread_create(&thread, NULL, load_thread, load))
		fatal("no thread");
	load->thread = thread;
}

void nic_load_wait(struct nic_load *load, unsigned long n)
{
	unsigned long goal = __atomic_load_n(&load->sent, __ATOMIC_RELAXED) + n;

	while (__atomic_load_n(&load->sent, __ATOMIC_RELAXED) < goal)
		msleep(1);
}

void nic_load_stop(struct nic_load *load)
{
	__atomic_store_n(&load->stop, true, __ATOMIC_RELEASE);
	pthread_join(load->thread, NULL);
}
