/* SPDX-License-Identifier: GPL-2.0 */
#ifndef IOMMUCTL_REPORT_H
#define IOMMUCTL_REPORT_H

#include <stdbool.h>
#include <json-c/json.h>

/**
 * enum exit_code - What iommuctl ends with
 * @EXIT_FINE: The answer is yes, the work is done
 * @EXIT_NO: The question was answered with no: not ready, not viable
 * @EXIT_USAGE: Wrong arguments
 * @EXIT_DENIED: The caller lacks a permission
 * @EXIT_MISSING: The kernel lacks a module or a device file
 * @EXIT_NO_DEVICE: There is no such device
 * @EXIT_REFUSED: The machine or a process needs the device
 * @EXIT_TROUBLE: The kernel said no, or something went wrong on the way
 */
enum exit_code {
	EXIT_FINE,
	EXIT_NO,
	EXIT_USAGE,
	EXIT_DENIED,
	EXIT_MISSING,
	EXIT_NO_DEVICE,
	EXIT_REFUSED,
	EXIT_TROUBLE,
};

void report_begin(bool json);
void report_end(void);
bool report_is_json(void);
struct json_object *report_root(void);

void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int complain(enum exit_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void mend(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
enum exit_code code_of_errno(int error);

void add_string(struct json_object *to, const char *key, const char *value);
void add_number(struct json_object *to, const char *key, long long value);
void add_bool(struct json_object *to, const char *key, bool value);
struct json_object *add_array(struct json_object *to, const char *key);
struct json_object *append_object(struct json_object *array);

#endif
