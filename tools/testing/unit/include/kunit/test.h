/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UNIT_KUNIT_TEST_H
#define _UNIT_KUNIT_TEST_H

/* As much of KUnit as the suites use; output is KTAP. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct kunit {
	void *priv;
	/* private: */
	bool failed;
	const char *skipped;
	jmp_buf leave;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	/* private: */
	struct kunit_suite *next;
};

#define KUNIT_CASE(fn) { .run_case = fn, .name = #fn }
#define KUNIT_CASE_SLOW(fn) KUNIT_CASE(fn)

void unit_register(struct kunit_suite *suite);

#define kunit_test_suite(suite)                                           \
	static void __attribute__((constructor)) register_##suite(void)   \
	{                                                                 \
		unit_register(&(suite));                                  \
	}

#define kunit_info(test, fmt, ...)                                        \
	((void)(test), printf("    # " fmt "\n", ##__VA_ARGS__))
#define kunit_skip(test, text)                                            \
	do {                                                              \
		(test)->skipped = text;                                   \
		longjmp((test)->leave, 1);                                \
	} while (0)

#define UNIT_CHECK(test, ok, fatal, text, fmt, ...)                       \
	do {                                                              \
		if (ok)                                                   \
			break;                                            \
		printf("    # %s:%d: %s " fmt "\n", __FILE__, __LINE__, text, \
		       ##__VA_ARGS__);                                    \
		(test)->failed = true;                                    \
		if (fatal)                                                \
			longjmp((test)->leave, 1);                        \
	} while (0)

#define UNIT_COMPARE(test, a, op, b, fatal)                               \
	do {                                                              \
		typeof(a) __a = (a);                                      \
		typeof(b) __b = (b);                                      \
									  \
		UNIT_CHECK(test, __a op __b, fatal, #a " " #op " " #b,    \
			   "(%#lx, %#lx)", (long)__a, (long)__b);         \
	} while (0)

#define KUNIT_EXPECT_TRUE(test, c) UNIT_CHECK(test, c, false, #c, "")
#define KUNIT_EXPECT_FALSE(test, c) UNIT_CHECK(test, !(c), false, "not " #c, "")
#define KUNIT_EXPECT_EQ(test, a, b) UNIT_COMPARE(test, a, ==, b, false)
#define KUNIT_EXPECT_NE(test, a, b) UNIT_COMPARE(test, a, !=, b, false)
#define KUNIT_EXPECT_LT(test, a, b) UNIT_COMPARE(test, a, <, b, false)
#define KUNIT_EXPECT_LE(test, a, b) UNIT_COMPARE(test, a, <=, b, false)
#define KUNIT_EXPECT_NULL(test, p) UNIT_CHECK(test, !(p), false, "no " #p, "")
#define KUNIT_ASSERT_TRUE(test, c) UNIT_CHECK(test, c, true, #c, "")
#define KUNIT_ASSERT_EQ(test, a, b) UNIT_COMPARE(test, a, ==, b, true)
#define KUNIT_ASSERT_NOT_NULL(test, p) UNIT_CHECK(test, p, true, #p, "")

#endif
