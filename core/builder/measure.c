/* SPDX-License-Identifier: Apache-2.0 */
/* Measured images: the hash tree in partition 2. */

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/builder/private.h"

int build_set_verity(struct build *build, struct error *error)
{
	struct verity_params *params = &build->verity;
	const struct config_bytes *salt = &build->config->verity.salt;
	int ret;

	params->data_blocks = build->geometry.filesystem.len_bytes / VERITY_BLOCK_BYTES;
	if (salt->len == 0) {
		params->salt_len = DIGEST_BYTES;
		ret = digest_derive(build->seed, "verity-salt", params->salt);
		return ret < 0 ? error_set(error, -ret, "SHA-256 failed") : 0;
	}
	static_assert(sizeof(params->salt) >= sizeof(salt->data), "the salt fits");
	memcpy(params->salt, salt->data, salt->len);
	params->salt_len = salt->len;
	return 0;
}

struct measure_area build_measure_area(const struct build *build)
{
	return (struct measure_area){
		.fd = build->image_fd,
		.data_off = build->geometry.filesystem.start_bytes,
		.tree_off = build->geometry.hash.start_bytes,
		.threads = build->options->threads,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
}

int build_measure(struct build *build, struct error *error)
{
	const struct measure_area area = build_measure_area(build);
	int ret;

	if (!build->config->verity.enabled)
		return 0;
	progress_stage(build->progress, "measure");
	ret = build_set_verity(build, error);
	if (ret < 0)
		return ret;
	ret = measure_write(&area, &build->verity, build->root_hash, error);
	build->measured = ret == 0;
	return ret;
}
