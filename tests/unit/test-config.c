/* SPDX-License-Identifier: Apache-2.0 */
/* What a file may say, and how its mistakes are told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/suggest.h"
#include "core/config/inifile.h"
#include "core/config/print.h"
#include "tests/support/configtest.h"

static void defaults_are_those_of_the_table(void **state)
{
	struct config_test *fixture = *state;
	const struct config *config = &fixture->config;

	accepts(fixture, "[image]\nsource = rootfs\n");
	assert_string_equal(config->image.source, "rootfs");
	assert_string_equal(config->image.output, "kata-containers.img");
	assert_string_equal(config->image.filesystem, "ext4");
	assert_int_equal(config->image.align_bytes, 128 << 20);
	assert_int_equal(config->image.free_space_bytes, 0);
	assert_int_equal(config->image.size_bytes, 0);
	assert_true(config->image.dax);
	assert_true(config->image.hugepages);
	assert_int_equal(config->image.unsupported, CONFIG_UNSUPPORTED_ERROR);
	assert_true(config->rootfs.check);
	assert_false(config->rootfs.agent_init);
	assert_string_equal(config->rootfs.agent, "kata-agent");
	assert_int_equal(config->tree.holes, TREE_HOLES_SOURCE);
	assert_true(config->tree.one_filesystem);
}

static void every_type_is_read(void **state)
{
	struct config_test *fixture = *state;
	const struct config *config = &fixture->config;

	accepts(fixture, "[image]\nsource = rootfs\noutput = out.img\nfilesystem = xfs\n"
			 "free-space = 64M\nalign = 2M\nsize = 1G\ndax = no\nunsupported = drop\n"
			 "disk-signature = 0xdeadbeef\n"
			 "[rootfs]\nagent =\nagent-init = yes\n[tree]\nholes = fill\n");
	assert_string_equal(config->image.output, "out.img");
	assert_string_equal(config->image.filesystem, "xfs");
	assert_int_equal(config->image.free_space_bytes, 64 << 20);
	assert_int_equal(config->image.align_bytes, 2 << 20);
	assert_int_equal(config->image.size_bytes, 1 << 30);
	assert_false(config->image.dax);
	assert_int_equal(config->image.unsupported, CONFIG_UNSUPPORTED_DROP);
	assert_int_equal(config->image.disk_signature, 0xdeadbeef);
	assert_string_equal(config->rootfs.agent, "");
	assert_true(config->rootfs.agent_init);
	assert_int_equal(config->tree.holes, TREE_HOLES_FILL);
}

static void syntax_is_forgiving_where_it_is_clear(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture,
		"\xef\xbb\xbf; comment\r\n# comment\r\n\r\n[image] ; main\r\n"
		"  output: a;b   ; comment\r\n\tsource=r # d\r\n[tree]\n[image]\nsize = 2M");
	assert_string_equal(fixture->config.image.output, "a;b");
	assert_string_equal(fixture->config.image.source, "r # d");
	assert_int_equal(fixture->config.image.size_bytes, 2 << 20);
}

/* Whatever a line begins with, it is none of the value above. */
static void blanks_of_all_kinds_are_dropped(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture, "\v[ \timage\v]\f\n\vsource\f=\vx\f\n\foutput = o\v\n\r dax = no\r\r\n");
	assert_string_equal(fixture->config.image.source, "x");
	assert_string_equal(fixture->config.image.output, "o");
	assert_false(fixture->config.image.dax);
}

static void long_lines_are_whole(void **state)
{
	struct config_test *fixture = *state;
	size_t len = 100000;
	char *text = malloc(len + 64), *value;

	strcpy(text, "[image]\nsource = ");
	value = text + strlen(text);
	memset(value, 'x', len);
	strcpy(value + len, "\nfoo = 1\n");
	refuses(fixture, text, "build.ini:3: [image] foo: unknown key");
	strcpy(value + len, "\n");
	accepts(fixture, text);
	assert_int_equal(strlen(fixture->config.image.source), len);
	free(text);
}

