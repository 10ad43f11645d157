/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for, what came out, and how long it took: as text and as JSON. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/builder/private.h"
#include "lib/hex.h"

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
	printf("%-22s %s\n", "dax header", geometry->dax ? "yes" : "no");
	for (unsigned int i = 0; i < geometry->partition_count; i++) {
		const struct partition *partition = &geometry->partitions[i];

		printf("partition %u offset     %" PRIu64 "\n", i + 1, partition->start_bytes);
		printf("partition %u bytes      %" PRIu64 "\n", i + 1, partition->len_bytes);
	}
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

void report_log_summary(const struct build *build)
{
	const struct kataimg_fs_info *info = &build->info;
	char inodes[64] = "";

	if (!(info->flags & KATAIMG_FS_INODES_NOT_COUNTED))
		snprintf(inodes, sizeof(inodes), " with %" PRIu64 " inodes", info->inodes);
	log_info("%s: %.0f MiB, %s of %.1f MiB%s, %.1f MiB free", output_path(build->output),
		 (double)build->geometry.image_bytes / MEBIBYTE, info->type,
		 (double)info->size_bytes / MEBIBYTE, inodes, (double)info->free_bytes / MEBIBYTE);
}

static void add_text(json_object *object, const char *key, const char *value)
{
	autofree char *text = value ? text_utf8(value) : NULL;

	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_number(json_object *object, const char *key, uint64_t value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

/* null where the filesystem does not count them. */
static void add_inodes(json_object *object, const char *key, const struct kataimg_fs_info *info,
		       uint64_t value)
{
	bool counted = !(info->flags & KATAIMG_FS_INODES_NOT_COUNTED);

	json_object_object_add(object, key, counted ? json_object_new_uint64(value) : NULL);
}

static void add_hex(json_object *object, const char *key, const uint8_t *bytes, size_t len)
{
	char text[2 * DIGEST_BYTES + 1];

	hex_format(bytes, len, text);
	add_text(object, key, text);
}

static json_object *backend_object(const struct build *build)
{
	const struct kataimg_backend *table = &build->backend->table;
	json_object *object = json_object_new_object();

	add_text(object, "name", table->name);
	add_text(object, "version", table->version);
	add_text(object, "path", build->backend->path);
	add_text(object, "libraries", table->libraries ? table->libraries() : NULL);
	return object;
}

static json_object *partition_object(const struct partition *partition)
{
	json_object *object = json_object_new_object();

	add_number(object, "start_bytes", partition->start_bytes);
	add_number(object, "len_bytes", partition->len_bytes);
	add_number(object, "type", partition->type);
	json_object_object_add(object, "bootable", json_object_new_boolean(partition->bootable));
	return object;
}

static json_object *geometry_object(const struct build *build)
{
	const struct geometry *geometry = &build->geometry;
	json_object *object = json_object_new_object();
	json_object *partitions = json_object_new_array();

	for (unsigned int i = 0; i < geometry->partition_count; i++)
		json_object_array_add(partitions, partition_object(&geometry->partitions[i]));
	add_number(object, "image_bytes", geometry->image_bytes);
	json_object_object_add(object, "dax", json_object_new_boolean(geometry->dax));
	json_object_object_add(object, "partitions", partitions);
	add_number(object, "plan_bytes", build->plan.bytes);
	add_number(object, "granularity_bytes", build->plan.granularity);
	add_number(object, "window_bytes", geometry->window_bytes);
	return object;
}

static json_object *filesystem_object(const struct build *build)
{
	const struct kataimg_fs_info *info = &build->info;
	json_object *object = json_object_new_object();
	json_object *facts = json_object_new_object();
	size_t count;
	const struct host_fact *fact = host_facts(build->host, &count);

	for (size_t i = 0; i < count; i++)
		add_text(facts, fact[i].key, fact[i].value);
	add_text(object, "type", info->type);
	add_number(object, "size_bytes", info->size_bytes);
	add_number(object, "block_bytes", info->block_bytes);
	add_number(object, "free_bytes", info->free_bytes);
	add_inodes(object, "inodes", info, info->inodes);
	add_inodes(object, "free_inodes", info, info->free_inodes);
	add_text(object, "label", info->label);
	add_text(object, "min_kernel", info->min_kernel);
	add_text(object, "features", info->features);
	json_object_object_add(object, "facts", facts);
	return object;
}

static json_object *identifiers_object(const struct build *build)
{
	json_object *object = json_object_new_object();

	add_hex(object, "seed", build->seed, sizeof(build->seed));
	add_hex(object, "filesystem_uuid", build->info.uuid, sizeof(build->info.uuid));
	add_number(object, "disk_signature", build->geometry.disk_signature);
	json_object_object_add(object, "build_time", json_object_new_int64(build->build_time));
	return object;
}

static json_object *tree_object(const struct build *build)
{
	json_object *object = json_object_new_object();
	struct tree_counts counts;

	tree_count(build->tree, &counts);
	add_number(object, "nodes", counts.nodes);
	add_number(object, "names", counts.names);
	add_number(object, "files", counts.files);
	add_number(object, "directories", counts.directories);
	add_number(object, "symlinks", counts.symlinks);
	add_number(object, "devices", counts.devices);
	add_number(object, "fifos", counts.fifos);
	add_number(object, "sockets", counts.sockets);
	add_number(object, "hardlinks", counts.hardlinks);
	add_number(object, "xattrs", counts.xattrs);
	add_number(object, "file_bytes", counts.file_bytes);
	add_number(object, "data_bytes", counts.data_bytes);
	add_number(object, "left_out", build->dropped);
	add_number(object, "excluded", build->facts.excluded);
	add_number(object, "labelled", build->facts.labelled);
	add_number(object, "applied", build->facts.applied);
	add_number(object, "clamped", build->facts.clamped);
	json_object_object_add(object, "machine_id_added",
			       json_object_new_boolean(build->facts.machine_id));
	return object;
}

static json_object *copy_object(const struct build *build)
{
	const struct copy_stats *copied = &build->copied;
	json_object *object = json_object_new_object();

	add_number(object, "jobs", copied->jobs);
	add_number(object, "writes", copied->writes);
	add_number(object, "written_bytes", copied->written_bytes);
	add_number(object, "reflinked_bytes", copied->reflinked_bytes);
	add_number(object, "hole_bytes", copied->hole_bytes);
	return object;
}

static json_object *stages_object(const struct build *build)
{
	json_object *object = json_object_new_object();
	unsigned int count;
	const struct progress_time *times = progress_times(build->progress, &count);

	for (unsigned int i = 0; i < count; i++)
		json_object_object_add(object, times[i].stage,
				       json_object_new_double(times[i].seconds));
	return object;
}

/* With the kernel parameter that mounts the measured root, as Kata's runtime makes it. */
static json_object *verity_object(const struct build *build)
{
	json_object *object = json_object_new_object();
	uint64_t blocks = build->verity.data_blocks;
	char line[VERITY_LINE_BYTES], root[2 * DIGEST_BYTES + 1],
		salt[2 * VERITY_SALT_MAX_BYTES + 1], target[VERITY_LINE_BYTES + 256];

	verity_format_line(&build->verity, build->root_hash, line);
	hex_format(build->root_hash, DIGEST_BYTES, root);
	hex_format(build->verity.salt, build->verity.salt_len, salt);
	snprintf(target, sizeof(target),
		 "dm-mod.create=\"dm-verity,,,ro,0 %" PRIu64
		 " verity 1 DATA HASH 4096 4096 %" PRIu64 " 0 sha256 %s %s\"",
		 blocks * (VERITY_BLOCK_BYTES / SECTOR_BYTES), blocks, root, *salt ? salt : "-");
	add_text(object, "root_hash", root);
	add_text(object, "salt", salt);
	add_number(object, "data_blocks", blocks);
	add_text(object, "line", line);
	add_text(object, "kernel_parameter", target);
	return object;
}

static json_object *report_object(const struct build *build)
{
	json_object *report = json_object_new_object();

	add_text(report, "kataimg", KATAIMG_VERSION);
	add_text(report, "source", build->config->image.source);
	add_text(report, "output", output_path(build->output));
	json_object_object_add(report, "backend", backend_object(build));
	json_object_object_add(report, "geometry", geometry_object(build));
	json_object_object_add(report, "filesystem", filesystem_object(build));
	json_object_object_add(report, "identifiers", identifiers_object(build));
	json_object_object_add(report, "tree", tree_object(build));
	json_object_object_add(report, "copy", copy_object(build));
	if (build->config->verity.enabled)
		json_object_object_add(report, "verity", verity_object(build));
	json_object_object_add(report, "seconds", stages_object(build));
	return report;
}

int report_write(struct build *build, struct error *error)
{
	json_object *report = report_object(build);
	const char *text = json_object_to_json_string_ext(
		report, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	int ret = text ? build_publish_report(build, text, error) : error_nomem(error);

	json_object_put(report);
	return ret;
}
