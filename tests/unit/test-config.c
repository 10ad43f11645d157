/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/suggest.h"
#include "core/config/inifile.h"
#include "core/config/print.h"

/* Each test runs in an empty directory of its own, where build.ini is written. */
struct fixture {
	char directory[64];
	char *text; /* of build.ini */
	size_t len;
	struct config config;
	struct error error;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->directory, "/tmp/kataimg-config-XXXXXX");
	if (!mkdtemp(fixture->directory) || chdir(fixture->directory) < 0)
		return -1;
	unsetenv("SOURCE_DATE_EPOCH");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char command[128];

	config_free(&fixture->config);
	error_clear(&fixture->error);
	snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
	if (chdir("/") < 0 || system(command) != 0)
		return -1;
	free(fixture);
	return 0;
}

static void write_file(const char *path, const void *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static int is_backend(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "no-memory") == 0)
		return -ENOMEM;
	return strcmp(name, "xfs") == 0;
}

static bool is_disk(void *arg)
{
	(void)arg;
	return false;
}

static bool can_dax(void *arg)
{
	(void)arg;
	return true;
}

static int load_file(struct fixture *fixture, const char *path)
{
	int ret = config_init(&fixture->config, &fixture->error);

	if (ret == 0)
		ret = config_read_environment(&fixture->config, &fixture->error);
	return ret < 0 ? ret : config_load(&fixture->config, path, &fixture->error);
}

static int finish(struct fixture *fixture)
{
	const struct config_backends backends = { .has = is_backend,
						  .can_dax = can_dax,
						  .no_disk = is_disk };
	int ret = config_finish(&fixture->config, &backends, &fixture->error);

	return ret < 0 ? ret : config_report(&fixture->config, &fixture->error);
}

static int load_bytes(struct fixture *fixture, const char *text, size_t len)
{
	int ret;

	write_file("build.ini", text, len);
	ret = load_file(fixture, "build.ini");
	return ret < 0 ? ret : finish(fixture);
}

static int load(struct fixture *fixture, const char *text)
{
	return load_bytes(fixture, text, strlen(text));
}

static void expect_failure(struct fixture *fixture, int ret, const char *message)
{
	assert_int_equal(ret, -EINVAL);
	assert_non_null(fixture->error.message);
	assert_string_equal(fixture->error.message, message);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
	error_clear(&fixture->error);
	config_free(&fixture->config);
}

static void refuses(struct fixture *fixture, const char *text, const char *message)
{
	expect_failure(fixture, load(fixture, text), message);
}

static void accepts(struct fixture *fixture, const char *text)
{
	int ret = load(fixture, text);

	if (ret < 0)
		fail_msg("%s", fixture->error.message);
}

static void defaults_are_those_of_the_table(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;

	accepts(fixture,
		"\xef\xbb\xbf; comment\r\n# comment\r\n\r\n[image] ; main\r\n"
		"  output: a;b   ; comment\r\n\tsource=r # d\r\n[tree]\n[image]\nsize = 2M");
	assert_string_equal(fixture->config.image.output, "a;b");
	assert_string_equal(fixture->config.image.source, "r # d");
	assert_int_equal(fixture->config.image.size_bytes, 2 << 20);
}

static void long_lines_are_whole(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
	static const char nul[] = "[image]\nsource = x\nsi\0ze = 2M\n";

	refuses(fixture, "[image]\nsource = x\nsize\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\nsize ; = 2M\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image]\nsource = x\n[image\n",
		"build.ini:3: neither `key = value` nor [section]");
	refuses(fixture, "[image] dax = no\nsource = x\n",
		"build.ini:1: text behind the section's name");
	refuses(fixture, "dax = no\n[image]\nsource = x\n",
		"build.ini:1: dax: a key before the first [section]");
	refuses(fixture, "[image]\nsource = x\n[xfs]\n= 1\n",
		"build.ini:4: [xfs]: a value without a key");
	expect_failure(fixture, load_bytes(fixture, nul, sizeof(nul) - 1),
		       "build.ini:3: a NUL byte");
	refuses(fixture, "\xff\xfe[\0", "build.ini: a text in UTF-16: save it as UTF-8");
	refuses(fixture, "\xfe\xff", "build.ini: a text in UTF-16: save it as UTF-8");
}