static void bad_syntax_is_an_error_with_its_line(void **state)
{
	struct config_test *fixture = *state;
	static const char nul[] = "[image]\nsource = x\nsi\0ze = 2M\n";

	refuses(fixture, "[image]\nsource = x\nsize\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\nsize ; = 2M\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\nsize\t; = 2M\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\nsize;x\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\n[image\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image] dax = no\nsource = x\n",
		"build.ini:1: text behind the section's name");
	refuses(fixture, "dax = no\n[image]\nsource = x\n",
		"build.ini:1: dax: a key before the first [section]");
	refuses(fixture, "[image]\nsource = x\n[xfs]\n= 1\n", "build.ini:4: a value without a key");
	refuses(fixture, "[image]\nsource = x\n : 1\n", "build.ini:3: a value without a key");
	refuses(fixture, "[image]\nsource = x\nsize\v; = 2M\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\n\f size\n",
		"build.ini:3: neither `key = value` nor [section]");
	expect_failure(fixture, load_bytes(fixture, nul, sizeof(nul) - 1),
		       "build.ini:3: a NUL byte");
	refuses(fixture, "\xff\xfe[\0", "build.ini: a text in UTF-16: save it as UTF-8");
	refuses(fixture, "\xfe\xff", "build.ini: a text in UTF-16: save it as UTF-8");
}

static void all_mistakes_are_told_by_line(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture,
		"[image]\ndax = maybe\nnonsense\nalign = 3M\n[quux]\na = 1\nb = 2\n[image]\n"
		"siz = 1\n",
		"6 mistakes:\n"
		"build.ini:2: [image] dax = maybe: not one of yes, no, auto\n"
		"build.ini:3: neither `key = value` nor [section]\n"
		"build.ini:4: [image] align = 3M: not a multiple of 2 MiB, which dax needs; try "
		"4M\n"
		"build.ini:6: unknown section [quux]\n"
		"build.ini:9: [image] siz: unknown key; did you mean size?\n"
		"build.ini: no source: give [image] source or SOURCE");
}

/* Line 1 is found to be wrong last, and yet is told first. */
static void ten_mistakes_are_told_the_rest_is_counted(void **state)
{
	struct config_test *fixture = *state;
	char text[1024] = "[quux]\n[image]\nsource = x\n",
	     message[2048] =
		     "13 mistakes, the first 10 of them:\nbuild.ini:1: unknown section [quux]";

	for (int i = 0; i < 12; i++)
		strcat(text, "[image\n");
	for (int line = 4; line < 13; line++)
		sprintf(message + strlen(message),
			"\nbuild.ini:%d: neither `key = value` nor [section]", line);
	refuses(fixture, text, message);
}

/* A file of the largest size, of keys that only a backend can judge. */
/* Comparing each with each would take a minute. */
static void tens_of_thousands_of_keys_are_read(void **state)
{
	struct config_test *fixture = *state;
	char *text = malloc(INIFILE_MAX_BYTES);
	size_t len = (size_t)sprintf(text, "[image]\nsource = x\n[xfs]\n");
	int count = 0;

	while (len < INIFILE_MAX_BYTES - 32)
		len += (size_t)sprintf(text + len, "k%d=\n", count++);
	if (load_bytes(fixture, text, len) < 0)
		fail_msg("%s", fixture->error.message);
	assert_int_equal(fixture->config.pair_count, count);
	assert_non_null(config_find_pair(&fixture->config, "xfs", "k77777"));
	free(text);
}

static void no_memory_is_no_unknown_section(void **state)
{
	struct config_test *fixture = *state;

	assert_int_equal(load(fixture, "[no-memory]\n[image]\nsource = x\n"), -ENOMEM);
	assert_string_equal(fixture->error.message, "out of memory");
	assert_int_equal(fixture->error.kind, ERROR_FAILED);
}

static void unknown_names_come_with_a_guess(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\n[imgae]\nsource = x\n",
		"build.ini:4: unknown section [imgae]; did you mean image?");
	refuses(fixture, "[quux]\nsource = x\n[image]\nsource = x\n",
		"build.ini:2: unknown section [quux]");
	refuses(fixture, "[image]\nsource = x\n  [quux] ; empty\n",
		"build.ini:3: unknown section [quux]");
	refuses(fixture, "[]\n[image]\nsource = x\n", "build.ini:1: unknown section []");
	refuses(fixture, "[ext]\nlabel = x\n[image]\nsource = x\n",
		"build.ini:2: unknown section [ext]; did you mean ext4?");
	refuses(fixture, "[image]\nsource = x\nfreespace = 1\n",
		"build.ini:3: [image] freespace: unknown key; did you mean free-space?");
	refuses(fixture, "[image]\nsource = x\nquux = 1\n",
		"build.ini:3: [image] quux: unknown key");
	refuses(fixture, "[image]\nsource = x\nunsupported = drip\n",
		"build.ini:3: [image] unsupported = drip: not one of error, drop; "
		"did you mean drop?");
	refuses(fixture, "[image]\nsource = x\nunsupported = Drop\n",
		"build.ini:3: [image] unsupported = Drop: not one of error, drop; "
		"did you mean drop?");
}

