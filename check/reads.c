/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: what was written is read as it was. */
#include <stdio.h>

#include "check/check.h"
#include "check/same.h"
#include "core/reader/reader.h"
#include "lib/cleanup.h"

static int read_back(const struct subject *subject, struct memtree *made, struct trial *trial)
{
	bool holes = subject->backend->capabilities & KATAIMG_CAP_SPARSE;
	autofree char *links = NULL;
	const struct reader_options options = { .threads = 2, .links = &links };
	const struct host_range window = trial_window(trial);
	autoerror struct error error = ERROR_INIT;
	struct tree *found = NULL;
	int ret;

	if (reader_read(trial_backend(trial), &window, &options, &found, &error) < 0)
		return check_fail("read-back: %s", error_sentence(&error));
	ret = same_trees("read-back", memtree_core(made), found, holes);
	tree_free(found);
	return ret == 0 && links ? check_fail("read-back: %s", links) : ret;
}

int check_read_back(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = check_run(&subject->sample, "read-back");

	if (trial && subject->backend->read)
		return read_back(subject, subject->sample.tree, trial);
	if (trial)
		printf("note read-back: the backend reads nothing\n");
	return trial == NULL;
}
