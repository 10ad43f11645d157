/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files go that a build leaves behind: settled before it begins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/builder/private.h"
#include "core/image/unnamed.h"
#include "core/source/source.h"

static const struct output *find_together(struct output *const *files, size_t count,
					  const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (files[i] && output_is_together(files[i], path))
			return files[i];
	return NULL;
}

int build_open_output(const struct build_set *set, const char *what, const char *path,
		      const char *source, struct output **output, struct error *error)
{
	const struct output *other = find_together(set->files, SET_FILES, path);

	for (size_t i = 0; !other && i < set->count; i++)
		other = find_together(set->builds[i].files, BUILD_FILES, path);
	return output_open_together(what, path, source, other, output, error);
}

static bool is_hash_file_given(const struct build *build)
{
	return build->config->verity.hash_file && *build->config->verity.hash_file;
}

/* hash-file, or root_hash_VARIANT.txt in the image's directory. To be freed. */
static char *hash_file_path(const struct build *build)
{
	const char *image = output_path(build->files[BUILD_IMAGE]);
	const char *variant = build->config->verity.variant;
	int dir_len = (int)(strrchr(image, '/') - image);
	char *path;

	if (is_hash_file_given(build))
		return strdup(build->config->verity.hash_file);
	if (asprintf(&path, "%.*s/root_hash_%s.txt", dir_len, image, variant ? variant : "") < 0)
		return NULL;
	return path;
}

static int open_hash_file(struct build *build, const char *source, struct error *error)
{
	autofree char *path = NULL;

	/* A layout has it inside, and another one where it is asked for. */
	if (!build->config->verity.enabled || (build->place.tag && !is_hash_file_given(build)))
		return 0;
	path = hash_file_path(build);
	return path ? build_open_output(build->set, "the root hash's file", path, source,
					&build->files[BUILD_HASH], error)
		    : error_nomem(error);
}

char *build_beside_path(const char *given, const char *image, const char *suffix)
{
	return given && *given ? strdup(given) : beside_path(image, suffix);
}

static int open_tree_file(struct build *build, const char *source, struct error *error)
{
	const struct config *config = build->config;
	autofree char *path = NULL;

	if (!config->verity.enabled || config->verity.place != HASH_FILE)
		return 0;
	path = build_beside_path(config->verity.tree_file, output_path(build->files[BUILD_IMAGE]),
				 BESIDE_TREE);
	return path ? build_open_output(build->set, "the hash tree's file", path, source,
					&build->files[BUILD_TREE], error)
		    : error_nomem(error);
}

static int open_signature_file(struct build *build, const char *source, struct error *error)
{
	const struct config *config = build->config;
	autofree char *path = NULL;

	if (!config->verity.enabled || !config->verity.sign_key || !*config->verity.sign_key)
		return 0;
	path = build_beside_path(config->verity.signature_file,
				 output_path(build->files[BUILD_IMAGE]), BESIDE_SIGNATURE);
	return path ? build_open_output(build->set, "the signature", path, source,
					&build->files[BUILD_SIGNATURE], error)
		    : error_nomem(error);
}

/* What speaks of the image, and is published with it; what is open stays. */
static int open_beside(struct build *build, const char *source, struct error *error)
{
	int ret = 0;

	if (!build->files[BUILD_HASH])
		ret = open_hash_file(build, source, error);
	if (ret == 0 && !build->files[BUILD_TREE])
		ret = open_tree_file(build, source, error);
	if (ret == 0 && !build->files[BUILD_SIGNATURE])
		ret = open_signature_file(build, source, error);
	return ret;
}

static int open_files(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	autofree char *source = source_path(config->image.source);
	int ret = source ? 0 : error_nomem(error);

	if (ret == 0)
		ret = build_open_image(build, source, error);
	if (ret == 0)
		ret = open_beside(build, source, error);
	return ret < 0 && build->subject ? error_prefix(error, "%s", build->subject) : ret;
}

