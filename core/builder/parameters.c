/* SPDX-License-Identifier: Apache-2.0 */
/* What guests are told of a measured image, in the words that each of them wants. */
#include <stdio.h>
#include <string.h>

#include "core/builder/private.h"
#include "core/config/records.h"

#define EXTENSION "-extension"
#define EXTENSION_NAME_MAX 128

/* Kata's runtime and its guests know of SHA-256 alone, and of a tree that is all of partition 2. */
const char *build_kata_obstacle(const struct build *build)
{
	const struct config *config = build->config;

	if (config->verity.place != HASH_PARTITION)
		return "it is not in partition 2";
	if (config->verity.superblock)
		return "there is a superblock in front of it";
	return config->verity.hash == VERITY_SHA256 ? NULL : "it is not of SHA-256";
}

/* Kata's packaging calls the image of the extension coco the variant coco-extension. A variant may
 * be any part of a file's name: one that no image could be called is no extension's. */
int build_extension_name(const struct build *build, const char **name)
{
	const struct config *config = build->config;
	const char *variant = config->verity.variant;
	size_t len = variant ? strnlen(variant, EXTENSION_NAME_MAX) : 0, suffix = strlen(EXTENSION);

	*name = variant;
	if (config->image.extension && *config->image.extension) {
		*name = config->image.extension;
		return (int)strnlen(*name, EXTENSION_NAME_MAX);
	}
	if (len <= suffix || strcmp(variant + len - suffix, EXTENSION) != 0 ||
	    !record_name_valid(variant))
		return 0;
	return (int)(len - suffix);
}

static void print_extension(const struct build *build, const char *line, char text[PARAMETER_BYTES])
{
	const char *name;
	int len = build_extension_name(build, &name);

	snprintf(text, PARAMETER_BYTES, "kata.extension.%.*s.verity_params=%s", len ? len : 4,
		 len ? name : "NAME", line);
}

void build_make_parameters(const struct build *build, struct parameters *parameters)
{
	uint64_t start = build_hash_start_block(build);
	char root[2 * VERITY_DIGEST_MAX_BYTES + 1], table[VERITY_TABLE_BYTES];
	const char *device = build->config->verity.place == HASH_APPEND ? "DATA" : "HASH";

	build_root_hash_text(build, root);
	parameters->obstacle = build_kata_obstacle(build);
	verity_format_line(&build->verity, build->root_hash, start, parameters->line);
	verity_format_table(&build->verity, build->root_hash, "DATA", device, start, table);
	snprintf(parameters->create, sizeof(parameters->create), "dm-mod.create=\"%s\"", table);
	snprintf(parameters->roothash, sizeof(parameters->roothash), "roothash=%s", root);
	print_extension(build, parameters->line, parameters->extension);
}
