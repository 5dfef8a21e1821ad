/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page faults of mock devices.
 */
#ifndef __IOMMUFD_MOCK_FAULT_H
#define __IOMMUFD_MOCK_FAULT_H

struct device;
struct iommu_page_response;
struct iopf_fault;
struct mock_dev;

int mock_fault_report(struct mock_dev *mdev, struct iopf_fault *event);
void mock_fault_answer(struct device *dev, struct iopf_fault *fault,
		       struct iommu_page_response *answer);
void mock_fault_forget(struct mock_dev *mdev);

#endif
