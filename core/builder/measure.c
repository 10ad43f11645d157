/* SPDX-License-Identifier: Apache-2.0 */
/* Measured images: the hash tree, wherever it is, and the signature of its root hash. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/base/io.h"
#include "core/builder/private.h"
#include "lib/hex.h"

static int set_salt(struct build *build, struct error *error)
{
	struct verity_params *params = &build->verity;
	const struct config_bytes *salt = &build->config->verity.salt;
	int ret;

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

int build_set_verity(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	int ret = digest_uuid(build->seed, "verity-uuid", build->verity_uuid);

	if (ret < 0)
		return error_set(error, -ret, "SHA-256 failed");
	build->verity = (struct verity_params){
		.hash = config->verity.hash,
		.data_block_bytes = (uint32_t)config->verity.data_block_bytes,
		.hash_block_bytes = (uint32_t)config->verity.hash_block_bytes,
		.superblock = config->verity.superblock,
	};
	return set_salt(build, error);
}

struct measure_area build_measure_area(const struct build *build, int tree_fd)
{
	const struct geometry *geometry = &build->geometry;
	bool beside = build->config->verity.place == HASH_FILE;

	return (struct measure_area){
		.data_fd = build->image_fd,
		.tree_fd = beside ? tree_fd : build->image_fd,
		.data_off = geometry->filesystem.start_bytes,
		.area_off = beside ? 0 : geometry->hash.start_bytes,
		.threads = build->options->threads,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
}

uint64_t build_hash_area_bytes(const struct build *build)
{
	return verity_area_bytes(&build->verity, build->geometry.filesystem.len_bytes);
}

uint64_t build_hash_start_block(const struct build *build)
{
	uint64_t off = verity_tree_start(&build->verity);

	if (build->config->verity.place == HASH_APPEND)
		off += build->geometry.filesystem.len_bytes;
	return off / build->verity.hash_block_bytes;
}

static int create_tree_file(struct build *build, int *fd, struct error *error)
{
	int ret;

	*fd = -1;
	if (!build->files[BUILD_TREE])
		return 0;
	ret = output_create(build->files[BUILD_TREE], build_hash_area_bytes(build), error);
	*fd = output_fd(build->files[BUILD_TREE]);
	return ret;
}

static int write_superblock(const struct build *build, const struct measure_area *area,
			    struct error *error)
{
	uint8_t bytes[VERITY_SUPERBLOCK_BYTES];
	int ret;

	if (!build->verity.superblock)
		return 0;
	verity_superblock_encode(&build->verity, build->verity_uuid, bytes);
	ret = io_pwrite(area->tree_fd, bytes, sizeof(bytes), area->area_off);
	return ret < 0 ? error_errno(error, -ret, "cannot write the hash tree's superblock") : 0;
}

int build_measure(struct build *build, struct error *error)
{
	struct measure_area area;
	int fd, ret;

	if (!build->config->verity.enabled)
		return 0;
	progress_stage(build->progress, "measure");
	ret = create_tree_file(build, &fd, error);
	if (ret < 0)
		return ret;
	area = build_measure_area(build, fd);
	ret = write_superblock(build, &area, error);
	if (ret == 0)
		ret = measure_write(&area, &build->verity, build->root_hash, error);
	build->measured = ret == 0;
	return ret < 0 ? ret : build_sign(build, error);
}

void build_root_hash_text(const struct build *build, char text[2 * VERITY_DIGEST_MAX_BYTES + 1])
{
	hex_format(build->root_hash, verity_digest_bytes(build->verity.hash), text);
}
