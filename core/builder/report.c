/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for, what came out, and how long it took, as JSON: docs/json.md. What a build that
 * failed did not come to is null. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/builder/private.h"
#include "core/inspect/jsonout.h"
#include "lib/hex.h"

static json_object *backend_object(const struct build *build)
{
	const struct kataimg_backend *table;
	json_object *object;

	if (!build->backend)
		return NULL;
	object = json_object_new_object();
	table = &build->backend->table;
	json_add_text(object, "name", table->name);
	json_add_text(object, "version", table->version);
	json_add_text(object, "path", build->backend->path);
	json_add_text(object, "libraries", table->libraries ? table->libraries() : NULL);
	return object;
}

static json_object *partition_object(const struct partition *partition)
{
	json_object *object = json_object_new_object();

	json_add_number(object, "start_bytes", partition->start_bytes);
	json_add_number(object, "size_bytes", partition->len_bytes);
	json_add_number(object, "type", partition->type);
	json_add_flag(object, "bootable", partition->bootable);
	return object;
}

static json_object *geometry_object(const struct build *build)
{
	const struct geometry *geometry = &build->geometry;
	json_object *object;
	json_object *partitions;

	if (build->geometry.image_bytes == 0)
		return NULL;
	object = json_object_new_object();
	partitions = json_object_new_array();
	for (unsigned int i = 0; i < geometry->partition_count; i++)
		json_object_array_add(partitions, partition_object(&geometry->partitions[i]));
	json_add_number(object, "image_bytes", geometry->image_bytes);
	json_add_flag(object, "dax", geometry->dax);
	json_object_object_add(object, "partitions", partitions);
	json_add_number(object, "plan_bytes", build->plan.bytes);
	json_add_number(object, "granularity_bytes", build->plan.granularity);
	json_add_number(object, "window_bytes", geometry->window_bytes);
	return object;
}

static json_object *filesystem_object(const struct build *build)
{
	const struct kataimg_fs_info *info = &build->info;
	json_object *object;
	json_object *facts;
	size_t count;
	const struct host_fact *fact;

	if (build->geometry.image_bytes == 0)
		return NULL;
	object = json_object_new_object();
	facts = json_object_new_object();
	fact = host_facts(build->host, &count);
	for (size_t i = 0; i < count; i++)
		json_add_text(facts, fact[i].key, fact[i].value);
	json_add_filesystem(object, info);
	json_object_object_add(object, "facts", facts);
	return object;
}

static json_object *identifiers_object(const struct build *build)
{
	json_object *object;

	if (build->geometry.image_bytes == 0)
		return NULL;
	object = json_object_new_object();
	json_add_hex(object, "seed", build->seed, sizeof(build->seed));
	json_add_uuid(object, "filesystem_uuid", build->info.uuid);
	json_add_number(object, "disk_signature", build->geometry.disk_signature);
	json_object_object_add(object, "build_time", json_object_new_int64(build->build_time));
	return object;
}

static json_object *tree_object(const struct build *build)
{
	json_object *object;
	struct tree_counts counts;

	if (!build->tree)
		return NULL;
	object = json_object_new_object();
	tree_count(build->tree, &counts);
	json_add_number(object, "nodes", counts.nodes);
	json_add_number(object, "names", counts.names);
	json_add_number(object, "files", counts.files);
	json_add_number(object, "directories", counts.directories);
	json_add_number(object, "symlinks", counts.symlinks);
	json_add_number(object, "devices", counts.devices);
	json_add_number(object, "fifos", counts.fifos);
	json_add_number(object, "sockets", counts.sockets);
	json_add_number(object, "hardlinks", counts.hardlinks);
	json_add_number(object, "xattrs", counts.xattrs);
	json_add_number(object, "file_bytes", counts.file_bytes);
	json_add_number(object, "data_bytes", counts.data_bytes);
	json_add_number(object, "left_out", build->dropped);
	json_add_number(object, "excluded", build->facts.excluded);
	json_add_number(object, "labelled", build->facts.labelled);
	json_add_number(object, "applied", build->facts.applied);
	json_add_number(object, "clamped", build->facts.clamped);
	json_add_flag(object, "machine_id_added", build->facts.machine_id);
	return object;
}

