// SPDX-License-Identifier: GPL-2.0
#include "edu.h"

enum {
	EDU_SRC = 0x80,
	EDU_DST = 0x88,
	EDU_COUNT = 0x90,
	EDU_COMMAND = 0x98,
	EDU_BUFFER_ADDR = 0x40000,

	EDU_COMMAND_RUN = 1 << 0,
	EDU_COMMAND_TO_MEMORY = 1 << 1,
};

static void start(struct vdev *dev, __u64 src, __u64 dst, unsigned int length, __u32 command)
{
	/* The emulation ends the whole machine when its buffer is overrun. */
	if (length > EDU_BUFFER)
		fatal("%u bytes do not fit into the device", length);
	edu_wait(dev);
	reg_write64(dev, EDU_SRC, src);
	reg_write64(dev, EDU_DST, dst);
	reg_write64(dev, EDU_COUNT, length);
	reg_write64(dev, EDU_COMMAND, command | EDU_COMMAND_RUN);
}

void edu_start_read(struct vdev *dev, __u64 iova, unsigned int length)
{
	start(dev, iova, EDU_BUFFER_ADDR, length, 0);
}

void edu_start_write(struct vdev *dev, __u64 iova, unsigned int length)
{
	start(dev, EDU_BUFFER_ADDR, iova, length, EDU_COMMAND_TO_MEMORY);
}

void edu_wait(struct vdev *dev)
{
	int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (!(reg_read(dev, EDU_COMMAND) & EDU_COMMAND_RUN))
			return;
		msleep(1);
	}
	fatal("%s: the DMA engine does not come to an end", dev->bdf);
}

void edu_copy(struct vdev *dev, __u64 src, __u64 dst, unsigned int length)
{
	edu_start_read(dev, src, length);
	edu_start_write(dev, dst, length);
	edu_wait(dev);
}
