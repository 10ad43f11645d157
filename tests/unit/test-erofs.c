/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS backend in trials: whole runs read back, and failing services. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/byteorder.h"
#include "tests/support/erofsread.h"
#include "tests/support/runs.h"

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

static struct trial *run_tree(struct memtree *tree, const char *const *options,
			      const struct kataimg_job *job)
{
	return run_ok(&(struct trial_setup){ .tree = tree, .options = options, .job = job });
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A file where stretches that compress and stretches that do not take turns. */
static void add_mixed(struct kataimg_node *dir, const char *name, size_t len, uint32_t seed)
{
	static const char letters[3][5] = { "", "abcd", "zzzz" };
	uint8_t *content = malloc(len + 1);
	size_t at = 0;

	assert_non_null(content);
	while (at < len) {
		size_t stretch = next_random(&seed) % 20000 + 1;
		unsigned int kind = next_random(&seed) % 3;

		for (; stretch && at < len; stretch--, at++)
			content[at] =
				kind == 0 ? (uint8_t)next_random(&seed) : letters[kind][at % 4];
	}
	memtree_add_file(dir, name, content, len);
	free(content);
}

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
		add_mixed(root, name, sizes[i], (uint32_t)i);
		snprintf(name, sizeof(name), "again-%zu", sizes[i]);
		add_mixed(root, name, sizes[i] % (1 << 20), (uint32_t)i);
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
		add_mixed(memtree_root(tree), name, (20 << 20) + ends[i], i);
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

static struct memtree *new_huge_tree(void)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	char name[32];

	for (uint32_t i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "small-%u", i);
		memtree_add_pattern(root, name, 1 + i * 97, i);
	}
	for (uint32_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "huge-%u", i);
		memtree_add_pattern(root, name, ((3 + i) << 20) + 1, i);
	}
	return tree;
}

/* Data of 2 MiB and more begins where a guest maps huge pages, and the gaps do not stay empty. */
static void huge_pages(void **state)
{
	struct memtree *tree = new_huge_tree();
	struct kataimg_job job = trial_default_job();
	struct trial *aligned = run_tree(tree, NULL, &job), *loose;
	uint64_t huge = 0;

	(void)state;
	for (uint64_t i = 0; i < trial_place_count(aligned); i++) {
		const struct trial_place *place = trial_place_at(aligned, i);

		if (place->node->size < job.hugepage_bytes)
			continue;
		assert_int_equal((job.window_offset + place->off) % job.hugepage_bytes, 0);
		huge++;
	}
	assert_int_equal(huge, 3);
	job.hugepage_bytes = 0;
	loose = run_tree(tree, NULL, &job);
	assert_in_range(trial_plan(aligned)->bytes, trial_plan(loose)->bytes,
			trial_plan(loose)->bytes * 1005 / 1000);
	trial_free(aligned);
	trial_free(loose);
	memtree_free(tree);
}

/* Holes are neither written nor counted. */
static void holes(void **state)
{
	struct memtree *tree = memtree_new();
	struct kataimg_node *file =
		memtree_add_pattern(memtree_root(tree), "sparse", UINT64_C(5) << 30, 1);
	struct trial *trial;
	struct erofsread_inode inode;

	(void)state;
	memtree_punch_hole(file, 4096, (UINT64_C(5) << 30) - 8192);
	trial = run_tree(tree, NULL, NULL);
	inode = erofsread_find(trial, "sparse");
	assert_int_equal(inode.layout, 4);
	assert_int_equal(inode.size, UINT64_C(5) << 30);
	assert_in_range(trial_plan(trial)->bytes, 8192, 1 << 20);
	assert_string_equal(trial_probed(trial)->min_kernel, "5.15");
	trial_free(trial);
	memtree_free(tree);
}

