/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/error.h"

static const struct {
	const char *text, *utf8, *line;
} cases[] = {
	{ "", "", "" },
	{ "plain \\x41", "plain \\x41", "plain \\x41" },
	{ "a\nb\tc\x1b[31m\x7f", "a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x9b", "\xc2\x9b", "\\xc2\\x9b" },
	{ "\xff", "\\xff", "\\xff" },
	{ "\x80x", "\\x80x", "\\x80x" },
	/* cut off */
	{ "\xc3", "\\xc3", "\\xc3" },
	{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" },
	{ "\xe2(\xa1", "\\xe2(\\xa1", "\\xe2(\\xa1" },
	/* longer than needed, surrogates, beyond the end */
	{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
};

static void becomes(char *is, const char *expected)
{
	assert_string_equal(is, expected);
	free(is);
}

static void escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		becomes(text_utf8(cases[i].text), cases[i].utf8);
		becomes(text_line(cases[i].text), cases[i].line);
		becomes(text_line(cases[i].line), cases[i].line);
	}
}

static void a_name_ends_no_line_of_an_error(void **state)
{
	autoerror struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, 1, "cannot read %s", "x\ny");
	error_prefix(&error, "%s", "\r");
	error_append(&error, "%s", "\a");
	assert_string_equal(error.message, "\\x0d: cannot read x\\x0ay\\x07");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(a_name_ends_no_line_of_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