static void a_key_given_twice_names_both_lines(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = a\n[rootfs]\n[image]\nsource = a\n",
		"build.ini:5: [image] source: already given in line 2");
	refuses(fixture, "[image]\nsource = x\n[ext4]\njournal = no\njournal = no\n",
		"build.ini:5: [ext4] journal: already given in line 4");
}

static void a_source_is_needed(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "", "build.ini: no source: give [image] source or SOURCE");
	refuses(fixture, "[image]\nsource =\n", "build.ini:2: [image] source = : an empty path");
}

static void sections_of_other_backends_are_kept(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture, "[image]\nsource = x\n[xfs]\na = 1\n[ext4]\nb = 2\n");
	assert_int_equal(fixture->config.pair_count, 2);
	assert_string_equal(fixture->config.pairs[0].section, "xfs");
	assert_string_equal(fixture->config.pairs[1].name, "b");
	assert_int_equal(fixture->config.pairs[1].origin.line, 6);
}

static void the_example_shows_every_key_with_its_default(void **state)
{
	struct config_test *fixture = *state;
	struct config defaults;

	assert_int_equal(load_file(fixture, KATAIMG_EXAMPLES "/all-keys.ini"), 0);
	assert_int_equal(config_init(&defaults, &fixture->error), 0);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		if (fixture->config.origins[i].line == 0)
			fail_msg("[%s] %s is missing", key->section, key->name);
	}
	assert_memory_equal(&fixture->config.tree, &defaults.tree, sizeof(defaults.tree));
	assert_int_equal(fixture->config.image.align_bytes, defaults.image.align_bytes);
	assert_int_equal(fixture->config.image.unsupported, defaults.image.unsupported);
	assert_string_equal(fixture->config.rootfs.agent, defaults.rootfs.agent);
	config_free(&defaults);
}

static void printed_it_is_a_file_again(void **state)
{
	struct config_test *fixture = *state;
	struct config *config = &fixture->config;
	FILE *out = fopen("printed.ini", "w");

	accepts(fixture, "[image]\nsource = /r\noutput = /o\nsize = 6M\nalign = 12288K\ndax = no\n"
			 "unsupported = drop\ndisk-signature = 77\n");
	config_print(config, out);
	assert_int_equal(fclose(out), 0);
	config_free(config);
	assert_int_equal(load_file(fixture, "printed.ini"), 0);
	assert_string_equal(config->image.source, "/r");
	assert_string_equal(config->image.output, "/o");
	assert_int_equal(config->image.size_bytes, 6 << 20);
	assert_int_equal(config->image.align_bytes, 12 << 20);
	assert_false(config->image.dax);
	assert_int_equal(config->image.unsupported, CONFIG_UNSUPPORTED_DROP);
	assert_int_equal(config->image.disk_signature, 77);
	assert_string_equal(config->rootfs.agent, "kata-agent");
}

static void distances_are_levenshteins(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("align", "Align"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(defaults_are_those_of_the_table),
		CONFIG_TEST(every_type_is_read),
		CONFIG_TEST(syntax_is_forgiving_where_it_is_clear),
		CONFIG_TEST(blanks_of_all_kinds_are_dropped),
		CONFIG_TEST(long_lines_are_whole),
		CONFIG_TEST(bad_syntax_is_an_error_with_its_line),
		CONFIG_TEST(all_mistakes_are_told_by_line),
		CONFIG_TEST(ten_mistakes_are_told_the_rest_is_counted),
		CONFIG_TEST(tens_of_thousands_of_keys_are_read),
		CONFIG_TEST(no_memory_is_no_unknown_section),
		CONFIG_TEST(unknown_names_come_with_a_guess),
		CONFIG_TEST(a_key_given_twice_names_both_lines),
		CONFIG_TEST(a_source_is_needed),
		CONFIG_TEST(sections_of_other_backends_are_kept),
		CONFIG_TEST(the_example_shows_every_key_with_its_default),
		CONFIG_TEST(printed_it_is_a_file_again),
		cmocka_unit_test(distances_are_levenshteins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
