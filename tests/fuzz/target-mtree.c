/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as text: what is read is printed as the same tree, and can be applied to another. */
#include "core/mtree/mtree.h"
#include "tests/fuzz/target.h"

static const char some_tree[] = "#mtree\n"
				". type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./d type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./d/f type=file mode=0644 uid=1 gid=2 time=5.000000001 size=0\n"
				"./l type=link mode=0777 uid=0 gid=0 time=5.0 link=d/f\n";

static const struct tree_options options = { .threads = 1, .scratch = { .open = fuzz_scratch } };

static void apply(const char *path)
{
	struct fuzz_file file = fuzz_open(some_tree, sizeof(some_tree) - 1);
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;
	uint64_t changes;

	if (mtree_read_tree(file.path, &options, &tree, &error) < 0)
		fuzz_fail("%s", error.message);
	if (mtree_apply(tree, path, &options, &changes, &error) == 0)
		fuzz_check_printed(tree);
	else if (!error.message)
		fuzz_fail("an edit is refused without a word");
	tree_free(tree);
	fuzz_close(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fuzz_file file = fuzz_open(bytes, len);
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;

	if (mtree_read_tree(file.path, &options, &tree, &error) == 0) {
		fuzz_check_printed(tree);
		tree_free(tree);
	} else if (!error.message) {
		fuzz_fail("a tree is refused without a word");
	}
	apply(file.path);
	fuzz_close(&file);
	return 0;
}
