/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS backend in trials: whole runs read back, what is told of them, and failing services. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/erofsread.h"
#include "tests/support/runs.h"
#include "tests/support/trees.h"

static const char *const plain[] = { "data=dax", NULL };
static const char *const packed[] = { "data=packed", NULL };
static const char *const lz4[] = { "compress=lz4", "data=packed", NULL };
static const char *const lz4_8k[] = { "compress=lz4", "cluster-size=8K", NULL };
static const char *const lz4hc_64k[] = { "compress=lz4hc", "level=2", "cluster-size=64K", NULL };
static const char *const all[] = { "compress=lz4hc", "level=1",     "cluster-size=12K",
				   "dedupe=yes",     "data=packed", NULL };
static const char *const tails[] = { "compress=lz4hc", "level=1", "tail=inline", NULL };
static const char *const tails_64k[] = { "compress=lz4", "cluster-size=64K", "tail=inline",
					 "data=packed", NULL };
static const char *const fragments[] = { "compress=lz4", "fragments=tails", NULL };
static const char *const fragments_64k[] = { "compress=lz4hc",  "level=1",     "cluster-size=64K",
					     "fragments=tails", "tail=inline", "data=packed",
					     "dedupe=yes",      NULL };
static const char *const all_fragments[] = { "compress=lz4hc", "level=1",     "cluster-size=1M",
					     "fragments=all",  "tail=inline", NULL };
static const char *const *const variants[] = { plain,     packed,        lz4,          lz4_8k,
					       lz4hc_64k, all,           tails,        tails_64k,
					       fragments, fragments_64k, all_fragments };
#define VARIANT_COUNT (sizeof(variants) / sizeof(variants[0]))

/* Sizes around block and segment boundaries, content of each kind. */
static struct memtree *new_mixed_tree(void)
{
	static const size_t sizes[] = { 1,     4095,  4096,  4097,  8191,  8192,  8193,
					12289, 20480, 65535, 65536, 65537, 70000, (4 << 20) + 1 };
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	char name[32];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(name, sizeof(name), "mixed-%zu", sizes[i]);
		trees_add_mixed(root, name, sizes[i], (uint32_t)i);
		snprintf(name, sizeof(name), "again-%zu", sizes[i]);
		trees_add_mixed(root, name, sizes[i] % (1 << 20), (uint32_t)i);
	}
	return tree;
}

/* Files of one segment and of two, whose packed file has more. */
static struct memtree *new_long_tree(void)
{
	static const uint32_t ends[] = { 0, 1, 4095, 4096 };
	struct memtree *tree = memtree_new();
	char name[32];

	for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "long-%u", ends[i]);
		trees_add_mixed(memtree_root(tree), name, (20 << 20) + ends[i], i);
	}
	memtree_add_pattern(memtree_root(tree), "dense", (20 << 20) + 1, 1);
	return tree;
}

static void check_contents(struct memtree *tree, const char *const *options)
{
	struct trial *trial = run_tree(tree, options, NULL);

	assert_string_equal(trial_probed(trial)->type, "erofs");
	assert_int_equal(trial_probed(trial)->size_bytes, trial_plan(trial)->bytes);
	assert_int_equal(trial_probed(trial)->inodes, memtree_finish(tree)->node_count);
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

static void contents_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < VARIANT_COUNT; i++)
		check_contents(new_mixed_tree(), variants[i]);
	check_contents(memtree_new_sample(), plain);
	check_contents(memtree_new_sample(), packed);
	check_contents(memtree_new_sample(), lz4_8k);
}

static uint8_t *read_window(const struct trial *trial)
{
	uint8_t *bytes = malloc(trial_window_bytes(trial));

	assert_non_null(bytes);
	trial_read(trial, 0, bytes, trial_window_bytes(trial));
	return bytes;
}

static void segments_read_back(void **state)
{
	(void)state;
	check_contents(new_long_tree(), lz4);
	check_contents(new_long_tree(), tails_64k);
	check_contents(new_long_tree(), all_fragments);
}

