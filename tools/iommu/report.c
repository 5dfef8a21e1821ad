// SPDX-License-Identifier: GPL-2.0
/*
 * What the user gets to see. A command prints lines with say() and fills report_root()
 * at the same time; which of the two comes out is decided here. Errors go to stderr as
 * text in either case, and with --json into the array "errors" as well.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

static bool json_wanted;
static struct json_object *root;
static struct json_object *last_error;

void report_begin(bool json)
{
	json_wanted = json;
	root = json_object_new_object();
}

/* Print what was collected. */
void report_end(void)
{
	if (json_wanted)
		puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	root = NULL;
}

bool report_is_json(void)
{
	return json_wanted;
}

struct json_object *report_root(void)
{
	return root;
}

void say(const char *fmt, ...)
{
	va_list args;

	if (json_wanted)
		return;
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static char *format(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	return text;
}

/* A line that is a member of an array as well. */
static void say_in(const char *array, const char *prefix, const char *fmt, va_list args)
{
	char *text = format(fmt, args);

	say("%s%s", prefix, text);
	json_object_array_add(add_array(root, array), json_object_new_string(text));
	free(text);
}

/* A shell command that would do the same. */
void say_command(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_in("commands", "", fmt, args);
	va_end(args);
}

/* What is done, but perhaps not enough. */
void note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_in("notes", "note: ", fmt, args);
	va_end(args);
}

/* Say what went wrong; the result is @code, for the caller to return. */
int complain(enum exit_code code, const char *fmt, ...)
{
	struct json_object *error;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = format(fmt, args);
	va_end(args);
	fprintf(stderr, "iommuctl: %s\n", text);
	error = append_object(add_array(root, "errors"));
	add_number(error, "code", code);
	add_string(error, "text", text);
	last_error = error;
	free(text);
	return code;
}

/* What to do about the last complaint. */
void mend(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = format(fmt, args);
	va_end(args);
	fprintf(stderr, "  mend: %s\n", text);
	if (last_error)
		add_string(last_error, "mend", text);
	free(text);
}

enum exit_code code_of_errno(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return EXIT_DENIED;
	case ENODEV:
	case ENXIO:
		return EXIT_NO_DEVICE;
	default:
		return EXIT_TROUBLE;
	}
}

/* An empty or absent value becomes null. */
void add_string(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key,
			       value && value[0] ? json_object_new_string(value) : NULL);
}

void add_number(struct json_object *to, const char *key, long long value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

void add_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

/* The array @key of @to, which is made if there is none. */
struct json_object *add_array(struct json_object *to, const char *key)
{
	struct json_object *array;

	if (!json_object_object_get_ex(to, key, &array)) {
		array = json_object_new_array();
		json_object_object_add(to, key, array);
	}
	return array;
}

struct json_object *append_object(struct json_object *array)
{
	struct json_object *object = json_object_new_object();

	json_object_array_add(array, object);
	return object;
}
