/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to say of all images of a run: a list of them with their digests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/pool.h"
#include "core/base/textstream.h"
#include "core/builder/private.h"
#include "core/inspect/jsonout.h"

/* Of a file as it was written. */
struct digested {
	uint64_t size;
	uint8_t sha256[DIGEST_BYTES];
	int failure; /* -errno */
};

struct digesting {
	const struct build_set *set;
	struct digested *files;
};

static int digest_file(int fd, struct digested *file)
{
	struct digest *digest autocall(cleanup_digest_free) = digest_new();
	struct stat st;
	int ret;

	if (!digest)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return -errno;
	file->size = (uint64_t)st.st_size;
	ret = digest_range(digest, fd, 0, file->size);
	return ret < 0 ? ret : digest_final(digest, file->sha256);
}

static int digest_one(void *arg, uint64_t number)
{
	struct digesting *work = arg;
	struct digested *file = &work->files[number];

	file->failure = digest_file(output_fd(work->set->builds[number].files[BUILD_IMAGE]), file);
	return file->failure;
}

/* Whole images, each by one thread. */
static int digest_all(struct digesting *work, struct error *error)
{
	const struct build_set *set = work->set;
	int ret = pool_run(set->options->threads, set->count, digest_one, work);

	if (ret == 0)
		return 0;
	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	for (size_t i = 0; i < set->count; i++)
		if (work->files[i].failure < 0)
			return error_errno(error, -work->files[i].failure,
					   "cannot read %s for the manifest",
					   output_path(set->builds[i].files[BUILD_IMAGE]));
	return error_nomem(error);
}

static void add_verity(struct json *json, const struct build *build)
{
	struct parameters parameters;

	if (!build->measured) {
		json_add_null(json, "verity");
		return;
	}
	build_make_parameters(build, &parameters);
	json_open(json, "verity", '{');
	describe_hash_tree(json, build);
	json_add_text(json, "line", parameters.line);
	json_close(json, '}');
}

static void add_extension(struct json *json, const struct build *build)
{
	const char *start;
	int len = build_extension_name(build, &start);
	autofree char *name = len ? strndup(start, (size_t)len) : NULL;

	json_add_text(json, "extension", name);
}

static void add_image(struct json *json, const struct build *build, const struct digested *file)
{
	const struct config *config = build->config;

	json_open(json, NULL, '{');
	json_add_text(json, "name", config->name);
	json_add_text(json, "file", build->output_name);
	json_add_text(json, "digest", build->place.tag ? build->artifact.index : NULL);
	json_add_number(json, "size_bytes", file->size);
	json_add_hex(json, "sha256", file->sha256, DIGEST_BYTES);
	json_add_text(json, "table", geometry_table_name(build->geometry.table));
	json_add_flag(json, "dax", build->geometry.dax);
	json_add_text(json, "compressed",
		      config->image.compress == COMPRESS_NONE
			      ? NULL
			      : compress_form_name(config->image.compress));
	json_add_text(json, "filesystem", build->info.type);
	describe_identifiers(json, build);
	describe_partitions(json, build);
	add_extension(json, build);
	add_verity(json, build);
	json_close(json, '}');
}

static int print_manifest(const struct build_set *set, const struct digested *files, char **text)
{
	struct text_stream stream;
	struct json json;
	int ret = text_stream_open(&stream);

	if (ret < 0)
		return ret;
	json_begin(&json, stream.out, "manifest");
	json_open(&json, "images", '[');
	for (size_t i = 0; i < set->count; i++)
		add_image(&json, &set->builds[i], &files[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	return text_stream_close(&stream, text);
}

int manifest_text(const struct build_set *set, char **text, struct error *error)
{
	autofree struct digested *files = calloc(set->count, sizeof(*files));
	struct digesting work = { set, files };
	int ret = files ? digest_all(&work, error) : error_nomem(error);

	if (ret == 0 && print_manifest(set, files, text) < 0)
		return error_nomem(error);
	return ret;
}
