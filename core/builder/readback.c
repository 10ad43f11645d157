/* SPDX-License-Identifier: Apache-2.0 */
/* The image as its own witness: what the backend reads out of it is compared with the tree. */
#include <errno.h>

#include "core/builder/private.h"
#include "core/diff/diff.h"
#include "core/reader/reader.h"

static int differ(const struct diff *diff, struct error *error)
{
	const struct diff_item *first = &diff->items.items[0];
	autofree char *path = diff_path(first);

	return error_set(error, EUCLEAN,
			 "verification failed: read back, %s %s; %zu entries are not as they were",
			 path ? path : "an entry",
			 !first->b   ? "is missing"
			 : !first->a ? "is there, which the source has not"
				     : "is another",
			 diff->items.count);
}

static int compare(struct build *build, const struct tree *found, struct error *error)
{
	const struct diff_options options = { .threads = build->options->threads };
	struct diff diff = { 0 };
	int ret = diff_run(build->tree, found, &options, &diff, error);

	if (ret == 0 && diff.items.count > 0)
		ret = differ(&diff, error);
	diff_free(&diff);
	return ret;
}

int build_check_readback(const struct build *build, struct error *error)
{
	if (build->config->image.verify != CONFIG_VERIFY_READBACK || reader_can(build->backend))
		return 0;
	return error_usage(error,
			   "[image] verify = readback: the backend %s cannot read images: say "
			   "content",
			   build->backend->table.name);
}

int build_read_back(struct build *build, struct error *error)
{
	const struct reader_options options = { .threads = build->options->threads };
	const struct host_range window = build_window(build);
	struct tree *found = NULL;
	int ret;

	if (build->config->image.verify != CONFIG_VERIFY_READBACK)
		return 0;
	progress_stage(build->progress, "readback");
	ret = reader_read(build->backend, &window, &options, &found, error);
	if (ret < 0)
		return error_prefix(error, "verification failed");
	ret = compare(build, found, error);
	tree_free(found);
	return ret;
}
