/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts that images of a run go into: one after the other is locked, by their names, so that
 * no two runs wait for each other. */
#include <stdlib.h>
#include <string.h>

#include "core/builder/private.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, some more than once. *count: how many. NULL: memory is out. */
static const char **list_directories(const struct build_set *set, size_t *count)
{
	const char **names = calloc(set->count + 1, sizeof(*names));

	*count = 0;
	for (size_t i = 0; names && i < set->count; i++)
		if (set->builds[i].place.tag)
			names[(*count)++] = set->builds[i].place.dir;
	if (names)
		qsort(names, *count, sizeof(*names), compare);
	return names;
}

static int open_layouts(struct build_set *set, struct error *error)
{
	const struct artifact_manner manner = {
		.owner = set->options->owner,
		.group = set->options->group,
		.sync = set->options->sync,
	};
	size_t count;
	autofree const char **names = list_directories(set, &count);
	int ret = 0;

	set->layouts = calloc(count + 1, sizeof(struct artifact_layout *));
	if (!names || !set->layouts)
		return error_nomem(error);
	for (size_t i = 0; ret == 0 && i < count; i++) {
		if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
			continue;
		ret = artifact_layout_open(names[i], &manner, &set->layouts[set->layout_count],
					   error);
		if (ret == 0)
			set->layout_count++;
	}
	return ret;
}

static int put(const struct build_set *set, struct build *build, struct error *error)
{
	for (size_t i = 0; build->place.tag && i < set->layout_count; i++)
		if (strcmp(artifact_layout_path(set->layouts[i]), build->place.dir) == 0)
			return artifact_put(&build->artifact, set->layouts[i], build->place.tag,
					    error);
	return 0;
}

/* Of a tag that several images went into the last digest counts. */
static void share_digests(struct build_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (size_t j = i + 1; j < set->count; j++)
			if (set->builds[i].place.tag && set->builds[j].place.tag &&
			    strcmp(set->builds[i].output_name, set->builds[j].output_name) == 0)
				memcpy(set->builds[i].artifact.index, set->builds[j].artifact.index,
				       sizeof(set->builds[i].artifact.index));
}

int build_change_layouts(struct build_set *set, struct error *error)
{
	int ret = open_layouts(set, error);

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = put(set, &set->builds[i], error);
	if (ret == 0)
		share_digests(set);
	for (size_t i = 0; ret == 0 && i < set->layout_count; i++)
		ret = artifact_layout_write_index(set->layouts[i], error);
	return ret;
}

void build_settle_layouts(struct build_set *set)
{
	for (size_t i = 0; i < set->layout_count; i++)
		artifact_layout_settle(set->layouts[i]);
}

void build_close_layouts(struct build_set *set)
{
	for (size_t i = 0; i < set->layout_count; i++)
		artifact_layout_close(set->layouts[i]);
	free(set->layouts);
}
