/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/backend/negotiate.h"
#include "core/base/log.h"
#include "core/builder/private.h"
#include "core/builder/seed.h"
#include "lib/checked.h"

/* One free inode for every so many bytes of free space. */
#define FREE_BYTES_PER_INODE (16u << 10)

/* The kernel reads a measured device by whole blocks of data. Filesystems know of sectors of 512
 * and of 4096 bytes: the next larger one will do. */
static uint32_t sector_bytes(const struct config *config)
{
	return !config->verity.enabled || config->verity.data_block_bytes == SECTOR_BYTES
		       ? SECTOR_BYTES
		       : VERITY_BLOCK_MAX_BYTES;
}

struct kataimg_job build_job(const struct config *config, int64_t build_time, unsigned int threads,
			     const uint8_t seed[DIGEST_BYTES])
{
	uint64_t free_bytes = config->image.free_space_bytes;
	struct kataimg_job job = {
		.struct_size = sizeof(job),
		.required = (config->image.mapped ? KATAIMG_JOB_DAX : 0) |
			    (free_bytes ? KATAIMG_JOB_FREE_SPACE : 0) |
			    (config->image.no_disk ? KATAIMG_JOB_NO_DISK : 0),
		.window_offset = geometry_filesystem_start(config->image.table, config->image.dax),
		.hugepage_bytes = config->image.hugepages ? HUGEPAGE_BYTES : 0,
		.free_bytes = free_bytes,
		.free_inodes = free_bytes / FREE_BYTES_PER_INODE +
			       (free_bytes % FREE_BYTES_PER_INODE != 0),
		.build_time = build_time,
		.threads = threads,
		.sector_bytes = sector_bytes(config),
	};

	memcpy(job.seed, seed, sizeof(job.seed));
	return job;
}

static void make_job(struct build *build)
{
	build->job =
		build_job(build->config, build->build_time, build->options->threads, build->seed);
}

static void update_progress(void *arg, uint64_t done, uint64_t total)
{
	progress_update(arg, PROGRESS_STEPS, done, total);
}

static void refuse_option(void *arg, uint64_t index, const char *why, struct error *error)
{
	const struct build *build = arg;

	options_refuse(build->config, &build->backend->table, index, why, error);
}

/* The seed is computed from the finished tree. A tree that has lost something has another seed,
 * and a session that began with the old one cannot go on. */
static int open_session(struct build *build, struct error *error)
{
	struct host_setup setup = {
		.backend = build->backend->table.name,
		.programs = build->backend->table.programs,
		.tree = build->tree,
		.seed = build->seed,
		.threads = build->options->threads,
		.scratch = build_open_scratch,
		.scratch_arg = build,
		.refuse_option = refuse_option,
		.refuse_arg = build,
		.progress = update_progress,
		.progress_arg = build->progress,
		.strict = build->options->strict_backend,
	};
	int ret;

	session_close(steal_ptr(&build->session));
	host_free(steal_ptr(&build->host));
	ret = seed_compute(build->tree, build->config, build->backend, build->values,
			   build->build_time, build->seed, error);
	if (ret < 0)
		return ret;
	make_job(build);
	build->host = host_new(&setup);
	if (!build->host)
		return error_nomem(error);
	return session_open(build->backend, build->host, &build->job, build->values,
			    &build->session, error);
}

static void log_left_out(void *arg, const char *filesystem, const struct kataimg_node *node,
			 const char *cannot, const char *has)
{
	char path[1024];

	(void)arg;
	log_warning("left out: %s cannot store %s: %s %s", filesystem, cannot,
		    tree_path(node, path, sizeof(path)), has);
}

static int negotiate(struct build *build, struct error *error)
{
	static const struct negotiate_drop logged = { .left_out = log_left_out };
	bool drop = build->config->image.unsupported == CONFIG_UNSUPPORTED_DROP;
	uint64_t dropped;
	int ret;

	make_job(build);
	ret = negotiate_job(build->backend, &build->job, error);
	if (ret < 0)
		return ret;
	do {
		ret = open_session(build, error);
		if (ret == 0)
			ret = negotiate_tree(build->session, build->tree, drop ? &logged : NULL,
					     &dropped, error);
		if (ret == 0 && dropped > 0)
			ret = tree_drop_marked(build->tree, error);
		if (ret < 0)
			return ret;
		build->dropped += dropped;
	} while (dropped > 0);
	return 0;
}

/* Which line asks for the size that is too small. */
static int prefix_size(const struct config *config, struct error *error)
{
	char where[CONFIG_ORIGIN_BYTES];

	return error_prefix(error, "%s",
			    config_origin_text(config_origin_of(config, "image", "size"), where,
					       sizeof(where)));
}

static uint64_t hash_tree_bytes(const void *arg, uint64_t data_bytes)
{
	return verity_area_bytes(arg, data_bytes);
}

static int compute_geometry(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	struct geometry_request request = {
		.fs_bytes = build->plan.bytes,
		.granularity = build->plan.granularity,
		.align_bytes = config->image.align_bytes,
		.size_bytes = config->image.size_bytes,
		.table = config->image.table,
		.dax = config->image.dax,
		.no_disk = config->image.no_disk,
		.hash_place = config->verity.place,
		.hash_tree_arg = &build->verity,
		.hash_tree_bytes = config->verity.enabled ? hash_tree_bytes : NULL,
		.disk_signature = (uint32_t)config->image.disk_signature,
	};
	int ret = 0;

	if (request.disk_signature == 0)
		ret = seed_disk_signature(build->seed, &request.disk_signature);
	if (ret < 0)
		return error_set(error, -ret, "SHA-256 failed");
	ret = build_set_verity(build, error);
	if (ret == 0)
		ret = build_signature_bytes(build, &request.signature_bytes, error);
	if (ret < 0)
		return ret;
	ret = geometry_compute(&request, &build->geometry, error);
	if (ret == -ENOSPC)
		return prefix_size(config, error);
	if (ret < 0)
		return ret;
	build->verity.data_blocks =
		build->geometry.filesystem.len_bytes / build->verity.data_block_bytes;
	return session_describe(build->session, build->geometry.filesystem.len_bytes, &build->info,
				error);
}

int build_plan(struct build *build, struct error *error)
{
	int ret;

	progress_stage(build->progress, "negotiate");
	ret = negotiate(build, error);
	if (ret < 0)
		return ret;
	progress_stage(build->progress, "plan");
	ret = session_plan(build->session, tree_public(build->tree), &build->plan, error);
	if (ret < 0)
		return ret;
	return compute_geometry(build, error);
}
