// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "pair.h"

bool pair_find(struct pair *pair, enum pci_id id)
{
	struct pci_list list;

	if (!pci_find_group(id, 2, &list))
		return false;
	memcpy(pair->f0, list.bdf[0], BDF_LEN);
	memcpy(pair->f1, list.bdf[1], BDF_LEN);
	pair->group = __pci_group(pair->f0);
	pair->driver = id == ID_E1000E ? "e1000e" : "e1000";
	return true;
}

void pair_to_vfio(const struct pair *pair)
{
	pci_bind(pair->f0, "vfio-pci");
	pci_bind(pair->f1, "vfio-pci");
}

void pair_to_kernel(const struct pair *pair)
{
	pci_bind(pair->f0, pair->driver);
	pci_bind(pair->f1, pair->driver);
}

bool pair_is_blamed(const struct pair *pair, struct klog *log)
{
	char number[16];

	snprintf(number, sizeof(number), "group %d ", pair->group);
	return klog_wait(log, 2000, pair->f0, number) && strstr(log->line, pair->driver);
}

bool nic_is_blocked(struct vdev *dev)
{
	void *page = alloc_pages(PAGE);
	bool worked, fault = false;
	struct klog log;
	struct nic nic;
	int tries;

	if (mlock(page, PAGE))
		fatal("mlock");
	klog_open(&log);
	faults_expected(true);
	nic_setup(&nic, dev, page, phys_of(page));
	worked = nic_works(&nic);
	/* The log is rate limited to 10 lines in 5 s, so it may take another try. */
	for (tries = 0; !worked && !fault && tries < 12; tries++) {
		fault = klog_wait_fault(&log, 500, dev->bdf);
		if (!fault)
			worked = nic_works(&nic);
	}
	worked |= nic_touched(page);
	faults_expected(false);
	klog_close(&log);
	munmap(page, PAGE);
	return fault && !worked;
}

bool nic_reaches(struct vdev *dev, int iommufd, __u32 ioas, __u64 iova)
{
	void *page = alloc_pages(PAGE);
	struct nic nic;
	bool works;

	ioas_map_at(iommufd, ioas, page, PAGE, iova);
	nic_setup(&nic, dev, page, iova);
	works = nic_works(&nic);
	must(__ioas_unmap(iommufd, ioas, iova, PAGE));
	munmap(page, PAGE);
	return works;
}
