/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/bar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static const struct bar half = {
	.stage = "copy", .bytes = true, .done = 512 * MIB, .total = 1024 * MIB, .seconds = 2
};

#define EXPECTS(bar, columns, text)                           \
	do {                                                  \
		char line[160];                               \
                                                              \
		bar_format(bar, columns, line, sizeof(line)); \
		assert_string_equal(line, text);              \
	} while (0)

static void a_line_leaves_out_what_does_not_fit(void **state)
{
	(void)state;
	EXPECTS(&half, 200,
		"copy      [############            ]  50%  512 of 1024 MiB  2 s left  256 MiB/s");
	EXPECTS(&half, 80,
		"copy      [############            ]  50%  512 of 1024 MiB  2 s left  256 MiB/s");
	EXPECTS(&half, 75, "copy      [############            ]  50%  512 of 1024 MiB  2 s left");
	EXPECTS(&half, 45, "copy      [############            ]  50%");
	EXPECTS(&half, 30, "copy      [######      ]  50%");
	EXPECTS(&half, 20, "copy       50%");
	EXPECTS(&half, 12, "copy      ");
	EXPECTS(&half, 5, " 50%");
	EXPECTS(&half, 0, "");
}

static void no_width_is_exceeded(void **state)
{
	const struct bar large = { .stage = "negotiate",
				   .bytes = true,
				   .done = UINT64_MAX / 3,
				   .total = UINT64_MAX,
				   .seconds = 1e9 };

	(void)state;
	for (unsigned int columns = 1; columns < 200; columns++) {
		char line[160];

		bar_format(&large, columns, line, sizeof(line));
		assert_true(strlen(line) < columns);
	}
}

static void entries_are_counted(void **state)
{
	const struct bar scan = { .stage = "scan", .entries = true, .done = 12345, .seconds = 2 };

	(void)state;
	EXPECTS(&scan, 80, "scan      12345 entries");
	EXPECTS(&scan, 20, "scan      ");
}

static void an_unknown_total_has_no_frame(void **state)
{
	const struct bar unknown = {
		.stage = "scan", .bytes = true, .done = 64 * MIB, .seconds = 2
	};
	const struct bar steps = { .stage = "write", .done = 3, .total = 4, .seconds = 3 };
	const struct bar begun = { .stage = "write", .done = 0, .total = 4, .seconds = 3 };

	(void)state;
	EXPECTS(&unknown, 80, "scan        64 MiB  32 MiB/s");
	EXPECTS(&steps, 80, "write     [##################      ]  75%  1 s left");
	EXPECTS(&begun, 80, "write     [                        ]   0%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_leaves_out_what_does_not_fit),
		cmocka_unit_test(no_width_is_exceeded),
		cmocka_unit_test(entries_are_counted),
		cmocka_unit_test(an_unknown_total_has_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
