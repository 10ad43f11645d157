/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *pattern, *text;
	bool matches;
} cases[] = {
	{ "a", "a", true },
	{ "a", "ab", false },
	{ "", "", true },
	{ "*", "", true },
	{ "*.pyc", "x.pyc", true },
	{ "*.pyc", ".pyc", true },
	{ "*.pyc", "x.py", false },
	{ "*", "a/b", false },
	{ "a*b*c", "aXbYbZc", true },
	{ "?", "a", true },
	{ "?", "/", false },
	{ "a?c", "a/c", false },
	{ "[abc]", "b", true },
	{ "[a-c]x", "bx", true },
	{ "[!a-c]", "d", true },
	{ "[!a-c]", "b", false },
	{ "[]]", "]", true },
	{ "[a-]", "-", true },
	{ "[!a]", "/", false },
	{ "[a", "[a", true },
	{ "\\*", "*", true },
	{ "\\*", "a", false },
	{ "\\", "\\", true },
	{ "usr/share/doc/*", "usr/share/doc/x", true },
	{ "usr/share/doc/*", "usr/share/doc/x/y", false },
	{ "usr/**/x", "usr/x", true },
	{ "usr/**/x", "usr/a/b/x", true },
	{ "usr/**/x", "usr/a/bx", false },
	{ "**/x", "x", true },
	{ "**/x", "a/x", true },
	{ "a/**", "a/b/c", true },
	{ "a/**", "a", false },
	{ "a**b", "aXb", true },
	{ "a**b", "a/b", false },
	{ "*a*b/*", "aab/ab", true },
	{ "**/a*/b/**/c", "a/x/ab/b/b/c", true },
	{ "**/a*/b/**/c", "a/x/ab/c/b/c", false },
	{ "**/*/**", "a", false },
	{ "\xff\xc3*", "\xff\xc3\x28", true },
	{ "[\xf0-\xff]", "\xfe", true },
};

static void patterns_match_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
			fail_msg("\"%s\" against \"%s\"", cases[i].pattern, cases[i].text);
}

/* With all ways tried it would never end. */
static void many_stars_take_no_time(void **state)
{
	char name[256] = "", path[2048] = "";

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
	assert_true(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*", name));
	for (size_t i = 0; i + 2 < sizeof(path); i += 2)
		memcpy(path + i, "a/", 3);
	assert_false(glob_match("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b/*", path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_documented),
		cmocka_unit_test(many_stars_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
