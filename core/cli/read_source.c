/* SPDX-License-Identifier: Apache-2.0 */
/* Sources of commands that look at what is there: no configuration changes it. */
#include "core/base/pool.h"
#include "core/cli/cli.h"
#include "core/image/unnamed.h"
#include "core/source/source.h"

int cli_read_source(const struct cli *cli, const char *source, bool content_later,
		    struct tree **tree, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct tree_options options = { .scratch = { .open = unnamed_open, .place = UNNAMED_PLACE },
					.backends = search,
					.content_later = content_later };
	struct source_filter nothing = { 0 };
	autofree char *recognised = NULL;
	int ret = search ? cli_threads(cli, &options.threads, error) : error_nomem(error);

	if (ret == 0)
		ret = cli_partition(cli, &options.partition, error);
	if (ret == 0)
		ret = source_recognise(source, search, options.partition, &recognised, error);
	return ret < 0 ? ret : source_read(recognised, &options, &nothing, tree, error);
}