static void all_mistakes_are_told_by_line(void **state)
{
	struct fixture *fixture = *state;

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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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

/* Before the source is read, with the line that says it. */
static void rules_for_the_tree_are_judged_at_once(void **state)
{
	struct fixture *fixture = *state;

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

static void typed_values_are_read_once(void **state)
{
	struct fixture *fixture = *state;
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

static void no_memory_is_no_unknown_section(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(load(fixture, "[no-memory]\n[image]\nsource = x\n"), -ENOMEM);
	assert_string_equal(fixture->error.message, "out of memory");
	assert_int_equal(fixture->error.kind, ERROR_FAILED);
}

static void unknown_names_come_with_a_guess(void **state)
{
	struct fixture *fixture = *state;

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

/* Another syntax is told by what it looks like. */
static void values_of_other_syntaxes_come_with_a_hint(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "[image]\nsource = x\ndax = \"yes\"\n",
		"build.ini:3: [image] dax = \"yes\": not one of yes, no, auto (quotes are part of "
		"the "
		"value: leave them out)");
	refuses(fixture, "[image]\nsource = x\nsize = 16M # small\n",
		"build.ini:3: [image] size = 16M # small: not a size (a whole number, with K, M, G "
		"or T behind it for multiples of 1024) (a comment at the end of a line starts with "
		";)");
	refuses(fixture, "[image]\nsource = x\nsize = $SIZE\n",
		"build.ini:3: [image] size = $SIZE: not a size (a whole number, with K, M, G "
		"or T behind it for multiples of 1024) (~ and $ are not expanded)");
}

static int check_files(struct fixture *fixture)
{
	int ret = config_check_inputs(&fixture->config, &fixture->error);

	return ret < 0 ? ret : config_check_outputs(&fixture->config, &fixture->error);
}

/* The directory is the fixture's own. */
static void refuses_file(struct fixture *fixture, const char *text, const char *fmt)
{
	char message[1024];
	int ret;

	accepts(fixture, text);
	ret = check_files(fixture);
	snprintf(message, sizeof(message), fmt, fixture->directory);
	expect_failure(fixture, ret < 0 ? ret : config_report(&fixture->config, &fixture->error),
		       message);
}

static void files_that_are_not_there_are_named_in_full(void **state)
{
	struct fixture *fixture = *state;

	refuses_file(fixture, "[image]\nsource = ./x\n",
		     "build.ini:2: [image] source = ./x: there is no %s/x");
	refuses_file(fixture, "[image]\nsource = /nowhere/x\n",
		     "build.ini:2: [image] source = /nowhere/x: there is no /nowhere/x");
	refuses_file(fixture, "[image]\nsource = \"./x\"\n",
		     "build.ini:2: [image] source = \"./x\": there is no %s/\"./x\" (quotes are "
		     "part of the value: leave them out)");
	refuses_file(fixture, "[image]\nsource = ~/x\n",
		     "build.ini:2: [image] source = ~/x: there is no %s/~/x (~ and $ are not "
		     "expanded)");
	refuses_file(fixture, "[image]\nsource = $HOME/x\n",
		     "build.ini:2: [image] source = $HOME/x: there is no %s/$HOME/x (~ and $ are "
		     "not expanded)");
	refuses_file(fixture, "[image]\nsource = x # c\n",
		     "build.ini:2: [image] source = x # c: there is no %s/x # c (a comment at the "
		     "end of a line starts with ;)");
	refuses_file(fixture, "[image]\nsource = -\noutput = a/b/c.img\n",
		     "build.ini:3: [image] output = a/b/c.img: there is no directory %s/a/b");
	refuses_file(fixture, "[image]\nsource = -\noutput = build.ini/c.img\n",
		     "build.ini:3: [image] output = build.ini/c.img: %s/build.ini is not a "
		     "directory");
	refuses_file(fixture, "[image]\nsource = oci:x\n[tree]\napply = build.ini\napply = m\n",
		     "build.ini:5: [tree] apply = m: there is no %s/m");
}

static void files_that_are_there_are_no_mistake(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(system("mkdir tree"), 0);
	accepts(fixture, "[image]\nsource = tree\noutput = new.img\n[tree]\napply = build.ini\n");
	assert_int_equal(check_files(fixture), 0);
	assert_int_equal(config_report(&fixture->config, &fixture->error), 0);
}

static void a_key_given_twice_names_both_lines(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "[image]\nsource = a\n[rootfs]\n[image]\nsource = a\n",
		"build.ini:5: [image] source: already given in line 2");
	refuses(fixture, "[image]\nsource = x\n[ext4]\njournal = no\njournal = no\n",
		"build.ini:5: [ext4] journal: already given in line 4");
}

static void bad_sizes_are_errors(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;

	accepts(fixture, "[image]\nsource = x\nfree-space = 16777215T\n");
	assert_true(fixture->config.image.free_space_bytes == UINT64_C(16777215) << 40);
}

static void bad_numbers_are_errors(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "[image]\nsource = x\ndisk-signature = 0x100000000\n",
		"build.ini:3: [image] disk-signature = 0x100000000: not between 0 and 4294967295");
	refuses(fixture, "[image]\nsource = x\ndisk-signature = 0x\n",
		"build.ini:3: [image] disk-signature = 0x: not a number");
	refuses(fixture, "[image]\nsource = x\ndisk-signature = 99999999999999999999\n",
		"build.ini:3: [image] disk-signature = 99999999999999999999: too large a number");
}

static void sizes_must_fit_the_layout(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "[image]\nsource = x\nalign = 3M\n",
		"build.ini:3: [image] align = 3M: not a multiple of 2 MiB, which dax needs; try "
		"4M");
	refuses(fixture, "[image]\nsource = x\ndax = no\nsize = 1000000\n",
		"build.ini:4: [image] size = 1000000: not a multiple of 4096; try 980K");
	accepts(fixture, "[image]\nsource = x\ndax = no\nalign = 3M\n");
}