/* The same bytes from one thread, from four, and with everything done in reverse order. */
static void check_threads(struct memtree *tree, const char *const *options)
{
	struct trial *first = run_tree(tree, options, NULL);
	uint8_t *expected = read_window(first);

	for (int i = 0; i < 2; i++) {
		struct kataimg_job job = trial_default_job();
		struct trial *trial;
		uint8_t *found;

		job.threads = i ? 4 : 1;
		trial = trial_new(&(struct trial_setup){ .backend = trial_load_backend(),
							 .tree = tree,
							 .options = options,
							 .job = &job,
							 .backwards = !i });
		assert_int_equal(trial_run(trial), 0);
		assert_int_equal(trial_window_bytes(trial), trial_window_bytes(first));
		found = read_window(trial);
		assert_memory_equal(found, expected, trial_window_bytes(first));
		free(found);
		trial_free(trial);
	}
	free(expected);
	trial_free(first);
	memtree_free(tree);
}

static void threads_change_nothing(void **state)
{
	(void)state;
	check_threads(new_mixed_tree(), all);
	check_threads(new_mixed_tree(), fragments_64k);
	check_threads(new_mixed_tree(), all_fragments);
	check_threads(new_long_tree(), fragments);
}

/* A read-only filesystem is as large as planned, whatever the window. */
static void larger_window(void **state)
{
	struct memtree *tree = memtree_new_sample();
	struct trial *trial = trial_new(&(struct trial_setup){
		.backend = trial_load_backend(), .tree = tree, .extra_bytes = 1 << 20 });

	(void)state;
	assert_int_equal(trial_run(trial), 0);
	assert_int_equal(trial_probed(trial)->size_bytes, trial_plan(trial)->bytes);
	trial_free(trial);
	memtree_free(tree);
}

/* Each feature that a layout uses, and no other, decides the oldest kernel. */
static void oldest_kernels(void **state)
{
	static const struct {
		const char *const *options;
		const char *kernel;
	} cases[] = { { plain, "5.4" },        { packed, "5.4" }, { lz4, "5.4" },
		      { lz4hc_64k, "5.13" },   { tails, "5.17" }, { fragments, "6.1" },
		      { all_fragments, "6.1" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct memtree *tree = memtree_new();
		struct trial *trial;

		trees_add_mixed(memtree_root(tree), "mixed", 300000, 1);
		trial = run_tree(tree, cases[i].options, NULL);
		assert_string_equal(trial_probed(trial)->min_kernel, cases[i].kernel);
		assert_string_equal(trial_fact(trial, "min_kernel"), cases[i].kernel);
		trial_free(trial);
		memtree_free(tree);
	}
}

/* A bit of everything that needs a service. */
static struct memtree *new_small_tree(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	char name[32];

	for (uint32_t i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "a-directory-%u", i);
		memtree_add_pattern(memtree_add_dir(root, name), name, i * 500, i / 2);
	}
	trees_add_mixed(root, "mixed", 100000, 1);
	trees_add_mixed(root, "mixed-again", 100000, 1);
	memtree_punch_hole(memtree_add_pattern(root, "sparse", 1 << 20, 1), 4096, 1 << 19);
	memtree_add_symlink(root, "link", "mixed");
	return tree;
}

/* What DAX is not for is said when the image is for DAX. */
static void cost_of_dax(void **state)
{
	(void)state;
	for (size_t i = 0; i < VARIANT_COUNT; i++) {
		struct memtree *tree = memtree_new();
		struct trial *trial;
		bool said;

		trees_add_mixed(memtree_root(tree), "mixed", 300001, 1);
		trial = run_tree(tree, variants[i], NULL);
		said = strstr(trial_log(trial), "1 files of 300001 bytes are compressed");
		assert_int_equal(said, variants[i] != plain);
		trial_free(trial);
		memtree_free(tree);
	}
}

