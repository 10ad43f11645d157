/* SPDX-License-Identifier: Apache-2.0 */
/* Values of each type, as they are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/configtest.h"

/* Before the source is read, with the line that says it. */
static void rules_for_the_tree_are_judged_at_once(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\n[tree]\nuid-map = 1:2\n",
		"build.ini:4: [tree] uid-map = 1:2: not FROM:TO:COUNT");
	refuses(fixture, "[image]\nsource = x\n[tree]\ngid-map = 0:5:2\ngid-map = 1:9:1\n",
		"build.ini:5: [tree] gid-map = 1:9:1: two ranges have the id 1");
	refuses(fixture, "[image]\nsource = x\n[tree]\nall-root = yes\nuid-map = 0:5:2\n",
		"build.ini:4: [tree] all-root = yes: leaves uid-map and gid-map nothing to do: "
		"give one or the other");
	refuses(fixture, "[image]\nsource = x\n[tree]\nexclude = //\n",
		"build.ini:4: [tree] exclude = //: an empty pattern");
	refuses(fixture, "[image]\nsource = x\n[verity]\nsalt = 0\n",
		"build.ini:4: [verity] salt = 0: not hexadecimal digits, two a byte, of at most "
		"256 bytes");
	refuses(fixture, "[image]\nsource = x\n[verity]\nvariant = a/b\n",
		"build.ini:4: [verity] variant = a/b: a part of a file's name has no /");
}

static void names_of_files_and_types_are_judged(void **state)
{
	struct config_test *fixture = *state;
	static const char *const names[] = { ".", "..", "a/b" };
	static const char *const types[] = { "x", "x/", "/y", "x/y/z", "-/y", "x/y z" };
	char text[64], message[160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "[image]\nsource = x\noci-name = %s\n", names[i]);
		snprintf(message, sizeof(message),
			 "build.ini:3: [image] oci-name = %s: not the name of a file", names[i]);
		refuses(fixture, text, message);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(text, sizeof(text), "[image]\nsource = x\noci-type = %s\n", types[i]);
		snprintf(message, sizeof(message),
			 "build.ini:3: [image] oci-type = %s: no media type, as "
			 "application/vnd.example.disk is one",
			 types[i]);
		refuses(fixture, text, message);
	}
}

/* JSON has no other bytes; a file may have any name. */
static void texts_in_layouts_are_utf8(void **state)
{
	struct config_test *fixture = *state;
	static const char *const keys[] = { "oci-name = n\377", "arch = \303(",
					    "[verity]\nvariant = \xed\xa0\x80" };
	static const char *const where[] = { "4: [image] oci-name = n\\xff",
					     "4: [image] arch = \\xc3(",
					     "5: [verity] variant = \\xed\\xa0\\x80" };
	char text[128], message[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "[image]\nsource = x\noutput = oci:l:t\n%s\n",
			 keys[i]);
		snprintf(message, sizeof(message),
			 "build.ini:%s: no UTF-8, as all texts in oci:DIR:TAG are", where[i]);
		refuses(fixture, text, message);
	}
	accepts(fixture, "[image]\nsource = x\n[verity]\nvariant = \377\n");
}

/* Nothing lies beside an image in a layout; an empty path is none. */
static void layouts_have_nothing_beside(void **state)
{
	struct config_test *fixture = *state;
	const char *layout = "[image]\nsource = x\noutput = oci:l:t\n[verity]\nenabled = yes\n";
	static const struct {
		const char *keys, *message;
	} cases[] = {
		{ "place = file\n", "build.ini:6: [verity] place = file: nothing lies beside an "
				    "image in oci:DIR:TAG: give [verity] tree-file, too" },
		{ "place = file\ntree-file =\n",
		  "build.ini:6: [verity] place = file: nothing lies beside an image in "
		  "oci:DIR:TAG: give [verity] tree-file, too" },
		{ "sign-key = k\nsign-certificate = c\nsignature-file =\n",
		  "build.ini:6: [verity] sign-key = k: nothing lies beside an image in "
		  "oci:DIR:TAG: give [verity] signature-file, too" },
		{ "sign-key = k\nsign-certificate = c\n",
		  "build.ini:6: [verity] sign-key = k: nothing lies beside an image in "
		  "oci:DIR:TAG: give [verity] signature-file, too" },
		{ "place = file\ntree-file = t\nsign-key =\n", NULL },
		{ "sign-key = k\nsign-certificate = c\nsignature-file = s\n", NULL },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", layout, cases[i].keys);
		if (cases[i].message) {
			refuses(fixture, text, cases[i].message);
		} else {
			accepts(fixture, text);
			config_free(&fixture->config);
		}
	}
}