static bool cannot_dax(void *arg)
{
	(void)arg;
	return false;
}

static void settle(struct fixture *fixture, const char *text, bool dax, bool mapped)
{
	const struct config *config = &fixture->config;

	accepts(fixture, text);
	assert_int_equal(config->image.dax, dax);
	assert_int_equal(config->image.mapped, mapped);
	config_free(&fixture->config);
}

static void dax_depends_on_table_and_backend(void **state)
{
	struct fixture *fixture = *state;
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
	assert_int_equal(config_report(config, &fixture->error), 0);
	assert_false(config->image.dax);
	assert_false(config->image.mapped);
}

static void a_gpt_has_its_own_rules(void **state)
{
	struct fixture *fixture = *state;

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
	struct fixture *fixture = *state;
	const char *measured = "[image]\nsource = x\ntable = gpt\n[verity]\nenabled = yes\n[gpt]\n";
	char text[256];

	snprintf(text, sizeof(text), "%sroot-guid = 11111111-2222-4333-8444-555555555555\n",
		 measured);
	refuses(fixture, text,
		"build.ini:7: [gpt] root-guid = 11111111-2222-4333-8444-555555555555: the root "
		"partition of a measured image has its GUID from the root hash, by which it is "
		"found");
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
	struct fixture *fixture = *state;

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
	struct fixture *fixture = *state;

	accepts(fixture, "[image]\nsource = x\ntable = none\n");
	assert_int_equal(fixture->config.image.align_bytes, 2 << 20);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\ntable = none\nalign = 128M\n");
	assert_int_equal(fixture->config.image.align_bytes, 128 << 20);
}

static void a_source_is_needed(void **state)
{
	struct fixture *fixture = *state;

	refuses(fixture, "", "build.ini: no source: give [image] source or SOURCE");
	refuses(fixture, "[image]\nsource =\n", "build.ini:2: [image] source = : an empty path");
}

static void unreadable_files_are_errors(void **state)
{
	struct fixture *fixture = *state;
	char *large = calloc(1, INIFILE_MAX_BYTES + 1);

	expect_failure(fixture, load_file(fixture, "missing.ini"),
		       "missing.ini: No such file or directory");
	expect_failure(fixture, load_file(fixture, "."), ".: Is a directory");
	memset(large, '\n', INIFILE_MAX_BYTES + 1);
	expect_failure(fixture, load_bytes(fixture, large, INIFILE_MAX_BYTES + 1),
		       "build.ini: larger than 1 MiB, not a configuration");
	assert_int_equal(load_bytes(fixture, large, INIFILE_MAX_BYTES), -EINVAL);
	assert_string_equal(fixture->error.message,
			    "build.ini: no source: give [image] source or SOURCE");
	free(large);
}

