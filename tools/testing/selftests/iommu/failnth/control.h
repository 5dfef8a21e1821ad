/* SPDX-License-Identifier: GPL-2.0 */
/* Failing the n-th memory allocation of the calling thread. */
#ifndef IOMMU_TEST_FAILNTH_H
#define IOMMU_TEST_FAILNTH_H

#include <stdbool.h>

/* -ENOENT: the kernel can not do that. */
int __failnth_init(void);
/* The @nth allocation from now on fails, 1 being the next. */
void failnth_arm(unsigned int nth);
/* Did it get that far? */
bool failnth_disarm(void);

#endif
