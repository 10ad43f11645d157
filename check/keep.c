/* SPDX-License-Identifier: Apache-2.0 */
/* The sample tree as a directory, beside the filesystem that was made of it, for fsck and for a
 * comparison with what a kernel mounts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "check/check.h"
#include "core/extract/extract.h"
#include "lib/cleanup.h"

int check_keep(const char *dir, const struct trial *trial, struct memtree *tree)
{
	const struct extract_options options = { .source = "", .threads = 1 };
	autoerror struct error error = ERROR_INIT;
	autotarget struct extract_target target = EXTRACT_NO_TARGET;
	autofree char *filesystem = NULL, *root = NULL;

	if (asprintf(&filesystem, "%s/filesystem", dir) < 0 || asprintf(&root, "%s/tree", dir) < 0)
		return check_fail("keep: out of memory");
	if ((mkdir(dir, 0755) < 0 && errno != EEXIST) || mkdir(root, 0755) < 0)
		return check_fail("keep: cannot make %s: %s", root, strerror(errno));
	if (extract_target_open(&target, root, &options, &error) < 0 ||
	    extract_to_directory(memtree_core(tree), &target, &options, &error) < 0)
		return check_fail("keep: %s", error_sentence(&error));
	trial_save(trial, filesystem);
	return 0;
}