static void failing_services(void **state)
{
	static const struct {
		enum trial_service service;
		int code;
	} faults[] = {
		{ TRIAL_WRITE, EIO },          { TRIAL_WRITE, ENOSPC },
		{ TRIAL_PLACE, ENOMEM },       { TRIAL_PLACE_SCRATCH, ENOMEM },
		{ TRIAL_SOURCE_READ, EIO },    { TRIAL_WINDOW_READ, EIO },
		{ TRIAL_SCRATCH_CREATE, EIO }, { TRIAL_SCRATCH_WRITE, ENOSPC },
		{ TRIAL_DERIVE, EIO },         { TRIAL_PARALLEL, EIO },
	};
	struct memtree *tree = new_small_tree();
	struct trial_setup setup = { .backend = trial_load_backend(),
				     .tree = tree,
				     .options = all };

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		trial_sweep(&setup, faults[i].service, faults[i].code, 10);
	setup.options = fragments_64k;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		trial_sweep(&setup, faults[i].service, faults[i].code, 10);
	setup.options = tails;
	trial_sweep(&setup, TRIAL_SCRATCH_READ, EIO, 10);
	memtree_free(tree);
}

static void cancelled(void **state)
{
	struct memtree *tree = new_small_tree();

	(void)state;
	for (uint64_t calls = 0; calls < 100; calls += 20) {
		struct trial *trial = trial_new(&(struct trial_setup){
			.backend = trial_load_backend(), .tree = tree, .options = all });

		trial_cancel_after(trial, calls);
		assert_int_equal(trial_run(trial), -ECANCELED);
		trial_free(trial);
	}
	memtree_free(tree);
}

static void probe_refuses(void **state)
{
	const struct kataimg_backend *backend = trial_load_backend();
	struct memtree *tree = memtree_new();
	struct trial *trial = run_tree(tree, plain, NULL);
	uint64_t len = trial_window_bytes(trial);
	uint8_t *bytes = read_window(trial);
	struct kataimg_fs_info info;

	(void)state;
	assert_int_equal(trial_probe_bytes(backend, bytes, len, &info), 0);
	assert_int_equal(trial_probe_bytes(backend, bytes, 1100, &info), -ENODATA);
	bytes[1024 + 40] ^= 1;
	assert_int_equal(trial_probe_bytes(backend, bytes, len, &info), -EUCLEAN);
	bytes[1024 + 40] ^= 1;
	bytes[1024 + 12] = 40;
	assert_int_equal(trial_probe_bytes(backend, bytes, len, &info), -EUCLEAN);
	bytes[1024] ^= 1;
	assert_int_equal(trial_probe_bytes(backend, bytes, len, &info), -ENODATA);
	free(bytes);
	trial_free(trial);
	memtree_free(tree);
}

/* What others' images need: algorithms and block sizes that are not written here. */
static void oldest_kernels_of_others(void **state)
{
	static const struct {
		uint8_t block_bits, algorithms;
		const char *kernel, *feature;
	} cases[] = { { 12, 0x1, "5.13", "compr_cfgs" }, { 12, 0x3, "5.16", "lzma" },
		      { 12, 0x4, "6.6", "deflate" },     { 12, 0xf, "6.10", "zstd" },
		      { 9, 0x1, "6.4", "compr_cfgs" },   { 12, 0x11, "", "compr_cfgs" } };
	const struct kataimg_backend *backend = trial_load_backend();
	struct memtree *tree = new_mixed_tree();
	struct trial *trial = run_tree(tree, lz4hc_64k, NULL);
	uint64_t len = trial_window_bytes(trial);
	uint8_t *bytes = read_window(trial);

	(void)state;
	bytes[1024 + 8] &= 0xfe; /* no checksum */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kataimg_fs_info info = { .struct_size = sizeof(info) };

		bytes[1024 + 12] = cases[i].block_bits;
		bytes[1024 + 84] = cases[i].algorithms;
		assert_int_equal(trial_probe_bytes(backend, bytes, len, &info), 0);
		assert_string_equal(info.min_kernel, cases[i].kernel);
		assert_non_null(strstr(info.features, cases[i].feature));
	}
	free(bytes);
	trial_free(trial);
	memtree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_read_back),
		cmocka_unit_test(segments_read_back),
		cmocka_unit_test(threads_change_nothing),
		cmocka_unit_test(larger_window),
		cmocka_unit_test(oldest_kernels),
		cmocka_unit_test(cost_of_dax),
		cmocka_unit_test(failing_services),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(probe_refuses),
		cmocka_unit_test(oldest_kernels_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
