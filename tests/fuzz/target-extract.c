/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as directories. Nothing outside of the target changes; what was extracted by root, who
 * may make everything, is the tree of the archive but for attributes, which not every filesystem
 * has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/diff/diff.h"
#include "core/extract/extract.h"
#include "tests/fuzz/scratch.h"
#include "tests/fuzz/sealed.h"

#define FILES_BYTES ((uint64_t)8 << 20)
#define ROOM_BYTES ((uint64_t)16 << 20)
#define IGNORED ((unsigned int)(DIFF_ACL | DIFF_XATTR))

static int extract(const struct tree *tree, const char *path, struct error *error)
{
	const struct extract_options options = { .source = "ARCHIVE", .threads = 1 };
	autotarget struct extract_target target = EXTRACT_NO_TARGET;
	int ret = extract_target_open(&target, path, &options, error);

	return ret < 0 ? ret : extract_to_directory(tree, &target, &options, error);
}

static void check_same(const struct tree *tree, const char *path)
{
	const struct tree_options options = { .threads = 1 };
	const struct diff_options compare = { .threads = 1 };
	autoerror struct error error = ERROR_INIT;
	struct diff diff = { 0 };
	struct tree *made;

	if (tree_scan_directory(path, &options, &made, &error) < 0 ||
	    diff_run(tree, made, &compare, &diff, &error) < 0)
		fuzz_fail("what was extracted cannot be compared: %s", error.message);
	for (size_t i = 0; i < diff.items.count; i++)
		if (!diff.items.items[i].a || !diff.items.items[i].b ||
		    diff.items.items[i].bits & ~IGNORED) {
			diff_print(&diff, stderr, &error);
			fuzz_fail("what was extracted is another tree");
		}
	diff_free(&diff);
	tree_free(made);
}

static void check_tree(const struct tree *tree)
{
	autofree char *before = NULL, *after = NULL, *target = fuzz_scratch_path("target");
	autoerror struct error error = ERROR_INIT;
	int ret;

	fuzz_scratch_begin();
	fuzz_scratch_mkdir("victim");
	before = fuzz_scratch_describe("victim");
	ret = extract(tree, target, &error);
	if (ret < 0 && !error.message)
		fuzz_fail("an extraction fails without a word");
	after = fuzz_scratch_describe("victim");
	if (strcmp(before, after) != 0)
		fuzz_fail("outside of the target is now:\n%s", after);
	if (ret == 0 && geteuid() == 0)
		check_same(tree, target);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct tree_options options = {
		.threads = 1,
		.scratch = { .open = fuzz_scratch, .limit = ROOM_BYTES },
	};
	struct fuzz_file file = fuzz_open_sealed(bytes, len);
	autoerror struct error error = ERROR_INIT;
	struct tree_counts counts;
	struct tree *tree;

	if (archive_read_tree(file.path, &options, &tree, &error) == 0) {
		tree_count(tree, &counts);
		if (counts.data_bytes <= FILES_BYTES)
			check_tree(tree);
		tree_free(tree);
	}
	fuzz_close(&file);
	return 0;
}
