/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for, what came out, and how long it took, as JSON: docs/json.md. What a build that
 * failed did not come to is null. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/textstream.h"
#include "core/builder/private.h"
#include "core/inspect/jsonout.h"
#include "lib/libc.h"

static void add_backend(struct json *json, const struct build *build)
{
	const struct kataimg_backend *table;

	if (!build->backend) {
		json_add_null(json, "backend");
		return;
	}
	json_open(json, "backend", '{');
	table = &build->backend->table;
	json_add_text(json, "name", table->name);
	json_add_text(json, "version", table->version);
	json_add_text(json, "path", build->backend->path);
	json_add_text(json, "libraries", table->libraries ? table->libraries() : NULL);
	json_close(json, '}');
}

/* The output's own size is known when it is there. */
static void add_compression(struct json *json, const struct build *build)
{
	const enum compress_form form = build->config->image.compress;
	const uint64_t level = build->config->image.level;

	if (form == COMPRESS_NONE) {
		json_add_null(json, "compressed");
		return;
	}
	json_open(json, "compressed", '{');
	json_add_text(json, "form", compress_form_name(form));
	json_add_number(json, "level", level ? level : (uint64_t)compress_level_default(form));
	if (build->compressed_bytes)
		json_add_number(json, "size_bytes", build->compressed_bytes);
	else
		json_add_null(json, "size_bytes");
	json_close(json, '}');
}

static void add_geometry(struct json *json, const struct build *build)
{
	const struct geometry *geometry = &build->geometry;

	if (build->geometry.image_bytes == 0) {
		json_add_null(json, "geometry");
		return;
	}
	json_open(json, "geometry", '{');
	json_add_number(json, "image_bytes", geometry->image_bytes);
	add_compression(json, build);
	json_add_text(json, "table", geometry_table_name(geometry->table));
	json_add_flag(json, "dax", geometry->dax);
	json_add_number(json, "filesystem_start_bytes", geometry->filesystem.start_bytes);
	describe_partitions(json, build);
	json_add_number(json, "plan_bytes", build->plan.bytes);
	json_add_number(json, "granularity_bytes", build->plan.granularity);
	json_add_number(json, "window_bytes", geometry->filesystem.len_bytes);
	json_close(json, '}');
}

/* Of a fact that a backend gives twice the last one counts. */
static bool is_said_again(const struct host_fact *facts, size_t at, size_t count)
{
	for (size_t i = at + 1; i < count; i++)
		if (strcmp(facts[i].key, facts[at].key) == 0)
			return true;
	return false;
}

static void add_filesystem(struct json *json, const struct build *build)
{
	const struct kataimg_fs_info *info = &build->info;
	size_t count;
	const struct host_fact *fact;

	if (build->geometry.image_bytes == 0) {
		json_add_null(json, "filesystem");
		return;
	}
	json_open(json, "filesystem", '{');
	json_add_filesystem(json, info);
	json_open(json, "facts", '{');
	fact = host_facts(build->host, &count);
	for (size_t i = 0; i < count; i++)
		if (!is_said_again(fact, i, count))
			json_add_text(json, fact[i].key, fact[i].value);
	json_close(json, '}');
	json_close(json, '}');
}

static void add_identifiers(struct json *json, const struct build *build)
{
	if (build->geometry.image_bytes == 0) {
		json_add_null(json, "identifiers");
		return;
	}
	json_open(json, "identifiers", '{');
	json_add_hex(json, "seed", build->seed, sizeof(build->seed));
	describe_identifiers(json, build);
	json_add_signed(json, "build_time", build->build_time);
	json_close(json, '}');
}

static void add_tree(struct json *json, const struct build *build)
{
	struct tree_counts counts;

	if (!build->tree) {
		json_add_null(json, "tree");
		return;
	}
	json_open(json, "tree", '{');
	tree_count(build->tree, &counts);
	json_add_number(json, "nodes", counts.nodes);
	json_add_number(json, "names", counts.names);
	json_add_number(json, "files", counts.files);
	json_add_number(json, "directories", counts.directories);
	json_add_number(json, "symlinks", counts.symlinks);
	json_add_number(json, "devices", counts.devices);
	json_add_number(json, "fifos", counts.fifos);
	json_add_number(json, "sockets", counts.sockets);
	json_add_number(json, "hardlinks", counts.hardlinks);
	json_add_number(json, "xattrs", counts.xattrs);
	json_add_number(json, "file_bytes", counts.file_bytes);
	json_add_number(json, "data_bytes", counts.data_bytes);
	json_add_number(json, "left_out", build->dropped);
	json_add_number(json, "excluded", build->facts.excluded);
	json_add_number(json, "labelled", build->facts.labelled);
	json_add_number(json, "applied", build->facts.applied);
	json_add_number(json, "clamped", build->facts.clamped);
	json_add_flag(json, "machine_id_added", build->facts.machine_id);
	json_add_flag(json, "init_link_added", build->facts.init_link);
	json_close(json, '}');
}

