/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who reserved IOVAs, in words.
 */
#ifndef __IOMMUFD_OWNER_H
#define __IOMMUFD_OWNER_H

#include "internal.h"

/* Longest text, with its end */
#define IOMMUFD_OWNER_LEN 96

void iommufd_owner_text(const struct iommufd_object *owner, char *text, size_t size);
void iommufd_owner_report_hit(const struct iommufd_ioas *ioas, unsigned long start,
			      unsigned long last);
void iommufd_owner_report_conflict(const struct iommufd_object *owner, unsigned long start,
				   unsigned long last);

#endif
