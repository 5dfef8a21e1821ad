/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI devices, their drivers and IOMMU groups, as sysfs shows them. A device is
 * named by its address, "0000:01:00.0".
 */
#ifndef IOMMU_TEST_PCI_H
#define IOMMU_TEST_PCI_H

#include "util.h"

#define BDF_LEN 16
#define MAX_DEVS 32

typedef char bdf_t[BDF_LEN];

struct pci_list {
	unsigned int n;
	bdf_t bdf[MAX_DEVS];
};

/* Vendor in the upper half, device in the lower one. */
enum pci_id {
	ID_EDU = 0x123411e8,
	ID_E1000 = 0x8086100e,
	ID_E1000E = 0x808610d3,
	ID_IGB = 0x808610c9,
	ID_NVME = 0x1b360010,
	ID_VIRTIO_NET = 0x1af41041,
	ID_VIRTIO_BLK = 0x1af41042,
};

void pci_find(enum pci_id id, struct pci_list *list);
bool pci_is(const char *bdf, enum pci_id id);

/* The group a device is in, or -ENOENT. */
int __pci_group(const char *bdf);
void pci_group_members(int group, struct pci_list *list);
/* First group in which @n devices of that kind are, in order of their addresses. */
bool pci_find_group(enum pci_id id, unsigned int n, struct pci_list *list);

/* Name of the driver, or "" */
void pci_driver(const char *bdf, char *name, size_t size);
/* Take a device from its driver; success if it has none. */
int __pci_unbind(const char *bdf);
/* Let @driver, and no other, take the device. Moves it if necessary. */
int __pci_bind(const char *bdf, const char *driver);
void pci_bind(const char *bdf, const char *driver);

#endif
