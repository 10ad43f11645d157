/* SPDX-License-Identifier: Apache-2.0 */
/* What the partition table and the device ask of other keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/configtest.h"

static void sizes_must_fit_the_layout(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\nalign = 3M\n",
		"build.ini:3: [image] align = 3M: not a multiple of 2 MiB, which dax needs; try "
		"4M");
	refuses(fixture, "[image]\nsource = x\ndax = no\nsize = 1000000\n",
		"build.ini:4: [image] size = 1000000: not a multiple of 4096; try 980K");
	refuses(fixture, "[image]\nsource = x\nsize = 18446744073709551615\n",
		"build.ini:3: [image] size = 18446744073709551615: not a multiple of 2 MiB, which "
		"dax needs; try 17592186044414M");
	accepts(fixture, "[image]\nsource = x\ndax = no\nalign = 3M\n");
}

static int cannot_dax(void *arg)
{
	(void)arg;
	return 0;
}

static int no_memory(void *arg)
{
	(void)arg;
	return -ENOMEM;
}

static void memory_for_asking_the_backend_runs_out(void **state)
{
	struct config_test *fixture = *state;
	struct config *config = &fixture->config;
	const struct config_backends asked[] = {
		{ .has = is_backend, .can_dax = cannot_dax, .no_disk = no_memory },
		{ .has = is_backend, .can_dax = no_memory, .no_disk = is_disk },
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		write_file("any.ini", "[image]\nsource = x\n", 19);
		assert_int_equal(load_file(fixture, "any.ini"), 0);
		assert_int_equal(config_finish(config, &asked[i], &fixture->error), -ENOMEM);
		assert_string_equal(fixture->error.message, "out of memory");
		error_clear(&fixture->error);
		config_free(config);
	}
}

static void settle(struct config_test *fixture, const char *text, bool dax, bool mapped)
{
	const struct config *config = &fixture->config;

	accepts(fixture, text);
	assert_int_equal(config->image.dax, dax);
	assert_int_equal(config->image.mapped, mapped);
	config_free(&fixture->config);
}

static void dax_depends_on_table_and_backend(void **state)
{
	struct config_test *fixture = *state;
	const struct config_backends poor = { .has = is_backend,
					      .can_dax = cannot_dax,
					      .no_disk = is_disk };
	const char *text = "[image]\nsource = x\nalign = 4K\n";
	struct config *config = &fixture->config;

	settle(fixture, "[image]\nsource = x\n", true, true);
	settle(fixture, "[image]\nsource = x\ndax = no\n", false, false);
	settle(fixture, "[image]\nsource = x\ntable = none\n", false, true);
	settle(fixture, "[image]\nsource = x\ntable = none\ndax = yes\n", true, true);
	settle(fixture, "[image]\nsource = x\ntable = none\ndax = no\n", false, false);
	write_file("poor.ini", text, strlen(text));
	assert_int_equal(load_file(fixture, "poor.ini"), 0);
	assert_int_equal(config_finish(config, &poor, &fixture->error), 0);
	assert_int_equal(mistakes_report(&config->mistakes, 1, &fixture->error), 0);
	assert_false(config->image.dax);
	assert_false(config->image.mapped);
}

static void a_gpt_has_its_own_rules(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture, "[image]\nsource = x\ntable = gpt\narch = s390x\n");
	assert_false(fixture->config.image.dax);
	assert_true(fixture->config.image.mapped);
	config_free(&fixture->config);
	refuses(fixture, "[image]\nsource = x\ntable = gpt\ndax = yes\n",
		"build.ini:4: [image] dax = yes: a GPT has its entries where the NVDIMM header "
		"is, and cannot be seen from two places: say table = dos or none, or dax = auto");
	refuses(fixture, "[image]\nsource = x\ntable = gpt\narch = vax\n",
		"build.ini:4: [image] arch = vax: there are no discoverable partitions of it, but "
		"of alpha, arc, arm, arm64, ia64, loongarch64, m68k, mips, mips64, mips-le, "
		"mips64-le, parisc, ppc, ppc64, ppc64-le, riscv32, riscv64, s390, s390x, sparc64, "
		"sh4, tilegx, x86, x86-64");
	refuses(fixture, "[image]\nsource = x\n[gpt]\nname = x\n",
		"build.ini:4: [gpt] name = x: only table = gpt has this");
	refuses(fixture, "[image]\nsource = x\ntable = none\ndisk-signature = 7\n",
		"build.ini:4: [image] disk-signature = 7: only table = dos has one");
}

static void a_measured_gpt_has_guids_of_the_root_hash(void **state)
{
	struct config_test *fixture = *state;
	const char *measured = "[image]\nsource = x\ntable = gpt\n[verity]\nenabled = yes\n[gpt]\n";
	char text[256];

	snprintf(text, sizeof(text), "%sroot-guid = 11111111-2222-4333-8444-555555555555\n",
		 measured);
	refuses(fixture, text,
		"build.ini:7: [gpt] root-guid = 11111111-2222-4333-8444-555555555555: the root "
		"partition of a measured image has its GUID from the root hash, by which it is "
		"found");
	snprintf(text, sizeof(text), "%sroot-guid =\n", measured);
	accepts(fixture, text);
	config_free(&fixture->config);
	refuses(fixture, "[image]\nsource = x\ntable = gpt\n[gpt]\nread-only = yes\ngrow = yes\n",
		"build.ini:6: [gpt] grow = yes: what is read-only cannot grow");
	snprintf(text, sizeof(text), "%sread-only = no\n", measured);
	refuses(fixture, text, "build.ini:7: [gpt] read-only = no: a measured image always is");
	snprintf(text, sizeof(text), "%sgrow = yes\n", measured);
	refuses(fixture, text, "build.ini:7: [gpt] grow = yes: what is read-only cannot grow");
	snprintf(text, sizeof(text), "%sname = abcdefghijklmnopqrstuvwxyz\n", measured);
	refuses(fixture, text,
		"build.ini:7: [gpt] name = abcdefghijklmnopqrstuvwxyz: too long for a GPT when "
		"-verity-sig comes behind it");
}

static void guids_and_names_are_checked(void **state)
{
	struct config_test *fixture = *state;

	refuses(fixture, "[image]\nsource = x\ntable = gpt\n[gpt]\ndisk-guid = 1\n",
		"build.ini:5: [gpt] disk-guid = 1: not a GUID, 8-4-4-4-12 hexadecimal digits");
	refuses(fixture,
		"[image]\nsource = x\ntable = gpt\n[gpt]\n"
		"disk-guid = 00000000-0000-0000-0000-000000000000\n",
		"build.ini:5: [gpt] disk-guid = 00000000-0000-0000-0000-000000000000: zeros are no "
		"GUID");
	refuses(fixture,
		"[image]\nsource = x\ntable = gpt\n[gpt]\n"
		"name = 1234567890123456789012345678901234567\n",
		"build.ini:5: [gpt] name = 1234567890123456789012345678901234567: too long for a "
		"GPT, whose names have 36 characters");
	refuses(fixture, "[image]\nsource = x\ntable = gpt\n[gpt]\nname = \xf0\x9f\x90\xa7\n",
		"build.ini:5: [gpt] name = \xf0\x9f\x90\xa7: not a name: a GPT has no characters "
		"beyond U+FFFF");
}

static void without_a_table_2_mib_are_aligned_to(void **state)
{
	struct config_test *fixture = *state;

	accepts(fixture, "[image]\nsource = x\ntable = none\n");
	assert_int_equal(fixture->config.image.align_bytes, 2 << 20);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\ntable = none\nalign = 128M\n");
	assert_int_equal(fixture->config.image.align_bytes, 128 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFIG_TEST(sizes_must_fit_the_layout),
		CONFIG_TEST(dax_depends_on_table_and_backend),
		CONFIG_TEST(memory_for_asking_the_backend_runs_out),
		CONFIG_TEST(without_a_table_2_mib_are_aligned_to),
		CONFIG_TEST(a_gpt_has_its_own_rules),
		CONFIG_TEST(a_measured_gpt_has_guids_of_the_root_hash),
		CONFIG_TEST(guids_and_names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
