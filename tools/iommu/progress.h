/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_PROGRESS_H
#define IOMMUCTL_PROGRESS_H

void progress_begin(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void progress_end(void);

#endif
