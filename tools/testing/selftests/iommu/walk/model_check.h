/* SPDX-License-Identifier: GPL-2.0 */
/* Is the kernel of the same opinion as a model? */
#ifndef IOMMU_TEST_MODEL_CHECK_H
#define IOMMU_TEST_MODEL_CHECK_H

#include "model.h"

/* Each returns NULL, or what differs. */
const char *model_check_ioas(struct model *m, int fd, struct ioas *ioas);
/* Every page table of the IOAS leads to all memory it should. */
const char *model_check_tables(struct model *m, int fd, struct ioas *ioas);
/* Pins of the pages of @n sources, which are all there are, and the charge for them */
const char *model_check_pins(struct model *m, int fd, const struct source *source,
			     unsigned int n);
/* No page table of the IOAS leads to that memory any more. */
const char *model_check_gone(struct model *m, int fd, struct ioas *ioas, __u64 iova,
			     const char *va, size_t length);

#endif
