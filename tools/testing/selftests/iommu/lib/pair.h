/* SPDX-License-Identifier: GPL-2.0 */
/* Two network cards of one IOMMU group, and the DMA of one of them. */
#ifndef IOMMU_TEST_PAIR_H
#define IOMMU_TEST_PAIR_H

#include "iommufd.h"
#include "nic.h"
#include "observe.h"

struct pair {
	bdf_t f0, f1;
	int group;
	/* The kernel's driver for them */
	const char *driver;
};

/* ID_E1000E: two functions of a card; ID_E1000: two cards behind a bridge. */
bool pair_find(struct pair *pair, enum pci_id id);

/* Hand both to vfio-pci. */
void pair_to_vfio(const struct pair *pair);
/* Hand both back to the kernel's driver. */
void pair_to_kernel(const struct pair *pair);
/* Does the kernel say in one line that @f0 with its driver keeps the group from VFIO? */
bool pair_is_blamed(const struct pair *pair, struct klog *log);

/*
 * Does the IOMMU stop the card's DMA? It must report a fault for this card, and a page
 * that the card would reach if there were no translation must stay as it is.
 */
bool nic_is_blocked(struct vdev *dev);
/* The card reads and writes a page newly mapped at @iova of @ioas. */
bool nic_reaches(struct vdev *dev, int iommufd, __u32 ioas, __u64 iova);

#endif
