/* SPDX-License-Identifier: Apache-2.0 */
/* What is planned and what came out, as text. */
#include <inttypes.h>
#include <stdio.h>

#include "core/base/log.h"
#include "core/builder/private.h"

#define MEBIBYTE (1024.0 * 1024.0)

static void print_size(const char *name, uint64_t bytes)
{
	printf("%-22s %" PRIu64 " (%.2f MiB)\n", name, bytes, (double)bytes / MEBIBYTE);
}

void report_print_geometry(const struct build *build)
{
	const struct geometry *geometry = &build->geometry;
	const struct kataimg_fs_info *info = &build->info;

	print_size("image bytes", geometry->image_bytes);
	printf("%-22s %s\n", "partition table", geometry_table_name(geometry->table));
	printf("%-22s %s\n", "dax header", geometry->dax ? "yes" : "no");
	for (unsigned int i = 0; i < geometry->partition_count; i++) {
		const struct partition *partition = &geometry->partitions[i];

		printf("partition %u offset     %" PRIu64 "\n", i + 1, partition->start_bytes);
		printf("partition %u bytes      %" PRIu64 "\n", i + 1, partition->len_bytes);
	}
	if (geometry->partition_count == 0)
		printf("%-22s %" PRIu64 "\n", "filesystem offset",
		       geometry->filesystem.start_bytes);
	printf("%-22s %s\n", "filesystem", info->type);
	print_size("filesystem bytes", info->size_bytes);
	print_size("smallest filesystem", build->plan.bytes);
	printf("%-22s %" PRIu64 " of %" PRIu64 "\n", "blocks",
	       info->block_bytes ? info->size_bytes / info->block_bytes : 0, info->block_bytes);
	print_size("free bytes", info->free_bytes);
	if (info->flags & KATAIMG_FS_INODES_NOT_COUNTED) {
		printf("%-22s not counted\n", "inodes");
	} else {
		printf("%-22s %" PRIu64 "\n", "inodes", info->inodes);
		printf("%-22s %" PRIu64 "\n", "free inodes", info->free_inodes);
	}
	printf("%-22s %" PRIu64 "\n", "tree nodes", tree_public(build->tree)->node_count);
}

static void log_compression(const struct build *build)
{
	const uint64_t raw = build->geometry.image_bytes;

	if (build->config->image.compress != COMPRESS_NONE)
		log_info("compressed by %s: %" PRIu64 " bytes of %" PRIu64 ", %.1f %%",
			 compress_form_name(build->config->image.compress), build->compressed_bytes,
			 raw, 100.0 * (double)build->compressed_bytes / (double)raw);
}

static void log_measured(const struct build *build)
{
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1];
	struct parameters parameters;

	build_root_hash_text(build, root);
	build_make_parameters(build, &parameters);
	log_info("root hash %s, in %s", root,
		 build->files[BUILD_HASH] ? output_path(build->files[BUILD_HASH])
					  : build->output_name);
	if (build->files[BUILD_TREE])
		log_info("hash tree in %s", output_path(build->files[BUILD_TREE]));
	if (build->files[BUILD_SIGNATURE])
		log_info("signature in %s", output_path(build->files[BUILD_SIGNATURE]));
	if (parameters.obstacle) {
		log_info("Kata's runtime makes no device of this hash tree: %s",
			 parameters.obstacle);
	} else {
		log_info("kernel_verity_params=%s", parameters.line);
		log_info("%s", parameters.extension);
	}
	log_info("%s", parameters.create);
	log_info("%s", parameters.roothash);
}

void report_log_summary(const struct build *build)
{
	const struct kataimg_fs_info *info = &build->info;
	char inodes[64] = "";

	if (!(info->flags & KATAIMG_FS_INODES_NOT_COUNTED))
		snprintf(inodes, sizeof(inodes), " with %" PRIu64 " inodes", info->inodes);
	log_compression(build);
	log_info("%s: %.0f MiB, %s of %.1f MiB%s, %.1f MiB free", build->output_name,
		 (double)build->geometry.image_bytes / MEBIBYTE, info->type,
		 (double)info->size_bytes / MEBIBYTE, inodes, (double)info->free_bytes / MEBIBYTE);
	if (build->place.tag)
		log_info("digest %s, of linux/%s %s", build->artifact.index, build->artifact.arch,
			 build->artifact.manifest.digest);
	if (build->measured)
		log_measured(build);
}