static void equal_files_share(void **state)
{
	static const char *const dedupe[] = { "dedupe=yes", NULL };
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct trial *trial;

	(void)state;
	memtree_add_pattern(root, "a", 100000, 7);
	memtree_add_pattern(root, "b", 100000, 7);
	memtree_add_pattern(root, "c", 100000, 8);
	trial = run_tree(tree, dedupe, NULL);
	assert_string_equal(trial_fact(trial, "deduplicated_files"), "1");
	assert_string_equal(trial_fact(trial, "deduplicated_bytes"), "102400");
	assert_int_equal(erofsread_find(trial, "a").u, erofsread_find(trial, "b").u);
	assert_int_not_equal(erofsread_find(trial, "a").u, erofsread_find(trial, "c").u);
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

/* Of two files that only differ in their holes one is stored; and a terabyte of hole is not read.
 */
static void equal_sparse_files_share(void **state)
{
	static const char *const dedupe[] = { "dedupe=yes", NULL };
	static const uint64_t tib = UINT64_C(1) << 40;
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	uint8_t *content = calloc(1, 300000);
	struct trial *trial;

	(void)state;
	assert_non_null(content);
	content[0] = content[280000] = 'x';
	memtree_add_file(root, "filled", content, 300000);
	memtree_punch_hole(memtree_add_file(root, "holed", content, 300000), 8192, 266240);
	content[280000] = 'y';
	memtree_punch_hole(memtree_add_file(root, "other", content, 300000), 8192, 266240);
	memtree_punch_hole(memtree_add_pattern(root, "tib", tib, 1), 4096, tib - 8192);
	memtree_punch_hole(memtree_add_pattern(root, "tib-equal", tib, 1), 4096, tib - 8192);
	memtree_punch_hole(memtree_add_pattern(root, "tib-hole", tib, 1), 0, tib);
	memtree_punch_hole(memtree_add_pattern(root, "tib-more", tib, 1), 8192, tib - 12288);
	trial = run_tree(tree, dedupe, NULL);
	assert_string_equal(trial_fact(trial, "deduplicated_files"), "2");
	assert_int_equal(erofsread_find(trial, "filled").u, erofsread_find(trial, "holed").u);
	assert_int_not_equal(erofsread_find(trial, "filled").u, erofsread_find(trial, "other").u);
	trial_free(trial);
	memtree_free(tree);
	free(content);
}

/* Its index would not fit: nothing of it is read, and there is room for all of it. */
static void vast_files_stay_as_they_are(void **state)
{
	struct memtree *tree = memtree_new();
	struct trial *trial;
	uint64_t size = UINT64_C(9) << 40;

	(void)state;
	memtree_add_pattern(memtree_root(tree), "vast", size, 1);
	trial = trial_new(&(struct trial_setup){
		.backend = trial_load_backend(), .tree = tree, .options = lz4 });
	trial_fail(trial, TRIAL_WRITE, 1, EIO); /* the plan is enough */
	assert_int_equal(trial_run(trial), -EIO);
	assert_string_equal(trial_stage(trial), "write");
	assert_int_equal(trial_calls(trial, TRIAL_SOURCE_READ), 0);
	assert_in_range(trial_plan(trial)->bytes, size, size + (1 << 20));
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

		add_mixed(memtree_root(tree), "mixed", 300000, 1);
		trial = run_tree(tree, cases[i].options, NULL);
		assert_string_equal(trial_probed(trial)->min_kernel, cases[i].kernel);
		assert_string_equal(trial_fact(trial, "min_kernel"), cases[i].kernel);
		trial_free(trial);
		memtree_free(tree);
	}
}

/* Equal fragments are in the packed inode once; files that are alike lie together, whatever
 * directory they are in. */
static void fragments_lie_by_name(void **state)
{
	static const struct {
		const char *dir, *name;
		size_t len;
		uint32_t seed;
		uint64_t off;
	} files[] = { { "a", "one.txt", 500, 1, 1900 }, { "a", "z", 800, 2, 0 },
		      { "b", "one.txt", 500, 3, 2400 }, { "b", "x.c", 700, 4, 1200 },
		      { "b", "z", 400, 5, 800 },        { "c", "other", 700, 4, 1200 } };
	struct memtree *tree = memtree_new();
	struct kataimg_node *dir = NULL;
	struct trial *trial;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (!i || strcmp(files[i].dir, files[i - 1].dir) != 0)
			dir = memtree_add_dir(memtree_root(tree), files[i].dir);
		add_mixed(dir, files[i].name, files[i].len, files[i].seed);
	}
	trial = run_tree(tree, all_fragments, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct erofsread_inode inode;
		char path[32];
		le64 header;

		snprintf(path, sizeof(path), "%s/%s", files[i].dir, files[i].name);
		inode = erofsread_find(trial, path);
		trial_read(trial, inode.inode_off + inode.inode_bytes, &header, sizeof(header));
		assert_int_equal(from_le64(header), files[i].off | UINT64_C(1) << 63);
		assert_int_equal(inode.u, 1);
	}
	assert_string_equal(trial_fact(trial, "fragments"), "5");
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
}

/* What a guest maps begins at huge pages and is plain, whatever else is done to the rest; of equal
 * files all are what one is. */
static void mapped_files_are_plain(void **state)
{
	static const char *const options[] = { "data=auto",     "map=*.so usr/**", "compress=lz4",
					       "fragments=all", "dedupe=yes",      NULL };
	static const struct {
		const char *path;
		uint8_t layout;
	} files[] = {
		{ "other", 3 }, { "x.so", 0 }, { "x.sox", 3 }, { "usr/tool", 0 }, { "again", 0 }
	};
	struct memtree *tree = memtree_new();
	struct kataimg_node *root = memtree_root(tree);
	struct trial *trial;

	(void)state;
	add_mixed(root, "other", 3 << 20, 1);
	add_mixed(root, "x.so", 3 << 20, 2);
	add_mixed(root, "x.sox", 5000, 3);
	add_mixed(root, "again", 5001, 4);
	add_mixed(memtree_add_dir(root, "usr"), "tool", 5001, 4);
	trial = run_tree(tree, options, NULL);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(erofsread_find(trial, files[i].path).layout, files[i].layout);
	/* The window begins at 3 MiB of the image. */
	assert_int_equal(erofsread_find(trial, "x.so").u % 512, 256);
	erofsread_compare(trial, memtree_finish(tree));
	trial_free(trial);
	memtree_free(tree);
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
	add_mixed(root, "mixed", 100000, 1);
	add_mixed(root, "mixed-again", 100000, 1);
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

		add_mixed(memtree_root(tree), "mixed", 300001, 1);
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
		cmocka_unit_test(fragments_lie_by_name),
		cmocka_unit_test(mapped_files_are_plain),
		cmocka_unit_test(huge_pages),
		cmocka_unit_test(holes),
		cmocka_unit_test(equal_files_share),
		cmocka_unit_test(equal_sparse_files_share),
		cmocka_unit_test(vast_files_stay_as_they_are),
		cmocka_unit_test(oldest_kernels),
		cmocka_unit_test(cost_of_dax),
		cmocka_unit_test(failing_services),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(probe_refuses),
		cmocka_unit_test(oldest_kernels_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
