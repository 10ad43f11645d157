/* SPDX-License-Identifier: Apache-2.0 */
/* What a build still needs when its outputs have their places, its backend is loaded, and the
 * source was not looked at yet; all else is given up. */
#include <stdio.h>

#include "core/builder/private.h"
#include "core/inspect/hashfile.h"
#include "core/label/selinux.h"
#include "core/mtree/mtree.h"
#include "core/source/source.h"

int source_confine_request(const struct source_request *request, struct confine *confine,
			   struct error *error)
{
	const struct config *config = request->config;
	int ret = source_confine(config->image.source, request->backends, confine, error);

	for (size_t i = 0; ret == 0 && i < config->tree.apply.count; i++)
		ret = mtree_confine(config->tree.apply.items[i], confine, error);
	if (ret == 0 && config->selinux.file_contexts && *config->selinux.file_contexts)
		ret = selinux_confine(config->selinux.file_contexts, confine, error);
	return ret;
}

static int allow_output(const struct output *output, struct confine *confine, struct error *error)
{
	if (!output)
		return 0;
	return confine_allow_parent(confine, output_path(output), CONFINE_MAKE, error);
}

/* A layout has folders, which files are moved into. */
static int allow_image(const struct build *build, struct confine *confine, struct error *error)
{
	if (!build->place.tag)
		return allow_output(build->files[BUILD_IMAGE], confine, error);
	return confine_allow_parent(confine, output_path(build->files[BUILD_IMAGE]), CONFINE_TREE,
				    error);
}

/* What goes beside no image goes where temporary files go. */
static int allow_build(const struct build *build, struct confine *confine, struct error *error)
{
	const struct source_request request = { .config = build->config,
						.backends = build->options->search };
	int ret = source_confine_request(&request, confine, error);

	if (ret == 0)
		ret = allow_image(build, confine, error);
	for (int file = 0; ret == 0 && file < BUILD_FILES; file++)
		if (file != BUILD_IMAGE)
			ret = allow_output(build->files[file], confine, error);
	if (ret == 0 && !build->files[BUILD_IMAGE])
		ret = confine_allow_scratch(confine, error);
	if (ret == 0 && build->backend->table.programs)
		ret = confine_allow_programs(confine, error);
	return ret;
}

/* One that replaces nothing goes into what is there. */
static int allow_file_of_all(const struct output *output, const char *path, struct confine *confine,
			     struct error *error)
{
	if (output || !path)
		return allow_output(output, confine, error);
	return confine_allow(confine, path, CONFINE_WRITE, error);
}

static int allow_files_of_all(const struct build_set *set, struct confine *confine,
			      struct error *error)
{
	int ret = 0;

	for (enum set_file file = 0; ret == 0 && file < SET_FILES; file++)
		ret = allow_file_of_all(set->files[file], build_path_of_all(set, file), confine,
					error);
	return ret;
}

/* The image, and what speaks of it, beside it or where the configuration says. */
static int allow_attested(const struct build *build, const char *image, struct confine *confine,
			  struct error *error)
{
	const char *const given[] = { image, build->config->verity.hash_file,
				      build->config->verity.tree_file,
				      build->config->verity.signature_file };
	int ret = hash_files_confine(image, confine, error);

	for (size_t i = 0; ret == 0 && i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i] && *given[i])
			ret = confine_allow(confine, given[i], CONFINE_READ, error);
	return ret;
}

static bool has_layout(const struct build_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->builds[i].place.tag)
			return true;
	return false;
}

int build_confine(const struct build_set *set, const char *image, struct error *error)
{
	autoconfine struct confine confine = CONFINE_NONE;
	int ret;

	confine_begin(&confine, has_layout(set));
	ret = allow_files_of_all(set, &confine, error);
	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = allow_build(&set->builds[i], &confine, error);
	if (ret == 0 && image)
		ret = allow_attested(set->builds, image, &confine, error);
	if (ret == 0)
		confine_enter(&confine);
	return ret;
}