static json_object *copy_object(const struct build *build)
{
	const struct copy_stats *copied = &build->copied;
	json_object *object;

	if (!build->copy)
		return NULL;
	object = json_object_new_object();
	json_add_number(object, "jobs", copied->jobs);
	json_add_number(object, "writes", copied->writes);
	json_add_number(object, "written_bytes", copied->written_bytes);
	json_add_number(object, "reflinked_bytes", copied->reflinked_bytes);
	json_add_number(object, "hole_bytes", copied->hole_bytes);
	return object;
}

static json_object *stages_object(const struct build *build)
{
	json_object *object = json_object_new_object();
	unsigned int count = 0;
	const struct progress_time *times =
		build->progress ? progress_times(build->progress, &count) : NULL;

	for (unsigned int i = 0; i < count; i++)
		json_object_object_add(object, times[i].stage,
				       json_object_new_double(times[i].seconds));
	return object;
}

/* With the kernel parameter that mounts the measured root, as Kata's runtime makes it. */
static json_object *verity_object(const struct build *build)
{
	json_object *object;
	uint64_t blocks = build->verity.data_blocks;
	char line[VERITY_LINE_BYTES], root[2 * DIGEST_BYTES + 1],
		salt[2 * VERITY_SALT_MAX_BYTES + 1], target[VERITY_LINE_BYTES + 256];

	if (!build->measured)
		return NULL;
	object = json_object_new_object();
	verity_format_line(&build->verity, build->root_hash, line);
	hex_format(build->root_hash, DIGEST_BYTES, root);
	hex_format(build->verity.salt, build->verity.salt_len, salt);
	snprintf(target, sizeof(target),
		 "dm-mod.create=\"dm-verity,,,ro,0 %" PRIu64
		 " verity 1 DATA HASH 4096 4096 %" PRIu64 " 0 sha256 %s %s\"",
		 blocks * (VERITY_BLOCK_BYTES / SECTOR_BYTES), blocks, root, *salt ? salt : "-");
	json_add_text(object, "root_hash", root);
	json_add_text(object, "salt", salt);
	json_add_number(object, "data_blocks", blocks);
	json_add_text(object, "hash_file", output_path(build->hash_file));
	json_add_text(object, "line", line);
	json_add_text(object, "kernel_parameter", target);
	return object;
}

static const char *result_of(const struct build *build, const struct error *error)
{
	if (error)
		return "failed";
	return build->options->dry_run ? "planned" : "built";
}

static json_object *error_object(const struct error *error)
{
	json_object *object;

	if (!error)
		return NULL;
	object = json_object_new_object();
	json_add_text(object, "message", error->message);
	json_add_number(object, "exit_code", (uint64_t)error_exit_code(error->kind));
	json_add_text(object, "errno", strerrorname_np(error->code));
	return object;
}

static json_object *report_object(const struct build *build, const struct error *error)
{
	json_object *report = json_begin("report");
	const char *output =
		build->output ? output_path(build->output) : build->config->image.output;

	json_add_text(report, "result", result_of(build, error));
	json_object_object_add(report, "error", error_object(error));
	json_add_text(report, "source", build->config->image.source);
	json_add_text(report, "output", output);
	json_object_object_add(report, "backend", backend_object(build));
	json_object_object_add(report, "geometry", geometry_object(build));
	json_object_object_add(report, "filesystem", filesystem_object(build));
	json_object_object_add(report, "identifiers", identifiers_object(build));
	json_object_object_add(report, "tree", tree_object(build));
	json_object_object_add(report, "copy", copy_object(build));
	json_object_object_add(report, "verity", verity_object(build));
	json_object_object_add(report, "seconds", stages_object(build));
	return report;
}

char *report_text(const struct build *build, const struct error *error)
{
	json_object *report = report_object(build, error);
	char *text = json_print(report);

	json_object_put(report);
	return text;
}

int report_write(struct build *build, struct error *error)
{
	autofree char *text = report_text(build, NULL);

	return text ? build_publish_report(build, text, error) : error_nomem(error);
}
