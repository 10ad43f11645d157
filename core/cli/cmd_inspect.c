/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "core/base/progress.h"
#include "core/cli/cli.h"
#include "core/inspect/expanded.h"
#include "core/inspect/measured.h"
#include "core/inspect/probe.h"
#include "core/source/source.h"

static int print(const struct cli *cli, const struct inspection *inspection, struct error *error)
{
	int ret = cli->json ? inspect_print_json(inspection, cli->argument, stdout)
			    : inspect_print_text(inspection, cli->argument, stdout);

	return ret < 0 ? error_errno(error, -ret, "standard output") : 0;
}

/* What the exit code says, in words. */
static int judge(const struct cli *cli, const struct inspection *inspection, struct error *error)
{
	if (inspection->content.sentence)
		return error_set(error, EBADMSG, "%s: not an image", cli->argument);
	if (inspection->problems.count > 0)
		return error_set(error, EBADMSG, "%s: not a sound image", cli->argument);
	if (inspection->unchecked.count == 0)
		return 0;
	error->kind = ERROR_UNCHECKED;
	return error_set(error, ENOSYS, "%s: sound as far as it could be checked", cli->argument);
}

static int check_root_hash(const struct cli *cli, int fd, unsigned int threads,
			   struct inspection *inspection, struct error *error)
{
	struct progress *progress autocall(cleanup_progress_free) =
		progress_new(cli_passing_progress_mode(cli));
	const struct measured_request request = {
		.path = cli->argument,
		.root_hash = cli->root_hash,
		.salt = cli->salt,
		.threads = threads,
		.progress = progress_bytes,
		.progress_arg = progress,
	};
	int ret;

	if (!progress)
		return error_nomem(error);
	progress_stage(progress, "check");
	ret = measured_check(fd, &request, inspection, error);
	progress_finish(progress);
	return ret;
}

static int inspect(const struct cli *cli, int fd, const struct backend_search *search,
		   struct inspection *inspection, struct error *error)
{
	const struct inspect_probe probe = inspect_probe_backends(search);
	unsigned int threads;
	int ret = cli_threads(cli, &threads, error);

	if (ret == 0)
		ret = inspect_expanded(fd, cli->argument, &probe, inspection, error);
	if (ret == 0)
		ret = measured_find(fd, cli->argument, inspection, error);
	if (ret == 0 && cli->root_hash && !inspection->content.sentence)
		ret = check_root_hash(cli, fd, threads, inspection, error);
	return ret < 0 && error->kind != ERROR_USAGE ? error_prefix(error, "%s", cli->argument)
						     : ret;
}

int cmd_inspect(const struct cli *cli, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	int ret = search ? source_refuse_as_file(cli->argument, error) : error_nomem(error);
	autoclose int fd = ret < 0 ? ret : inspect_open(cli->argument, error);
	const struct cli_places places = { .sources = { cli->argument },
					   .count = 1,
					   .beside = true };
	struct inspection inspection = { 0 };

	if (fd < 0)
		return fd;
	ret = cli_confine(cli, &places, error);
	if (ret == 0)
		ret = inspect(cli, fd, search, &inspection, error);
	if (ret == 0)
		ret = print(cli, &inspection, error);
	if (ret == 0)
		ret = judge(cli, &inspection, error);
	inspect_clear(&inspection);
	return ret;
}