static void paths_of_the_file_are_relative_to_it(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config = &fixture->config;

	assert_int_equal(system("mkdir -p sub"), 0);
	write_file("sub/build.ini", "[image]\nsource = r\noutput = /o\nfilesystem = ./b.so\n", 51);
	assert_int_equal(load_file(fixture, "sub/build.ini"), 0);
	assert_string_equal(config->image.source, "sub/r");
	assert_string_equal(config->image.output, "/o");
	assert_string_equal(config->image.filesystem, "sub/./b.so");
	assert_int_equal(
		config_set(&fixture->config, "image", "source", "r", "SOURCE", &fixture->error), 0);
	assert_string_equal(config->image.source, "r");
}

static void standard_input_and_names_are_no_paths(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(system("mkdir -p sub"), 0);
	write_file("sub/build.ini", "[image]\nsource = -\nfilesystem = xfs\n", 36);
	assert_int_equal(load_file(fixture, "sub/build.ini"), 0);
	assert_string_equal(fixture->config.image.source, "-");
	assert_string_equal(fixture->config.image.filesystem, "xfs");
}

static void later_settings_override(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;
	char text[64];

	accepts(fixture, "[image]\nsource = x\nsize = 2M\n[ext4]\nlabel = a\n");
	assert_int_equal(config_set_assignment(config, "image.size=4M", "--set", &fixture->error),
			 0);
	assert_int_equal(config_set_assignment(config, "image.size=6M", "--set", &fixture->error),
			 0);
	assert_int_equal(config_set_assignment(config, "ext4.label=b=c", "--set", &fixture->error),
			 0);
	assert_int_equal(config->image.size_bytes, 6 << 20);
	assert_int_equal(config->pair_count, 1);
	assert_string_equal(config->pairs[0].value, "b=c");
	assert_string_equal(config_origin_text(&config->pairs[0].origin, text, sizeof(text)),
			    "--set");
}

static void bad_settings_name_the_option(void **state)
{
	struct fixture *fixture = *state;
	struct config *config = &fixture->config;

	config_init(config, &fixture->error);
	expect_failure(fixture,
		       config_set_assignment(config, "image.size", "--set", &fixture->error),
		       "--set: image.size: not SECTION.KEY=VALUE");
	config_init(config, &fixture->error);
	expect_failure(fixture, config_set_assignment(config, "size=1", "--set", &fixture->error),
		       "--set: size=1: not SECTION.KEY=VALUE");
	config_init(config, &fixture->error);
	expect_failure(fixture,
		       config_set_assignment(config, "image.siz=1", "--set", &fixture->error),
		       "--set: [image] siz: unknown key; did you mean size?");
	config_init(config, &fixture->error);
	expect_failure(fixture, config_set(config, "image", "dax", "1", "--dax", &fixture->error),
		       "--dax: [image] dax = 1: not one of yes, no, auto");
	config_init(config, &fixture->error);
	config_set_assignment(config, "foo.bar=1", "--set", &fixture->error);
	config_set(config, "image", "source", "x", "SOURCE", &fixture->error);
	expect_failure(fixture, finish(fixture), "--set: unknown section [foo]");
}

static const struct config_origin *origin_of(const struct config *config, const char *name)
{
	return &config->origins[config_find_key("image", name) - config_keys];
}

static void every_value_knows_its_origin(void **state)
{
	struct fixture *fixture = *state;
	const struct config *config = &fixture->config;
	char text[64];

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	accepts(fixture, "[image]\nsource = x\n");
	config_set(&fixture->config, "image", "output", "y", "--output", &fixture->error);
	assert_int_equal(config->image.build_time, 12345);
	assert_string_equal(config_origin_text(origin_of(config, "align"), text, sizeof(text)),
			    "default");
	assert_string_equal(config_origin_text(origin_of(config, "source"), text, sizeof(text)),
			    "build.ini:2");
	assert_string_equal(config_origin_text(origin_of(config, "output"), text, sizeof(text)),
			    "--output");
	assert_string_equal(config_origin_text(origin_of(config, "build-time"), text, sizeof(text)),
			    "SOURCE_DATE_EPOCH");
}

static void the_file_overrides_the_environment(void **state)
{
	struct fixture *fixture = *state;

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	setenv("IMAGE", "elsewhere.img", 1);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 6\n");
	assert_int_equal(fixture->config.image.build_time, 6);
	assert_string_equal(fixture->config.image.output, "kata-containers.img");
	config_free(&fixture->config);
	setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
	refuses(fixture, "[image]\nsource = x\n",
		"SOURCE_DATE_EPOCH: [image] build-time = yesterday: not a number");
}

