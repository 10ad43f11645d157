/* SPDX-License-Identifier: Apache-2.0 */
#include "check/same.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "core/diff/diff.h"
#include "core/tree/reader.h"

#define PATH_BYTES 256
#define LINES_MAX 8

/* A file of both trees, which are alike but for holes. */
struct pair {
	const char *occasion;
	const struct tree *found_tree;
	const struct kataimg_node *made, *found;
};

#define differ(pair, fmt, ...)                      \
	check_fail("%s: %s " fmt, (pair)->occasion, \
		   tree_path((pair)->made, (char[PATH_BYTES]){ "" }, PATH_BYTES), __VA_ARGS__)

/* A hole may become smaller, by the filesystem's own units, but a large one is not filled. */
static int compare_holes(const struct pair *pair, uint64_t off, uint64_t end)
{
	struct tree_extent extent;
	bool filled = tree_next_extent(pair->found_tree, pair->found, off, end, &extent) &&
		      extent.file_off == off && extent.len == end - off;

	/* What is decoded may hold zeros that cost next to nothing. */
	return filled && extent.source_off < TREE_DECODED_OFF
		       ? differ(pair, "has no hole in [%" PRIu64 ", +%" PRIu64 ")", off, end - off)
		       : 0;
}

static int compare_all_holes(const struct pair *pair)
{
	const struct kataimg_node *made = pair->made;
	uint64_t off = 0;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < made->segment_count; i++) {
		if (made->segments[i].file_off > off)
			ret = compare_holes(pair, off, made->segments[i].file_off);
		off = made->segments[i].file_off + made->segments[i].len;
	}
	return ret == 0 && off < made->size ? compare_holes(pair, off, made->size) : ret;
}

/* Trees without a difference are numbered alike. */
static int compare_all_files(const char *occasion, const struct tree *made,
			     const struct tree *found)
{
	const struct kataimg_tree *a = tree_public(made), *b = tree_public(found);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < a->node_count; i++) {
		const struct pair pair = { occasion, found, a->nodes[i], b->nodes[i] };

		if (pair.made->type == KATAIMG_REG)
			ret = compare_all_holes(&pair);
	}
	return ret;
}

/* What differs, as kataimg diff says it, into *text, to be freed. */
static int list_differences(const struct tree *made, const struct tree *found, char **text,
			    struct error *error)
{
	const struct diff_options options = { .threads = 2 };
	struct diff diff = { 0 };
	size_t bytes;
	FILE *out = open_memstream(text, &bytes);
	int ret;

	if (!out)
		return error_nomem(error);
	ret = diff_run(made, found, &options, &diff, error);
	if (ret == 0)
		ret = diff_print(&diff, out, error);
	diff_free(&diff);
	/* Without memory there may be no text, and no error. */
	return fclose(out) != 0 || !*text ? error_nomem(error) : ret;
}

/* The first lines say enough; without the end of the last one. */
static void cut_lines(char *text)
{
	char *end = strchr(text, '\n');

	for (int i = 1; i < LINES_MAX && end && end[1]; i++)
		end = strchr(end + 1, '\n');
	if (end)
		*end = '\0';
}

int same_trees(const char *occasion, const struct tree *made, const struct tree *found, bool holes)
{
	autoerror struct error error = ERROR_INIT;
	autofree char *text = NULL;

	if (list_differences(made, found, &text, &error) < 0)
		return check_fail("%s: the trees cannot be compared: %s", occasion,
				  error_sentence(&error));
	cut_lines(text);
	if (*text)
		return check_fail("%s: what was read is not what was written:\n%s", occasion, text);
	return holes ? compare_all_files(occasion, made, found) : 0;
}
