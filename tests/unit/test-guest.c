/* SPDX-License-Identifier: Apache-2.0 */
/* What image_builder.sh's variables come to, where they are odd. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/guest/dropin.h"
#include "tests/support/tempdir.h"

struct fixture {
	struct tempdir dir;
	struct config config;
	struct error error;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	tempdir_enter(&fixture->dir);
	*state = fixture;
	return config_init(&fixture->config, &fixture->error);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < dropin_variable_count; i++)
		unsetenv(dropin_variables[i].name);
	unsetenv("USER");
	unsetenv("GROUP");
	config_free(&fixture->config);
	error_clear(&fixture->error);
	tempdir_leave(&fixture->dir);
	free(fixture);
	return 0;
}

static void start_anew(struct fixture *fixture)
{
	config_free(&fixture->config);
	error_clear(&fixture->error);
	assert_int_equal(config_init(&fixture->config, &fixture->error), 0);
}

static void set(struct fixture *fixture, const char *section, const char *name, const char *value,
		const char *origin)
{
	assert_int_equal(
		config_set(&fixture->config, section, name, value, origin, &fixture->error), 0);
}

static const struct {
	const char *name, *value, *message; /* NULL: none */
} variables[] = {
	{ "ROOT_FREE_SPACE", "7M", "ROOT_FREE_SPACE = 7M: not a number" },
	{ "ROOT_FREE_SPACE", "-1", "ROOT_FREE_SPACE = -1: not a number" },
	{ "ROOT_FREE_SPACE", "99999999999999999999",
	  "ROOT_FREE_SPACE = 99999999999999999999: too large a number" },
	{ "SKIP_DAX_HEADER", "maybe", "SKIP_DAX_HEADER = maybe: neither yes nor no" },
	{ "BLOCK_SIZE", "512", "BLOCK_SIZE = 512: blocks have 4096 bytes" },
	{ "BLOCK_SIZE", "4096", NULL },
	{ "AGENT_INIT", "1", "AGENT_INIT: [rootfs] agent-init = 1: neither yes nor no" },
	{ "USE_DOCKER", "maybe", NULL },
	{ "DEBUG", "maybe", NULL },
	{ "SKIP_DAX_HEADER", "no", NULL },
};

static void values_that_a_variable_cannot_have_are_told(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		int ret;

		setenv(variables[i].name, variables[i].value, 1);
		assert_int_equal(
			dropin_read_environment(&fixture->config, DROPIN_IMAGE, &fixture->error),
			0);
		unsetenv(variables[i].name);
		ret = mistakes_report(&fixture->config.mistakes, 1, &fixture->error);
		assert_int_equal(ret, variables[i].message ? -EINVAL : 0);
		if (variables[i].message)
			assert_string_equal(fixture->error.message, variables[i].message);
		start_anew(fixture);
	}
}

static const char *compression(const struct fixture *fixture)
{
	const struct config_pair *pair = config_find_pair(&fixture->config, "erofs", "compress");

	return pair ? pair->value : "not given";
}

static const struct {
	const char *filesystem, *dax_giver, *compress;
	bool mapped, align;
	const char *expected;
	uint64_t align_bytes;
} compressions[] = {
	{ "ext4", "SKIP_DAX_HEADER", NULL, false, false, "not given", 128 << 20 },
	{ "erofs", "SKIP_DAX_HEADER", NULL, false, false, "lz4hc", 1 << 20 },
	{ "./x/kataimg-erofs-backend.so", "SKIP_DAX_HEADER", NULL, false, false, "lz4hc", 1 << 20 },
	{ "erofs", "SKIP_DAX_HEADER", "none", false, false, "none", 1 << 20 },
	{ "erofs", "SKIP_DAX_HEADER", NULL, false, true, "lz4hc", 2 << 20 },
	{ "erofs", "SKIP_DAX_HEADER", NULL, true, false, "not given", 128 << 20 },
	{ "erofs", "--set", NULL, false, false, "not given", 128 << 20 },
	{ "erofs", NULL, NULL, false, false, "not given", 128 << 20 },
	{ "erofs", NULL, "lz4", true, false, "lz4", 128 << 20 },
};

