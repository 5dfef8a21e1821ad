/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_CHECK_H
#define IOMMUCTL_CHECK_H

struct options;

void passed(const char *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void warned(const char *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void failed(const char *check, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void remedy(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void check_kernel(const struct options *options);
void check_iommu(const struct options *options);
void check_interrupts(const struct options *options);
void check_modules(const struct options *options);
void check_noiommu(const struct options *options);
void check_iommu_file(const struct options *options);
void check_devices(const struct options *options);
void check_memlock(const struct options *options);

#endif