/* Standard output, or what cannot be replaced: a pipe, a terminal. */
static bool is_stream(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 ||
	       (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

const char *build_name_of_all(enum set_file file)
{
	static const char *const names[] = { "the report", "the manifest", "Kata's configuration" };

	return names[file];
}

const char *build_path_of_all(const struct build_set *set, enum set_file file)
{
	const struct build_options *options = set->options;
	const char *const paths[] = { options->report, options->manifest, options->toml };

	return paths[file];
}

/* In no source of any image. */
static int open_for_all(struct build_set *set, enum set_file file, struct error *error)
{
	const char *path = build_path_of_all(set, file);

	if (!path || is_stream(path))
		return 0;
	for (size_t i = 0; i < set->count; i++) {
		const char *named = set->builds[i].config->image.source;
		autofree char *source = named && *named ? source_path(named) : NULL;
		int ret;

		if (named && *named && !source)
			return error_nomem(error);
		output_close(steal_ptr(&set->files[file]));
		ret = build_open_output(set, build_name_of_all(file), path, source,
					&set->files[file], error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A file of one image, or of all. */
struct place {
	const struct output *output;
	const char *image;             /* its name; NULL: it has none, or it is a file of all */
	const struct build *in_layout; /* the image that goes into a layout; NULL: none */
};

/* Of one layout they share the place, and the tags as well but for their architecture. */
static int check_layout(const struct place *a, const struct place *b, struct error *error)
{
	if (!build_same_artifact(a->in_layout, b->in_layout))
		return 0;
	return error_usage(
		error,
		"the images %s and %s would both be %s for one architecture: give one of "
		"them another tag or [image] arch",
		a->image, b->image, a->in_layout->output_name);
}

static int check_pair(const struct place *a, const struct place *b, struct error *error)
{
	if (a->in_layout && b->in_layout)
		return check_layout(a, b, error);
	if (strcmp(output_path(a->output), output_path(b->output)) != 0)
		return 0;
	return error_usage(error,
			   "%s%s%s and %s%s%s would both be %s: give one of them another name",
			   output_what(a->output), a->image ? " of " : "", a->image ? a->image : "",
			   output_what(b->output), b->image ? " of " : "", b->image ? b->image : "",
			   output_path(a->output));
}

/* The one with this number is another than those before it, and nothing that is read. */
static int check_place(const struct build_set *set, const struct place *places, size_t number,
		       struct error *error)
{
	const struct place *place = &places[number];
	int ret = build_keep_inputs(set, place->output, place->in_layout, error);

	if (ret < 0 && place->image)
		return error_prefix(error, "image %s", place->image);
	for (size_t i = 0; ret == 0 && i < number; i++)
		ret = check_pair(&places[i], &places[number], error);
	return ret;
}

static void add_place(struct place *places, size_t *count, const struct output *output,
		      const struct build *of)
{
	if (output)
		places[(*count)++] = (struct place){
			output, of ? of->config->name : NULL,
			of && of->place.tag && output == of->files[BUILD_IMAGE] ? of : NULL
		};
}

/* Those of all images come last, behind *of_images. NULL: memory is out. */
static struct place *list_places(const struct build_set *set, size_t *of_images, size_t *count)
{
	struct place *places = calloc(BUILD_FILES * set->count + SET_FILES, sizeof(*places));

	*count = 0;
	for (size_t i = 0; places && i < set->count; i++) {
		const struct build *build = &set->builds[i];

		for (int file = 0; file < BUILD_FILES; file++)
			add_place(places, count, build->files[file], build);
	}
	*of_images = *count;
	for (enum set_file file = 0; places && file < SET_FILES; file++)
		add_place(places, count, set->files[file], NULL);
	return places;
}

/* only_of_all: those of images may be the same among themselves. */
static int check_different(const struct build_set *set, bool only_of_all, struct error *error)
{
	size_t of_images, count;
	autofree struct place *places = list_places(set, &of_images, &count);
	int ret = places ? 0 : error_nomem(error);

	for (size_t i = only_of_all ? of_images : 0; ret == 0 && i < count; i++)
		ret = check_place(set, places, i, error);
	return ret;
}

/* One of these at most goes to standard output. */
static int check_streams(const struct build_set *set, struct error *error)
{
	unsigned int count = 0;

	for (enum set_file file = 0; file < SET_FILES; file++) {
		const char *path = build_path_of_all(set, file);

		count += path && strcmp(path, "-") == 0;
	}
	return count < 2 ? 0
			 : error_usage(error, "--report, --manifest and --toml: one of them at "
					      "most goes to standard output");
}

int build_open_outputs(struct build_set *set, struct error *error)
{
	int ret = check_streams(set, error);

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = open_files(&set->builds[i], error);
	for (enum set_file file = 0; ret == 0 && file < SET_FILES; file++)
		ret = open_for_all(set, file, error);
	return ret < 0 ? ret : check_different(set, false, error);
}

/* Opens what is not open yet, so that the report cannot be put in its place. When it cannot be
 * opened, nothing can replace it anyway, and the error does not matter. */
static void try_open(struct build *build)
{
	const char *named = build->config->image.source, *image = build->config->image.output;
	autofree char *source = named && *named ? source_path(named) : NULL;
	autoerror struct error ignored = ERROR_INIT;

	if (!build->files[BUILD_IMAGE] && image && *image)
		build_open_image(build, source, &ignored);
	if (build->files[BUILD_IMAGE])
		open_beside(build, source, &ignored);
}

static void try_open_for_all(struct build_set *set)
{
	autoerror struct error ignored = ERROR_INIT;

	for (enum set_file file = 0; file < SET_FILES; file++)
		if (file != SET_REPORT && !set->files[file])
			open_for_all(set, file, &ignored);
}

int build_open_report(struct build_set *set, struct error *error)
{
	int ret;

	output_close(steal_ptr(&set->files[SET_REPORT]));
	for (size_t i = 0; i < set->count; i++)
		try_open(&set->builds[i]);
	try_open_for_all(set);
	ret = open_for_all(set, SET_REPORT, error);
	return ret < 0 ? ret : check_different(set, true, error);
}

void build_close_outputs(struct build *build)
{
	build_close_artifact(build);
	for (int file = 0; file < BUILD_FILES; file++)
		output_close(build->files[file]);
}

int build_open_scratch(void *arg)
{
	const struct build *build = arg;

	return build->files[BUILD_IMAGE] ? output_scratch(build->files[BUILD_IMAGE])
					 : unnamed_open(NULL);
}
