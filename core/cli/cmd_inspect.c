/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "core/backend/session.h"
#include "core/cli/cli.h"
#include "core/inspect/inspect.h"

/* One window on its way from backend to backend. */
struct probing {
	struct host_range window;
	struct kataimg_fs_info *info;
	char *name;
	struct error *error;
};

/* 1 ends the search: the backend knows the filesystem, or knows it as its own and broken. */
static int probe_one(void *arg, const struct backend *backend)
{
	struct probing *probing = arg;
	int ret = backend_probe(backend, &probing->window, probing->info, probing->error);

	if (ret == -ENODATA)
		return 0;
	snprintf(probing->name, INSPECT_BACKEND_NAME_BYTES, "%s", backend->table.name);
	return 1;
}

static int probe_all(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		     char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	struct probing probing = { { fd, off, len }, info, backend, error };
	int ret = backend_for_each(arg, probe_one, &probing);

	if (ret < 0)
		return error_nomem(error);
	return ret == 0 ? -ENODATA : -error->code;
}

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

int cmd_inspect(const struct cli *cli, struct error *error)
{
	struct backend_search *search autocall(cleanup_backend_search_free) =
		backend_search_new(cli->backend_dirs.items, cli->backend_dirs.count);
	const struct inspect_probe probe = { probe_all, search };
	struct inspection inspection = { 0 };
	int ret;

	if (!search)
		return error_nomem(error);
	ret = inspect_image(cli->argument, &probe, &inspection, error);
	if (ret == 0)
		ret = print(cli, &inspection, error);
	inspect_clear(&inspection);
	return ret;
}