/* A 0 of the environment is a time, which the key's 0 is not. */
static void the_environments_zero_is_a_time(void **state)
{
	struct fixture *fixture = *state;

	setenv("SOURCE_DATE_EPOCH", "0", 1);
	accepts(fixture, "[image]\nsource = x\n");
	assert_int_equal(fixture->config.image.build_time, 1);
	assert_true(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n[tree]\nclamp-mtime = no\n");
	assert_int_equal(fixture->config.image.build_time, 1);
	assert_false(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 0\n");
	assert_int_equal(fixture->config.image.build_time, 0);
	assert_false(fixture->config.tree.clamp_mtime);
}

/* The environment alone makes two copies of one tree one image; a key that is given wins. */
static void the_environments_time_clamps(void **state)
{
	struct fixture *fixture = *state;
	char text[64];

	setenv("SOURCE_DATE_EPOCH", "12345", 1);
	accepts(fixture, "[image]\nsource = x\n");
	assert_true(fixture->config.tree.clamp_mtime);
	assert_string_equal(
		config_origin_text(config_origin_of(&fixture->config, "tree", "clamp-mtime"), text,
				   sizeof(text)),
		"SOURCE_DATE_EPOCH");
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n[tree]\nclamp-mtime = no\n");
	assert_false(fixture->config.tree.clamp_mtime);
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\nbuild-time = 6\n");
	assert_false(fixture->config.tree.clamp_mtime);
	unsetenv("SOURCE_DATE_EPOCH");
	config_free(&fixture->config);
	accepts(fixture, "[image]\nsource = x\n");
	assert_false(fixture->config.tree.clamp_mtime);
}

static void sections_of_other_backends_are_kept(void **state)
{
	struct fixture *fixture = *state;

	accepts(fixture, "[image]\nsource = x\n[xfs]\na = 1\n[ext4]\nb = 2\n");
	assert_int_equal(fixture->config.pair_count, 2);
	assert_string_equal(fixture->config.pairs[0].section, "xfs");
	assert_string_equal(fixture->config.pairs[1].name, "b");
	assert_int_equal(fixture->config.pairs[1].origin.line, 6);
}

static void the_example_shows_every_key_with_its_default(void **state)
{
	struct fixture *fixture = *state;
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
	struct fixture *fixture = *state;
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_table),
		TEST(every_type_is_read),
		TEST(syntax_is_forgiving_where_it_is_clear),
		TEST(long_lines_are_whole),
		TEST(bad_syntax_is_an_error_with_its_line),
		TEST(all_mistakes_are_told_by_line),
		TEST(ten_mistakes_are_told_the_rest_is_counted),
		TEST(tens_of_thousands_of_keys_are_read),
		TEST(rules_for_the_tree_are_judged_at_once),
		TEST(typed_values_are_read_once),
		TEST(no_memory_is_no_unknown_section),
		TEST(unknown_names_come_with_a_guess),
		TEST(values_of_other_syntaxes_come_with_a_hint),
		TEST(files_that_are_not_there_are_named_in_full),
		TEST(files_that_are_there_are_no_mistake),
		TEST(a_key_given_twice_names_both_lines),
		TEST(bad_sizes_are_errors),
		TEST(sizes_are_read_as_they_are_written),
		TEST(the_largest_size_is_read),
		TEST(bad_numbers_are_errors),
		TEST(sizes_must_fit_the_layout),
		TEST(dax_depends_on_table_and_backend),
		TEST(without_a_table_2_mib_are_aligned_to),
		TEST(a_gpt_has_its_own_rules),
		TEST(a_measured_gpt_has_guids_of_the_root_hash),
		TEST(guids_and_names_are_checked),
		TEST(a_source_is_needed),
		TEST(unreadable_files_are_errors),
		TEST(paths_of_the_file_are_relative_to_it),
		TEST(standard_input_and_names_are_no_paths),
		TEST(later_settings_override),
		TEST(bad_settings_name_the_option),
		TEST(every_value_knows_its_origin),
		TEST(the_file_overrides_the_environment),
		TEST(the_environments_zero_is_a_time),
		TEST(the_environments_time_clamps),
		TEST(sections_of_other_backends_are_kept),
		TEST(the_example_shows_every_key_with_its_default),
		TEST(printed_it_is_a_file_again),
		cmocka_unit_test(distances_are_levenshteins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