static void typed_values_are_read_once(void **state)
{
	struct config_test *fixture = *state;
	const struct config *config = &fixture->config;

	accepts(fixture, "[image]\nsource = x\n[tree]\nuid-map = 9:5:2\nuid-map = 0:7:1\n"
			 "gid-map =\n[verity]\nsalt = 00ffA5\n");
	assert_int_equal(config->tree.uid_map.count, 2);
	assert_int_equal(config->tree.uid_map.ranges[0].to, 7);
	assert_int_equal(config->tree.uid_map.ranges[1].from, 9);
	assert_int_equal(config->tree.gid_map.count, 0);
	assert_int_equal(config->verity.salt.len, 3);
	assert_int_equal(config->verity.salt.data[2], 0xa5);
}

/* Another syntax is told by what it looks like. */
static void values_of_other_syntaxes_come_with_a_hint(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\ndax = \"yes\"\n",
		"build.ini:3: [image] dax = \"yes\": not one of yes, no, auto (quotes are part of "
		"the "
		"value: leave them out)");
	refuses(fixture, "[image]\nsource = x\nsize = 16M # small\n",
		"build.ini:3: [image] size = 16M # small: not a size (a whole number, with K, M, G "
		"or T behind it for multiples of 1024) (a comment at the end of a line starts with "
		";)");
	refuses(fixture, "[image]\nsource = x\ndax = yes\t# c\n",
		"build.ini:3: [image] dax = yes\\x09# c: not one of yes, no, auto (a comment at "
		"the "
		"end of a line starts with ;)");
	refuses(fixture, "[image]\nsource = x\nsize = $SIZE\n",
		"build.ini:3: [image] size = $SIZE: not a size (a whole number, with K, M, G "
		"or T behind it for multiples of 1024) (~ and $ are not expanded)");
}

static void bad_sizes_are_errors(void **state)
{
	struct config_test *fixture = *state;
	static const char *const bad[] = {
		"12Q", "-1", "", "M", "0x10", "1.5G", "12B", "+1", "MB"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64], message[256];

		snprintf(text, sizeof(text), "[image]\nsource = x\nfree-space = %s\n", bad[i]);
		snprintf(message, sizeof(message),
			 "build.ini:3: [image] free-space = %s: not a size (a whole number, with "
			 "K, M, G or T behind it for multiples of 1024)",
			 bad[i]);
		refuses(fixture, text, message);
	}
	refuses(fixture, "[image]\nsource = x\nfree-space = 64MB\n",
		"build.ini:3: [image] free-space = 64MB: not a size: for 64 MiB say 64M");
	refuses(fixture, "[image]\nsource = x\nfree-space = 18446744073709551616\n",
		"build.ini:3: [image] free-space = 18446744073709551616: too large a size");
	refuses(fixture, "[image]\nsource = x\nfree-space = 16777216T\n",
		"build.ini:3: [image] free-space = 16777216T: too large a size");
	refuses(fixture, "[image]\nsource = x\nalign = 0\n",
		"build.ini:3: [image] align = 0: not between 4K and 1T");
}

static void sizes_are_read_as_they_are_written(void **state)
{
	struct config_test *fixture = *state;
	static const char *const same[] = { "64M",   "64m",    "64 M",   "64MiB",
					    "64mib", "64 MIB", "65536K", "67108864" };

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "[image]\nsource = x\nfree-space = %s\n", same[i]);
		accepts(fixture, text);
		assert_int_equal(fixture->config.image.free_space_bytes, 64 << 20);
		config_free(&fixture->config);
	}
}

static void the_largest_size_is_read(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture, "[image]\nsource = x\nfree-space = 16777215T\n");
	assert_true(fixture->config.image.free_space_bytes == UINT64_C(16777215) << 40);
}

static void bad_numbers_are_errors(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\ndisk-signature = 0x100000000\n",
		"build.ini:3: [image] disk-signature = 0x100000000: not between 0 and 4294967295");
	refuses(fixture, "[image]\nsource = x\ndisk-signature = 0x\n",
		"build.ini:3: [image] disk-signature = 0x: not a number");
	refuses(fixture, "[image]\nsource = x\ndisk-signature = 99999999999999999999\n",
		"build.ini:3: [image] disk-signature = 99999999999999999999: too large a number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(rules_for_the_tree_are_judged_at_once),
		CONFIG_TEST(names_of_files_and_types_are_judged),
		CONFIG_TEST(texts_in_layouts_are_utf8),
		CONFIG_TEST(layouts_have_nothing_beside),
		CONFIG_TEST(typed_values_are_read_once),
		CONFIG_TEST(values_of_other_syntaxes_come_with_a_hint),
		CONFIG_TEST(bad_sizes_are_errors),
		CONFIG_TEST(sizes_are_read_as_they_are_written),
		CONFIG_TEST(the_largest_size_is_read),
		CONFIG_TEST(bad_numbers_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
