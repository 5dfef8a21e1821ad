/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Just enough of an Intel e1000 or e1000e to make it do DMA.
 *
 * Sending one frame makes the card read a descriptor and the frame, and then write a
 * status bit back into the descriptor. So a frame proves that the card can read and
 * write the page in which both lie, and when the bit stays clear it can not.
 */
#ifndef IOMMU_TEST_NIC_H
#define IOMMU_TEST_NIC_H

#include "vfio.h"

struct nic {
	struct vdev *dev;
	/* One page of ours, and where the card finds it */
	void *page;
	unsigned int tail;
};

/* Make the card use @page, mapped at @iova, from now on. */
void nic_setup(struct nic *nic, struct vdev *dev, void *page, __u64 iova);
/* Ring the bell for one frame and return at once. */
void nic_start(struct nic *nic);
/* The same, and tell whether the status bit arrived. */
bool nic_works(struct nic *nic);
/* Has any status bit been written into @page? */
bool nic_touched(const void *page);

/* Frames in a loop, by a thread of its own. */
struct nic_load {
	struct nic *nic;
	unsigned long thread;
	bool stop;
	unsigned long sent;
	unsigned long lost;
};

void nic_load_start(struct nic_load *load, struct nic *nic);
void nic_load_stop(struct nic_load *load);
/* Wait until @n more frames have been sent. */
void nic_load_wait(struct nic_load *load, unsigned long n);

#endif
