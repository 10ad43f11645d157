/* SPDX-License-Identifier: Apache-2.0 */
/* The ext4 backend in trials: sizes, placement, refusals, and failures at every step. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/runs.h"

#define BLOCK 4096u
#define GROUP_BLOCKS 32768u
#define HUGE (2u << 20)
#define WINDOW_OFFSET (3u << 20)

static const char *const no_journal[] = { "journal=no", NULL };

static uint32_t read32(const struct trial *trial, uint64_t off)
{
	uint8_t bytes[4];

	trial_read(trial, off, bytes, sizeof(bytes));
	return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* ---- The judge: e2fsck has nothing to say ---- */

static void judge(const struct trial *trial)
{
	char path[] = "/tmp/test-ext4-XXXXXX";
	char command[128];
	int fd = mkstemp(path);
	int status;

	assert_true(fd >= 0);
	close(fd);
	trial_save(trial, path);
	/* Five passes and two lines of greeting and result. */
	snprintf(command, sizeof(command),
		 "out=$(e2fsck -fn %s 2>&1) && [ $(echo \"$out\" | wc -l) = 7 ]", path);
	status = system(command);
	unlink(path);
	if (status)
		fail_msg("e2fsck complains of a window of %llu bytes",
			 (unsigned long long)trial_window_bytes(trial));
}

static void judge_window(struct memtree *tree, const char *const *options, uint64_t blocks)
{
	struct trial *trial = run_ok(&(struct trial_setup){
		.tree = tree, .options = options, .window_bytes = blocks * BLOCK });

	judge(trial);
	trial_free(trial);
}

static void test_windows(void **state)
{
	static const uint64_t windows[] = {
		0,
		GROUP_BLOCKS - 1,
		GROUP_BLOCKS,
		GROUP_BLOCKS + 1,
		GROUP_BLOCKS + 89,
		GROUP_BLOCKS + 90,
		2 * GROUP_BLOCKS + 88,
		3 * GROUP_BLOCKS + 1000,
		70 * GROUP_BLOCKS,
	};
	struct memtree *tree = memtree_new_sample();

	(void)state;
	if (!have_program("e2fsck"))
		skip();
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		judge_window(tree, NULL, windows[i]);
	judge_window(tree, no_journal, 0);
	memtree_free(tree);
}

static void test_empty_tree(void **state)
{
	struct memtree *tree = memtree_new();

	(void)state;
	if (!have_program("e2fsck"))
		skip();
	judge_window(tree, NULL, 0);
	judge_window(tree, no_journal, 0);
	memtree_free(tree);
}

/* ---- Sizes ---- */

static void test_plan_is_smallest(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	uint64_t bytes = trial_plan(trial)->bytes;

	(void)state;
	assert_int_equal(trial_plan(trial)->granularity, BLOCK);
	assert_int_equal(trial_described(trial)->size_bytes, bytes);
	/* No block is left of the superblock's count. */
	assert_int_equal(read32(trial, 1024 + 12), 0);
	trial_free(trial);
	run_refused(&(struct trial_setup){ .tree = tree, .window_bytes = bytes - BLOCK },
		    "describe", -ENOSPC, "too small");
	memtree_free(tree);
}

static void test_window_is_filled(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(
		&(struct trial_setup){ .tree = tree, .window_bytes = (GROUP_BLOCKS + 10) * BLOCK });

	(void)state;
	assert_int_equal(trial_described(trial)->size_bytes, GROUP_BLOCKS * BLOCK);
	assert_non_null(strstr(trial_log(trial), "40960 bytes"));
	trial_free(trial);
	trial = run_ok(&(struct trial_setup){ .tree = tree,
					      .window_bytes = (GROUP_BLOCKS + 500) * BLOCK });
	assert_int_equal(trial_described(trial)->size_bytes, (GROUP_BLOCKS + 500) * BLOCK);
	assert_string_equal(trial_log(trial), "");
	trial_free(trial);
	memtree_free(tree);
}

static void test_free_space(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct kataimg_job job = trial_default_job();
	struct trial *trial;

	(void)state;
	job.required |= KATAIMG_JOB_FREE_SPACE;
	job.free_bytes = 10 << 20;
	job.free_inodes = 1000;
	trial = run_ok(&(struct trial_setup){ .tree = tree, .job = &job });
	assert_in_range(trial_described(trial)->free_bytes, job.free_bytes,
			job.free_bytes + 2 * BLOCK);
	assert_in_range(trial_described(trial)->free_inodes, job.free_inodes, job.free_inodes + 15);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	memtree_free(tree);
}

static void test_many_inodes(void **state)
{
	static const char *const options[] = { "inodes=200000", NULL };
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	(void)state;
	assert_in_range(trial_described(trial)->inodes, 200000, 200200);
	/* Its tables and the tree; full groups would take seven times 128 MiB. */
	assert_in_range(trial_plan(trial)->bytes, 200000 * 256, 80 << 20);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	memtree_free(tree);
}

/* In the smallest size many inodes need small groups, in a window with room for full ones not: a
 * multitude of small ones would leave no room for their descriptors. */
