/* SPDX-License-Identifier: Apache-2.0 */
/* What a run reads is not there to be replaced by what it makes: of any image, whatever the key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/artifact/place.h"
#include "core/builder/private.h"
#include "core/source/source.h"

/* What is read for an image as a key says. */
struct input {
	const struct build *build;
	const struct config_key *key;
};

/* "what is read as [verity] sign-key of image one". To be freed; NULL: no memory. */
static char *name_input(const struct input *input)
{
	const char *image = input->build->config->name;
	char *name;

	return asprintf(&name, "what is read as [%s] %s%s%s", input->key->section, input->key->name,
			image ? " of image " : "", image ? image : "") < 0
		       ? NULL
		       : name;
}

static int keep(const struct output *output, const struct input *input, const char *path,
		struct error *error)
{
	autofree char *name = name_input(input);

	if (!name)
		return error_nomem(error);
	return path && *path ? output_keep(output, path, name, error) : 0;
}

/* A layout takes more images than the one that is read out of it. */
static int keep_source(const struct output *output, bool in_layout, const struct input *input,
		       const char *source, struct error *error)
{
	autofree char *path = NULL;

	if (!source || !*source || (in_layout && artifact_prefix(source)))
		return 0;
	path = source_path(source);
	return path ? keep(output, input, path, error) : error_nomem(error);
}

static int keep_key(const struct output *output, bool in_layout, const struct input *input,
		    struct error *error)
{
	const void *member = (const char *)input->build->config + input->key->offset;
	const struct config_list *list = member;
	int ret = 0;

	if (input->key->is_output)
		return 0;
	switch (input->key->type) {
	case CONFIG_SOURCE:
		return keep_source(output, in_layout, input, *(char *const *)member, error);
	case CONFIG_PATH:
		return keep(output, input, *(char *const *)member, error);
	case CONFIG_BACKEND:
		return strchr(*(char *const *)member, '/')
			       ? keep(output, input, *(char *const *)member, error)
			       : 0;
	case CONFIG_PATHS:
		for (size_t i = 0; ret == 0 && i < list->count; i++)
			ret = keep(output, input, list->items[i], error);
		return ret;
	default:
		return 0;
	}
}

static int keep_configurations(const struct build_set *set, const struct output *output,
			       struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < set->configs->file_count; i++)
		if (set->configs->files[i].path)
			ret = output_keep(output, set->configs->files[i].path, "the configuration",
					  error);
	return ret;
}

int build_keep_inputs(const struct build_set *set, const struct output *output, bool in_layout,
		      struct error *error)
{
	int ret = keep_configurations(set, output, error);

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		for (size_t j = 0; ret == 0 && j < config_key_count; j++) {
			const struct input input = { &set->builds[i], &config_keys[j] };

			ret = keep_key(output, in_layout, &input, error);
		}
	return ret;
}
