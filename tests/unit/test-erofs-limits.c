/* SPDX-License-Identifier: Apache-2.0 */
/* What the EROFS backend takes and what it refuses: options, attributes, limits. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/runs.h"

/* Contradicting or impossible options are errors of open. */
static void wrong_options(void **state)
{
	static const char *const wrong[][3] = {
		{ "uuid=not-a-uuid", NULL },
		{ "uuid=01234567-89ab-cdef-0123-456789abcde", NULL },
		{ "uuid=0123456789abcdef0123456789abcdef", NULL },
		{ "uuid=00000000-0000-0000-0000-000000000000", NULL },
		{ "level=3", NULL },
		{ "level=3", "compress=lz4", NULL },
		{ "cluster-size=8K", NULL },
		{ "cluster-size=5000", "compress=lz4", NULL },
	};
	struct memtree *tree = memtree_new();

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct trial *trial = trial_new(&(struct trial_setup){
			.backend = trial_load_backend(), .tree = tree, .options = wrong[i] });

		assert_int_equal(trial_run(trial), -EINVAL);
		assert_string_equal(trial_stage(trial), "open");
		trial_free(trial);
	}
	memtree_free(tree);
}

static void label_and_uuid(void **state)
{
	static const char *const named[] = { "label=fifteen letters",
					     "uuid=01234567-89AB-cdef-0123-456789abcdef", NULL };
	static const uint8_t uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = named });

	(void)state;
	assert_string_equal(trial_probed(trial)->label, "fifteen letters");
	assert_memory_equal(trial_probed(trial)->uuid, uuid, sizeof(uuid));
	trial_free(trial);
	memtree_free(tree);
}

/* The result of a run, with the tree freed. */
static int result_of(struct memtree *tree)
{
	struct trial *trial =
		trial_new(&(struct trial_setup){ .backend = trial_load_backend(), .tree = tree });
	int ret = trial_run(trial);

	trial_free(trial);
	memtree_free(tree);
	return ret;
}

static int check_xattr(const char *name, size_t value_len, uint32_t count)
{
	static const uint8_t value[65535];
	struct memtree *tree = memtree_new();
	struct kataimg_node *file = memtree_add_file(memtree_root(tree), "f", "", 0);
	char numbered[64];

	for (uint32_t i = 0; i < count; i++) {
		snprintf(numbered, sizeof(numbered), "%s%u", name, i);
		memtree_set_xattr(file, count == 1 ? name : numbered, value, value_len);
	}
	return result_of(tree);
}

static int check_acl(const void *value, size_t value_len)
{
	struct memtree *tree = memtree_new();

	memtree_set_xattr(memtree_add_file(memtree_root(tree), "f", "", 0),
			  "system.posix_acl_access", value, value_len);
	return result_of(tree);
}

static void acls(void **state)
{
	static const uint8_t acl[] = {
		2, 0, 0,    0,    1,    0,    7,  0, 0xff, 0xff, 0xff, 0xff, 4,    0,
		5, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 5,    0,    0xff, 0xff, 0xff, 0xff,
	};

	(void)state;
	assert_int_equal(check_acl(acl, sizeof(acl)), 0);
	assert_int_equal(check_acl(acl, sizeof(acl) - 8), -EOPNOTSUPP);
}

static void limits(void **state)
{
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	const struct kataimg_limits *limits = trial_limits(trial);

	(void)state;
	assert_int_equal(limits->symlink_bytes, 4095);
	assert_int_equal(limits->xattr_name_bytes, 255);
	assert_int_equal(limits->xattr_value_bytes, 65535);
	assert_int_equal(limits->id, 0xfffffffe); /* -1 is no user */
	assert_int_equal(limits->file_bytes, (UINT64_C(1) << 44) - 4096);
	trial_free(trial);
	memtree_free(tree);
}

static void xattr_limits(void **state)
{
	(void)state;
	assert_int_equal(check_xattr("user.a", 65535, 1), 0);
	assert_int_equal(check_xattr("system.nfs4_acl", 28, 1), -EOPNOTSUPP);
	assert_int_equal(check_xattr("system.posix_acl_access.x", 28, 1), -EOPNOTSUPP);
	assert_int_equal(check_xattr("com.example", 1, 1), -EOPNOTSUPP);
	/* 4 + 2 + 65526 bytes each, of 262136 */
	assert_int_equal(check_xattr("user.a", 65526, 3), 0);
	assert_int_equal(check_xattr("user.a", 65526, 4), 0);
	assert_int_equal(check_xattr("user.a", 65530, 4), -EOPNOTSUPP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_options), cmocka_unit_test(label_and_uuid),
		cmocka_unit_test(acls),          cmocka_unit_test(limits),
		cmocka_unit_test(xattr_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
