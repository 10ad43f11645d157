/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/io.h"
#include "core/base/log.h"
#include "core/base/progress.h"
#include "core/cli/cli.h"
#include "core/compress/expand.h"
#include "core/image/unnamed.h"
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

/* So much and so many times the file is more than any initrd, as with compressed sources. */
#define UNPACKED_BYTES (UINT64_C(1) << 30)
#define UNPACKED_TIMES 256

/* What a file unpacks to, if it is compressed and all of it unpacks; -1: it is to be looked at as
 * it is. */
static int expand(const struct cli *cli, int fd, struct inspection *packed, struct error *error)
{
	autoclose int unpacked = unnamed_open(NULL);
	struct compress_request request = { .in_fd = fd,
					    .in_name = cli->argument,
					    .out_fd = unpacked,
					    .out_name = "a file for what it unpacks to" };
	off_t end = lseek(fd, 0, SEEK_END);
	uint8_t magic[COMPRESS_MAGIC_BYTES];
	autoerror struct error why = ERROR_INIT;
	int ret;

	if (end < 0 || io_pread(fd, magic, sizeof(magic), 0) < 0)
		return -1;
	request.form = compress_recognise(magic, sizeof(magic));
	request.len = (uint64_t)end;
	if (request.form == COMPRESS_NONE)
		return -1;
	if (unpacked < 0)
		return error_errno(error, -unpacked, "cannot make %s", request.out_name);
	ret = compress_expand(&request, UNPACKED_BYTES + UNPACKED_TIMES * request.len, NULL, &why);
	if (ret == -EBADMSG || ret == -EFBIG)
		log_warning("%s", why.message ? why.message : "out of memory");
	if (ret == -EBADMSG || ret == -EFBIG || ret == -ENOTSUP)
		return -1;
	if (ret < 0)
		return error_take(error, &why);
	packed->compressed = request.form;
	packed->compressed_bytes = request.len;
	return steal_fd(&unpacked);
}

/* A compressed initrd is looked at as what a kernel makes of it; a compressed disk is none. */
static int inspect_expanded(const struct cli *cli, int fd, const struct inspect_probe *probe,
			    struct inspection *inspection, struct error *error)
{
	struct inspection packed = { 0 };
	autoclose int unpacked = expand(cli, fd, &packed, error);
	int ret;

	if (unpacked < 0)
		return error->code ? -error->code : inspect_fd(fd, probe, inspection, error);
	ret = inspect_fd(unpacked, probe, inspection, error);
	if (ret == 0 && !(inspection->filesystem.flags & KATAIMG_FS_NO_DISK)) {
		inspect_clear(inspection);
		return inspect_fd(fd, probe, inspection, error);
	}
	inspection->compressed = packed.compressed;
	inspection->compressed_bytes = packed.compressed_bytes;
	return ret;
}

static int inspect(const struct cli *cli, int fd, const struct backend_search *search,
		   struct inspection *inspection, struct error *error)
{
	const struct inspect_probe probe = inspect_probe_backends(search);
	unsigned int threads;
	int ret = cli_threads(cli, &threads, error);

	if (ret == 0)
		ret = inspect_expanded(cli, fd, &probe, inspection, error);
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
