/* SPDX-License-Identifier: Apache-2.0 */
/* SELinux file contexts, as text or compiled. */
#include "core/label/selinux.h"
#include "core/mtree/mtree.h"
#include "tests/fuzz/target.h"

static const char some_tree[] = "#mtree\n"
				". type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./usr type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./usr/bin type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./usr/bin/sh type=file mode=0755 uid=0 gid=0 time=5.0 size=0\n"
				"./dev type=dir mode=0755 uid=0 gid=0 time=5.0\n"
				"./dev/null type=char device=1,3 mode=0666 uid=0 gid=0 time=5.0\n";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct tree_options options = { .threads = 1 };
	struct fuzz_file contexts = fuzz_open(bytes, len);
	struct fuzz_file text = fuzz_open(some_tree, sizeof(some_tree) - 1);
	autoerror struct error error = ERROR_INIT;
	struct tree *tree;
	uint64_t labelled;

	if (mtree_read_tree(text.path, &options, &tree, &error) < 0)
		fuzz_fail("%s", error.message);
	if (selinux_label_tree(tree, contexts.path, &labelled, &error) == 0)
		fuzz_check_printed(tree);
	else if (!error.message)
		fuzz_fail("file contexts are refused without a word");
	tree_free(tree);
	fuzz_close(&text);
	fuzz_close(&contexts);
	return 0;
}