static void test_many_inodes_in_large_windows(void **state)
{
	static const char *const options[] = { "inodes=4000000", NULL };
	static const uint64_t windows[] = { UINT64_C(20) << 30, UINT64_C(2) << 40 };
	struct memtree *tree = memtree_new();

	(void)state;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		struct trial *trial = run_ok(&(struct trial_setup){
			.tree = tree, .options = options, .window_bytes = windows[i] });

		assert_int_equal(trial_described(trial)->size_bytes, windows[i]);
		assert_in_range(trial_described(trial)->inodes, 4000000, 4300000);
		assert_int_equal(read32(trial, 1024 + 32), GROUP_BLOCKS);
		if (i == 0 && have_program("e2fsck"))
			judge(trial);
		trial_free(trial);
	}
	memtree_free(tree);
}

static void test_most_inodes(void **state)
{
	static const char *const options[] = { "inodes=1000000000", NULL };
	struct memtree *tree = memtree_new();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree, .options = options });

	(void)state;
	assert_in_range(trial_described(trial)->inodes, 1000000000, 1000500000);
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Placement ---- */

static struct memtree *new_large_files(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct kataimg_node *sparse = memtree_add_pattern(root, "sparse", 20 << 20, 9);
	char name[16];

	memtree_punch_hole(sparse, 1 << 20, 5 << 20);
	memtree_add_pattern(root, "wide", 200 << 20, 10);
	for (uint32_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "large%u", i);
		memtree_add_pattern(root, name, HUGE + i * 7000, i);
	}
	for (uint32_t i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "small%u", i);
		memtree_add_pattern(root, name, i * 100, i);
	}
	return tree;
}

/* Every whole huge page of data in a large file lies on one of the image. */
static void check_places(const struct trial *trial, uint64_t *places_of_large)
{
	*places_of_large = 0;
	for (uint64_t i = 0; i < trial_place_count(trial); i++) {
		const struct trial_place *place = trial_place_at(trial, i);
		uint64_t first_page = (place->file_off + HUGE - 1) / HUGE * HUGE;
		uint64_t image_off = WINDOW_OFFSET + place->off + first_page - place->file_off;

		if (place->node->size < HUGE)
			continue;
		++*places_of_large;
		if (first_page + HUGE <= place->file_off + place->len)
			assert_int_equal(image_off % HUGE, 0);
	}
}

static void test_large_files_are_aligned(void **state)
{
	struct memtree *tree = new_large_files();
	struct trial *trial = run_ok(&(struct trial_setup){ .tree = tree });
	uint64_t places;

	(void)state;
	check_places(trial, &places);
	/* In the smallest size they are cut, but never within a huge page. */
	assert_in_range(places, 4 + 2 + 2, 2 * 4 + 3 + 4);
	assert_int_equal(read32(trial, 1024 + 12), 0);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	trial = run_ok(&(struct trial_setup){ .tree = tree, .window_bytes = 640 << 20 });
	check_places(trial, &places);
	/* Four whole, the sparse one in its two segments, the wide one by extents of 128 MiB. */
	assert_int_equal(places, 4 + 2 + 2);
	trial_free(trial);
	memtree_free(tree);
}

/* ---- Extended attributes ---- */

static void test_shared_blocks(void **state)
{
	struct memtree *tree = memtree_new();
	struct memtree *plain = memtree_new();
	struct trial *trial, *plain_host;
	char name[16], value[200];

	(void)state;
	memset(value, 'v', sizeof(value));
	for (uint32_t i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		memtree_set_xattr(memtree_add_file(memtree_root(tree), name, "", 0), "user.a",
				  value, sizeof(value));
		memtree_add_file(memtree_root(plain), name, "", 0);
	}
	trial = run_ok(&(struct trial_setup){ .tree = tree });
	plain_host = run_ok(&(struct trial_setup){ .tree = plain });
	/* A block has 1024 users at most. */
	assert_int_equal(trial_plan(trial)->bytes, trial_plan(plain_host)->bytes + 2 * BLOCK);
	if (have_program("e2fsck"))
		judge(trial);
	trial_free(trial);
	trial_free(plain_host);
	memtree_free(tree);
	memtree_free(plain);
}

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
	assert_int_equal(read32(trial, 1024 + 8), 0);
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
	assert_int_equal(read32(with, 1024 + 0x100) & 0x60, 0);
	assert_null(strstr(trial_probed(without)->features, "has_journal"));
	assert_int_equal(read32(without, 1024 + 0x100) & 0x60, 0x40);
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
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_empty_tree),
		cmocka_unit_test(test_plan_is_smallest),
		cmocka_unit_test(test_window_is_filled),
		cmocka_unit_test(test_free_space),
		cmocka_unit_test(test_many_inodes),
		cmocka_unit_test(test_many_inodes_in_large_windows),
		cmocka_unit_test(test_most_inodes),
		cmocka_unit_test(test_large_files_are_aligned),
		cmocka_unit_test(test_shared_blocks),
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
