/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "core/cli/cli.h"
#include "core/inspect/measured.h"
#include "core/inspect/probe.h"

static int print(const struct cli *cli, const struct inspection *inspection, struct error *error)
{
	int ret = cli->json ? inspect_print_json(inspection, cli->argument, stdout)
			    : inspect_print_text(inspection, cli->argument, stdout);

	if (ret < 0)
		return error_errno(error, -ret, "standard output");
	if (inspection->problems.count > 0)
		return error_set(error, EBADMSG, "%s: not a sound image", cli->argument);
	return 0;
}

static int check_root_hash(const struct cli *cli, struct inspection *inspection,
			   struct error *error)
{
	unsigned int threads;
	int ret = cli_threads(cli, &threads, error);

	if (ret < 0 || !cli->root_hash)
		return ret;
	return inspect_measured(cli->argument, cli->root_hash, cli->salt, threads, inspection,
				error);
}

int cmd_inspect(const struct cli *cli, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	struct inspection inspection = { 0 };
	struct inspect_probe probe;
	int ret;

	if (!search)
		return error_nomem(error);
	probe = inspect_probe_backends(search);
	ret = inspect_image(cli->argument, &probe, &inspection, error);
	if (ret == 0)
		ret = check_root_hash(cli, &inspection, error);
	if (ret == 0)
		ret = print(cli, &inspection, error);
	inspect_clear(&inspection);
	return ret;
}
