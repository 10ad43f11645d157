/* SPDX-License-Identifier: Apache-2.0 */
/* The ext4 backend in trials: options, refusals, probing, and failures at every step. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/runs.h"

#define BLOCK 4096u
#define GROUP_BLOCKS 32768u

static const char *const no_journal[] = { "journal=no", NULL };

/* ---- Extended attributes ---- */

static void test_refused_xattrs(void **state)
{
	struct memtree *tree = memtree_new();
	char value[5000] = { 0 };

	(void)state;
	memtree_set_xattr(memtree_add_file(memtree_root(tree), "f", "", 0), "user.a", value,
			  sizeof(value));
	run_refused(&(struct trial_setup){ .tree = tree }, "check", -EOPNOTSUPP, "");
	memtree_free(tree);
}

/* ---- Limits ---- */

static void test_limits(void **state)
{
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	const struct kataimg_limits *limits = trial_limits(trial);

	(void)state;
	assert_int_equal(limits->id, 0xfffffffe); /* -1 is no user */
	assert_int_equal(limits->links, 65000);
	assert_int_equal(limits->symlink_bytes, 4095);
	assert_int_equal(limits->file_bytes, (UINT64_C(1) << 44) - BLOCK);
	assert_int_equal(limits->mtime_max, 15032385535);
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Options, verify, probe ---- */

static void test_options(void **state)
{
	static const char *const given[] = { "label=root", "reserved-percent=0",
					     "uuid=01234567-89ab-CDEF-0123-456789abcdef", NULL };
	static const char *const bad_uuids[][2] = {
		{ "uuid=0123", NULL },
		{ "uuid=01234567-89ab-cdef-0123-456789abcdeg", NULL },
		{ "uuid=01234567-89ab-cdef-01234-56789abcdef", NULL },
		{ "uuid=00000000-0000-0000-0000-000000000000", NULL },
	};
	static const char *const few_inodes[] = { "inodes=12", NULL };
	static const uint8_t uuid[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
					  0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = given });

	(void)state;
	assert_string_equal(trial_probed(trial)->label, "root");
	assert_memory_equal(trial_probed(trial)->uuid, uuid, sizeof(uuid));
	assert_int_equal(run_word(trial, 1024 + 8), 0);
	trial_free(trial);
	for (size_t i = 0; i < sizeof(bad_uuids) / sizeof(bad_uuids[0]); i++)
		run_refused(&(struct trial_setup){ .tree = tree, .options = bad_uuids[i] }, "open",
			    -EINVAL, "not a UUID");
	run_refused(&(struct trial_setup){ .tree = tree, .options = few_inodes }, "plan", -EINVAL,
		    "the tree and what shall be free need ");
	memtree_free(tree);
}

/* Without a journal data=ordered must be a default, or the runtimes' mount fails. */
static void test_journal(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *with = run_ok(&(struct trial_setup){ .tree = tree });
	struct trial *without =
		run_ok(&(struct trial_setup){ .tree = tree, .options = no_journal });

	(void)state;
	assert_non_null(strstr(trial_probed(with)->features, "has_journal"));
	assert_int_equal(run_word(with, 1024 + 0x100) & 0x60, 0);
	assert_null(strstr(trial_probed(without)->features, "has_journal"));
	assert_int_equal(run_word(without, 1024 + 0x100) & 0x60, 0x40);
	assert_int_equal(trial_plan(with)->bytes, trial_plan(without)->bytes + 1024 * BLOCK);
	trial_free(with);
	trial_free(without);
	memtree_free(tree);
}

static void test_unaligned_window(void **state)
{
	struct memtree *tree = memtree_new();
	struct kataimg_job job = trial_default_job();

	(void)state;
	job.window_offset = 1000;
	run_refused(&(struct trial_setup){ .tree = tree, .job = &job }, "open", -EINVAL,
		    "byte 1000");
	memtree_free(tree);
}

static void test_build_time(void **state)
{
	struct memtree *tree = memtree_new();
	struct kataimg_job job = trial_default_job();
	struct trial *trial;

	(void)state;
	job.build_time = INT64_C(15032385535); /* 2446-05-10 */
	trial = run_ok(&(struct trial_setup){ .tree = tree, .job = &job });
	trial_free(trial);
	job.build_time++;
	run_refused(&(struct trial_setup){ .tree = tree, .job = &job }, "plan", -ERANGE,
		    "15032385536 seconds");
	memtree_free(tree);
}

/* What libext2fs wrote does not agree with the layout, in four groups: a byte of descriptors and
 * bitmaps. (Any byte of metadata that changes is found by the core: test-compare.c.) */
