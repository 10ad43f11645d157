/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in OCI image layouts. The image is built as any other, as a file without a name in the
 * layout's filesystem; in the end a blob takes the place of the file, and the layout's index.json
 * is what is published.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/builder/key.h"
#include "core/builder/private.h"
#include "core/oci/image.h"

/* Where the layout is, by the place of the image: the layout's index, or the layout to be made. */
static int take_directory(struct build *build, bool is_there, struct error *error)
{
	const char *path = output_path(build->files[BUILD_IMAGE]), *slash = strrchr(path, '/');
	size_t len = is_there ? (size_t)(slash - path) : strlen(path);

	free(build->place.dir);
	build->place.dir = len ? strndup(path, len) : strdup("/");
	if (!build->place.dir ||
	    asprintf(&build->output_name, "oci:%s:%s", build->place.dir, build->place.tag) < 0)
		return error_nomem(error);
	return 0;
}

/* Beside the layout's index, or beside a layout that is to be made; -EISDIR: it is there by now. */
static int open_beside(struct build *build, const char *source, struct error *error)
{
	autofree char *path = artifact_path_beside(build->config->image.output);
	bool is_there = path && strcmp(path, build->place.dir) != 0;
	int ret;

	if (!path)
		return error_nomem(error);
	ret = output_open("the image", path, source, &build->files[BUILD_IMAGE], error);
	return ret < 0 ? ret : take_directory(build, is_there, error);
}

static int open_in_layout(struct build *build, const char *source, struct error *error)
{
	autoerror struct error first = ERROR_INIT;
	int ret = artifact_place_parse(build->config->image.output, &build->place, error);

	if (ret < 0)
		return ret;
	/* Another image of the same layout is no directory that the new one is put into. */
	if (artifact_prefix(build->config->image.source))
		source = NULL;
	ret = open_beside(build, source, &first);
	/* Another build has made the layout since it was looked for. */
	if (ret == -EISDIR)
		return open_beside(build, source, error);
	return ret < 0 ? error_take(error, &first) : 0;
}

int build_open_image(struct build *build, const char *source, struct error *error)
{
	const char *name = build->config->image.output;
	int ret;

	if (artifact_prefix(name))
		return open_in_layout(build, source, error);
	ret = build_open_output(build->set, "the image", name, source, &build->files[BUILD_IMAGE],
				error);
	if (ret < 0)
		return ret;
	build->output_name = strdup(output_path(build->files[BUILD_IMAGE]));
	return build->output_name ? 0 : error_nomem(error);
}

static bool is_given(const char *text)
{
	return text && *text;
}

static const char *arch_of(const struct build *build, struct utsname *machine)
{
	return oci_arch_name(build->config->image.arch, machine);
}

bool build_same_artifact(const struct build *a, const struct build *b)
{
	struct utsname machine, same;

	return strcmp(a->output_name, b->output_name) == 0 &&
	       strcmp(arch_of(a, &machine), arch_of(b, &same)) == 0;
}

/* As Kata's image builder names them. */
static int name_files(const struct build *build, char **image, char **hash, struct error *error)
{
	const char *variant = build->config->verity.variant, *name = build->config->image.oci_name;
	const bool has_variant = is_given(variant);

	*image = *hash = NULL;
	if (is_given(name))
		*image = strdup(name);
	else if (asprintf(image, "kata-containers%s%s.img", has_variant ? "-" : "",
			  has_variant ? variant : "") < 0)
		*image = NULL;
	if (!*image || asprintf(hash, "root_hash_%s.txt", has_variant ? variant : "") < 0)
		return error_nomem(error);
	return 0;
}

int build_print_artifact(const struct build *build, FILE *out, struct error *error)
{
	autofree char *name = NULL;
	autofree char *hash_name = NULL;
	struct utsname machine;
	int ret = name_files(build, &name, &hash_name, error);

	if (ret < 0)
		return ret;
	key_print_text(out, "oci-name", name);
	key_print_text(out, "oci-hash-name", hash_name);
	key_print_text(out, "oci-arch", arch_of(build, &machine));
	return 0;
}

static int find_size(const struct build *build, uint64_t *bytes, struct error *error)
{
	off_t end = lseek(output_fd(build->files[BUILD_IMAGE]), 0, SEEK_END);

	if (end < 0)
		return error_errno(error, errno, "cannot find the size of the image");
	*bytes = (uint64_t)end;
	return 0;
}

static int make(struct build *build, struct artifact_request request, struct error *error)
{
	char line[VERITY_LINE_BYTES], root[2 * VERITY_DIGEST_MAX_BYTES + 1];
	int ret = find_size(build, &request.image_bytes, error);

	if (build->measured) {
		verity_format_line(&build->verity, build->root_hash, build_hash_start_block(build),
				   line);
		build_root_hash_text(build, root);
		request.hash_line = line;
		request.root_hash = root;
	}
	if (ret == 0)
		ret = artifact_make(&request, &build->artifact, error);
	build->compressed_bytes = build->artifact.layer.bytes;
	return ret;
}

int build_make_artifact(struct build *build, struct error *error)
{
	autofree char *name = NULL;
	autofree char *hash_name = NULL;
	struct utsname machine;
	struct artifact_request request = {
		.image = build->files[BUILD_IMAGE],
		.form = build->config->image.oci_form,
		.type = build->config->image.oci_type,
		.arch = arch_of(build, &machine),
		.created = build->build_time,
		.compress = build->config->image.compress,
		.level = (int)build->config->image.level,
		.threads = build->options->threads,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
	int ret;

	if (!build->place.tag)
		return 0;
	progress_stage(build->progress, "layer");
	ret = name_files(build, &name, &hash_name, error);
	request.name = name;
	request.hash_name = hash_name;
	return ret < 0 ? ret : make(build, request, error);
}

void build_close_artifact(struct build *build)
{
	artifact_free(&build->artifact);
	artifact_place_free(&build->place);
	free(build->output_name);
}
