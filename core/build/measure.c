/* SPDX-License-Identifier: Apache-2.0 */
/* Measured images: the hash tree in partition 2, and the file that tells the runtime of it. */
#include "core/measure/measure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/build/private.h"
#include "core/image/output.h"

static int set_salt(struct build *build, struct error *error)
{
	struct verity_params *params = &build->verity;
	const char *salt = build->config->verity.salt;
	int ret;

	if (!salt || !*salt) {
		params->salt_len = DIGEST_BYTES;
		ret = digest_derive(build->seed, "verity-salt", params->salt);
		return ret < 0 ? error_set(error, -ret, "SHA-256 failed") : 0;
	}
	if (verity_parse_hex(salt, params->salt, sizeof(params->salt), &params->salt_len) < 0)
		return error_usage(error,
				   "[verity] salt = %s: not hexadecimal, or more than %d bytes",
				   salt, VERITY_SALT_MAX_BYTES);
	return 0;
}

static void update_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, PROGRESS_BYTES, done, total);
}

int build_measure(struct build *build, struct error *error)
{
	const struct partition *partitions = build->geometry.partitions;
	const struct measure_area area = {
		.fd = output_fd(build->output),
		.data_off = partitions[0].start_bytes,
		.tree_off = partitions[1].start_bytes,
		.threads = build->options->threads,
		.progress = update_progress,
		.progress_arg = build->progress,
	};
	int ret;

	if (!build->config->verity.enabled)
		return 0;
	progress_stage(build->progress, "measure");
	ret = set_salt(build, error);
	if (ret < 0)
		return ret;
	build->verity.data_blocks = partitions[0].len_bytes / VERITY_BLOCK_BYTES;
	return measure_write(&area, &build->verity, build->root_hash, error);
}

/* hash-file, or root_hash_VARIANT.txt in the image's directory. */
static char *hash_file_path(const struct build *build)
{
	const char *image = output_path(build->output);
	const char *variant = build->config->verity.variant;
	int dir_len = (int)(strrchr(image, '/') - image);
	char *path;

	if (build->config->verity.hash_file && *build->config->verity.hash_file)
		return strdup(build->config->verity.hash_file);
	if (asprintf(&path, "%.*s/root_hash_%s.txt", dir_len, image, variant ? variant : "") < 0)
		return NULL;
	return path;
}

int build_publish_root_hash(struct build *build, struct error *error)
{
	struct output *file autocall(cleanup_output_close) = NULL;
	autofree char *path = NULL;
	char line[VERITY_LINE_BYTES];
	int ret;

	if (!build->config->verity.enabled)
		return 0;
	path = hash_file_path(build);
	if (!path)
		return error_nomem(error);
	verity_format_line(&build->verity, build->root_hash, line);
	ret = output_open(path, NULL, &file, error);
	if (ret == 0)
		ret = output_create(file, 0, error);
	if (ret == 0 && dprintf(output_fd(file), "%s\n", line) < 0)
		ret = error_errno(error, errno, "cannot write %s", path);
	return ret < 0 ? ret : build_publish(build, file, error);
}