static void test_verify_sees_disagreement(void **state)
{
	static const struct {
		uint64_t block, off;
		const char *text;
	} damages[] = {
		{ 1, 3 * 64, "block bitmap of block group 3" },
		{ 1, 3 * 64 + 4, "inode bitmap of block group 3" },
		{ 1, 3 * 64 + 8, "inode table of block group 3" },
		{ 1, 3 * 64 + 12, "block bitmap of block group 3" },
		{ 1, 2 * 64 + 12, "sum of what is free" }, /* that group's bitmap is implied */
		{ 2, 4095, "block bitmap of block group 0" },
		{ 2 + 4, 1, "inode bitmap of block group 0" },
	};
	struct memtree *tree = memtree_new_sample();

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		run_refused(&(struct trial_setup){ .tree = tree,
						   .window_bytes = 4 * GROUP_BLOCKS * BLOCK,
						   .corrupt = "x",
						   .corrupt_len = 1,
						   .corrupt_off = damages[i].block * BLOCK +
								  damages[i].off },
			    "verify", -EUCLEAN, damages[i].text);
	memtree_free(tree);
}

/* Sixteen blocks of 1 KiB. */
static void put_old_ext2(uint8_t *bytes)
{
	bytes[1024 + 0] = 32; /* inodes */
	bytes[1024 + 4] = 16; /* blocks */
	bytes[1024 + 12] = 3; /* free */
	bytes[1024 + 56] = 0x53;
	bytes[1024 + 57] = 0xef;
}

static void test_probe_others(void **state)
{
	uint8_t bytes[16384] = { 0 };
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	const struct kataimg_backend *backend = trial_load_backend();

	(void)state;
	assert_int_equal(trial_probe_bytes(backend, bytes, sizeof(bytes), &info), -ENODATA);
	assert_int_equal(trial_probe_bytes(backend, bytes, 1500, &info), -ENODATA);
	put_old_ext2(bytes);
	assert_int_equal(trial_probe_bytes(backend, bytes, sizeof(bytes), &info), 0);
	assert_string_equal(info.type, "ext2");
	assert_int_equal(info.block_bytes, 1024);
	assert_int_equal(info.free_bytes, 3 * 1024);
	bytes[1024 + 0x60] = 8; /* an external journal */
	assert_int_equal(trial_probe_bytes(backend, bytes, sizeof(bytes), &info), -EOPNOTSUPP);
}

/* A byte of the old ext2 of test_probe_others that makes no sense. */
static void test_probe_absurd(void **state)
{
	static const struct {
		uint16_t off;
		uint8_t value;
	} absurd[] = {
		{ 0, 0 },        /* no inodes */
		{ 4, 0 },        /* no blocks */
		{ 4, 17 },       /* one more than there is room for */
		{ 7, 0xff },     /* many more */
		{ 12, 17 },      /* more free than there are */
		{ 16, 33 },      /* inodes, too */
		{ 24, 1 },       /* blocks of 2 KiB */
		{ 24, 7 },       /* of 128 KiB */
		{ 27, 0x80 },    /* of 2^31 times as much */
		{ 0x64 + 1, 4 }, /* checksums, but the sum is wrong */
	};
	const struct kataimg_backend *backend = trial_load_backend();

	(void)state;
	for (size_t i = 0; i < sizeof(absurd) / sizeof(absurd[0]); i++) {
		struct kataimg_fs_info info = { .struct_size = sizeof(info) };
		uint8_t bytes[16384] = { 0 };

		put_old_ext2(bytes);
		bytes[1024 + absurd[i].off] = absurd[i].value;
		if (trial_probe_bytes(backend, bytes, sizeof(bytes), &info) != -EUCLEAN)
			fail_msg("byte %u as %u is taken", absurd[i].off, absurd[i].value);
	}
}

/* ---- Same bytes, and failures ---- */

static void test_same_bytes(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *first = run_ok(&(struct trial_setup){ .tree = tree });
	struct trial *second = run_ok(&(struct trial_setup){ .tree = tree, .backwards = true });
	uint8_t a[BLOCK], b[BLOCK];

	(void)state;
	for (uint64_t off = 0; off < trial_window_bytes(first); off += BLOCK) {
		trial_read(first, off, a, BLOCK);
		trial_read(second, off, b, BLOCK);
		assert_memory_equal(a, b, BLOCK);
	}
	trial_free(first);
	trial_free(second);
	memtree_free(tree);
}

static void test_failing_services(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial_setup setup = { .backend = trial_load_backend(), .tree = tree };

	(void)state;
	trial_sweep(&setup, TRIAL_WRITE, EIO, UINT64_MAX);
	trial_sweep(&setup, TRIAL_WRITE, ENOSPC, UINT64_MAX);
	trial_sweep(&setup, TRIAL_WINDOW_READ, EIO, UINT64_MAX);
	trial_sweep(&setup, TRIAL_DERIVE, ECANCELED, UINT64_MAX);
	trial_sweep(&setup, TRIAL_PLACE, EEXIST, 10);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_xattrs),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_unaligned_window),
		cmocka_unit_test(test_build_time),
		cmocka_unit_test(test_verify_sees_disagreement),
		cmocka_unit_test(test_probe_others),
		cmocka_unit_test(test_probe_absurd),
		cmocka_unit_test(test_same_bytes),
		cmocka_unit_test(test_failing_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