static void add_copy(struct json *json, const struct build *build)
{
	const struct copy_stats *copied = &build->copied;

	if (!build->has_copied) {
		json_add_null(json, "copy");
		return;
	}
	json_open(json, "copy", '{');
	json_add_number(json, "jobs", copied->jobs);
	json_add_number(json, "writes", copied->writes);
	json_add_number(json, "written_bytes", copied->written_bytes);
	json_add_number(json, "reflinked_bytes", copied->reflinked_bytes);
	json_add_number(json, "hole_bytes", copied->hole_bytes);
	json_close(json, '}');
}

static void add_stages(struct json *json, const struct build *build)
{
	unsigned int count = 0;
	const struct progress_time *times =
		build->progress ? progress_times(build->progress, &count) : NULL;

	json_open(json, "seconds", '{');
	for (unsigned int i = 0; i < count; i++)
		json_add_seconds(json, times[i].stage, times[i].seconds);
	json_close(json, '}');
}

static void add_parameters(struct json *json, const struct build *build)
{
	struct parameters parameters;

	build_make_parameters(build, &parameters);
	json_add_text(json, "line", parameters.line);
	json_add_text(json, "kernel_parameter", parameters.create);
	json_add_text(json, "roothash_parameter", parameters.roothash);
	json_add_text(json, "kernel_verity_params", parameters.obstacle ? NULL : parameters.line);
	json_add_text(json, "extension_parameter",
		      parameters.obstacle ? NULL : parameters.extension);
}

static void add_verity(struct json *json, const struct build *build)
{
	static const char *const places[] = { "partition", "append", "file" };

	if (!build->measured) {
		json_add_null(json, "verity");
		return;
	}
	json_open(json, "verity", '{');
	describe_hash_tree(json, build);
	json_add_text(json, "place", places[build->config->verity.place]);
	json_add_number(json, "hash_start_block", build_hash_start_block(build));
	add_parameters(json, build);
	json_close(json, '}');
}

/* A digest is known once the blob is made, that of the tag once the layout has it. */
static void add_digest(struct json *json, const char *key, const char *digest)
{
	json_add_text(json, key, *digest ? digest : NULL);
}

static void add_artifact(struct json *json, const struct build *build)
{
	const struct artifact *artifact = &build->artifact;

	if (!build->place.tag) {
		json_add_null(json, "artifact");
		return;
	}
	json_open(json, "artifact", '{');
	json_add_text(json, "directory", build->place.dir);
	json_add_text(json, "tag", build->place.tag);
	add_digest(json, "digest", artifact->index);
	json_add_text(json, "architecture", *artifact->arch ? artifact->arch : NULL);
	add_digest(json, "manifest_digest", artifact->manifest.digest);
	add_digest(json, "layer_digest", artifact->layer.digest);
	json_add_number(json, "layer_bytes", artifact->layer.bytes);
	json_close(json, '}');
}

static const char *result_of(const struct build_set *set, const struct error *error)
{
	if (error)
		return "failed";
	return set->options->dry_run ? "planned" : "built";
}

static void add_error(struct json *json, const struct error *error)
{

	if (!error) {
		json_add_null(json, "error");
		return;
	}
	json_open(json, "error", '{');
	json_add_text(json, "message", error->message);
	json_add_number(json, "exit_code", (uint64_t)error_exit_code(error->kind));
	json_add_text(json, "errno", errno_name(error->code));
	json_close(json, '}');
}

/* Of one image, without what is said of the whole run. */
static void add_image(struct json *json, const struct build *build)
{
	const char *output = build->output_name ? build->output_name : build->config->image.output;

	json_add_text(json, "source", build->config->image.source);
	json_add_text(json, "output", output);
	add_backend(json, build);
	add_geometry(json, build);
	add_filesystem(json, build);
	add_identifiers(json, build);
	add_tree(json, build);
	add_copy(json, build);
	add_verity(json, build);
	add_artifact(json, build);
	add_stages(json, build);
}

static void add_images(struct json *json, const struct build_set *set)
{
	json_open(json, "images", '[');
	for (size_t i = 0; i < set->count; i++) {
		json_open(json, NULL, '{');
		json_add_text(json, "name", set->builds[i].config->name);
		add_image(json, &set->builds[i]);
		json_close(json, '}');
	}
	json_close(json, ']');
}

static bool is_named(const struct build_set *set)
{
	return set->count != 1 || set->builds[0].config->name;
}

static void print_report(const struct build_set *set, const struct error *error, FILE *out)
{
	struct json json;

	json_begin(&json, out, is_named(set) ? "set-report" : "report");
	json_add_text(&json, "result", result_of(set, error));
	add_error(&json, error);
	if (is_named(set))
		add_images(&json, set);
	else
		add_image(&json, &set->builds[0]);
	json_close(&json, '}');
}

char *report_text(const struct build_set *set, const struct error *error)
{
	struct text_stream stream;
	char *text;

	if (text_stream_open(&stream) < 0)
		return NULL;
	print_report(set, error, stream.out);
	text_stream_close(&stream, &text);
	return text;
}

int report_write(struct build_set *set, struct error *error)
{
	autofree char *text = report_text(set, NULL);

	return text ? build_publish_report(set, text, error) : error_nomem(error);
}