/* Without the header nobody maps files: they are compressed, unless somebody says otherwise. */
static void erofs_is_compressed_where_the_script_would(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		set(fixture, "image", "filesystem", compressions[i].filesystem, "-f");
		if (compressions[i].dax_giver)
			set(fixture, "image", "dax", "no", compressions[i].dax_giver);
		if (compressions[i].compress)
			set(fixture, "erofs", "compress", compressions[i].compress, "--set");
		if (compressions[i].align)
			set(fixture, "image", "align", "2M", "--set");
		fixture->config.image.mapped = compressions[i].mapped;
		assert_int_equal(dropin_adjust_erofs(&fixture->config, i % 2 == 0, &fixture->error),
				 0);
		assert_string_equal(compression(fixture), compressions[i].expected);
		assert_int_equal(fixture->config.image.align_bytes, compressions[i].align_bytes);
		start_anew(fixture);
	}
}

#define NO_POLICY                                                                        \
	"SELINUX = yes: rootfs has no policy in /etc/selinux; name one's file by --set " \
	"selinux.file-contexts=FILE"

static void refuses_policy(struct fixture *fixture)
{
	set(fixture, "image", "source", "rootfs", "SOURCE");
	assert_int_equal(dropin_apply_selinux(&fixture->config, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message, NO_POLICY);
	assert_int_equal(fixture->error.kind, ERROR_USAGE);
	start_anew(fixture);
}

static void the_policy_is_the_trees_own(void **state)
{
	struct fixture *fixture = *state;
	const char *config = "# SELINUXTYPE=other\nSELINUX=enforcing\nSELINUXTYPE=toy \r\n";

	setenv("SELINUX", "maybe", 1);
	assert_int_equal(dropin_apply_selinux(&fixture->config, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message, "SELINUX = maybe: neither yes nor no");
	start_anew(fixture);
	setenv("SELINUX", "yes", 1);
	refuses_policy(fixture); /* no such file */
	assert_int_equal(system("mkdir -p rootfs/etc/selinux/toy/contexts/files"), 0);
	tempdir_write(&fixture->dir, "rootfs/etc/selinux/config", "SELINUX=x\n", 10);
	refuses_policy(fixture); /* no such line */
	tempdir_write(&fixture->dir, "rootfs/etc/selinux/config", config, strlen(config));
	refuses_policy(fixture); /* no such policy */
	tempdir_write(&fixture->dir, "rootfs/etc/selinux/toy/contexts/files/file_contexts", "", 0);
	set(fixture, "image", "source", "rootfs", "SOURCE");
	assert_int_equal(dropin_apply_selinux(&fixture->config, &fixture->error), 0);
	assert_string_equal(fixture->config.selinux.file_contexts,
			    "rootfs/etc/selinux/toy/contexts/files/file_contexts");
	set(fixture, "selinux", "file-contexts", "mine", "--set");
	assert_int_equal(dropin_apply_selinux(&fixture->config, &fixture->error), 0);
	assert_string_equal(fixture->config.selinux.file_contexts, "mine");
	set(fixture, "selinux", "file-contexts", "", "--set");
	setenv("SELINUX", "no", 1);
	assert_int_equal(dropin_apply_selinux(&fixture->config, &fixture->error), 0);
	assert_string_equal(fixture->config.selinux.file_contexts, "");
}

/* Numbers count as themselves; both have to be given, to root. */
static void owners_are_found_by_name_and_number(void **state)
{
	struct fixture *fixture = *state;
	uid_t owner;
	gid_t group;

	if (geteuid() != 0) { /* who is not root can give nothing away */
		setenv("USER", "root", 1);
		setenv("GROUP", "77", 1);
		assert_int_equal(dropin_find_owner(&owner, &group, &fixture->error), 0);
		assert_true(owner == (uid_t)-1 && group == (gid_t)-1);
		return;
	}
	setenv("USER", "12", 1);
	setenv("GROUP", "no-such-group", 1);
	assert_int_equal(dropin_find_owner(&owner, &group, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message, "GROUP = no-such-group: no such group");
	error_clear(&fixture->error);
	setenv("USER", "no-such-user", 1);
	assert_int_equal(dropin_find_owner(&owner, &group, &fixture->error), -EINVAL);
	assert_string_equal(fixture->error.message, "USER = no-such-user: no such user");
	error_clear(&fixture->error);
	setenv("USER", "root", 1);
	setenv("GROUP", "77", 1);
	assert_int_equal(dropin_find_owner(&owner, &group, &fixture->error), 0);
	assert_true(owner == 0 && group == 77);
	setenv("GROUP", "", 1);
	assert_int_equal(dropin_find_owner(&owner, &group, &fixture->error), 0);
	assert_true(owner == (uid_t)-1 && group == (gid_t)-1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_that_a_variable_cannot_have_are_told),
		TEST(erofs_is_compressed_where_the_script_would),
		TEST(the_policy_is_the_trees_own),
		TEST(owners_are_found_by_name_and_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
