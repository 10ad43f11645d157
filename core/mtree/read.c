/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to entries: defaults, directories that lines are in, words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/cancel.h"
#include "core/mtree/apply.h"
#include "core/mtree/mtree.h"
#include "core/mtree/text.h"

#define SPACE " \t"

struct reading {
	const char *path;
	FILE *file;
	unsigned int line; /* where the line began */
	unsigned int next_line;
	char *text; /* owned; the line with those that go on with it */
	size_t len, room;
	struct arena arena; /* of defaults and words */
	struct mtree_words defaults;
	char *directory; /* owned; of names without a '/'; "" for the root */
	struct mtree_apply apply;
};

static int reserve(struct reading *reading, size_t bytes)
{
	char *text;

	if (bytes <= reading->room)
		return 0;
	text = realloc(reading->text, 2 * bytes);
	if (!text)
		return -ENOMEM;
	reading->text = text;
	reading->room = 2 * bytes;
	return 0;
}

/* 1: a line; 0: the end; or -errno. A backslash at the end takes the next one in. */
static int next_line(struct reading *reading)
{
	autofree char *part = NULL;
	size_t room = 0;
	ssize_t len;
	bool goes_on = true;

	reading->len = 0;
	reading->line = reading->next_line;
	while (goes_on && (len = getline(&part, &room, reading->file)) >= 0) {
		reading->next_line++;
		if (memchr(part, '\0', (size_t)len))
			return -EILSEQ;
		while (len > 0 && (part[len - 1] == '\n' || part[len - 1] == '\r'))
			len--;
		goes_on = len > 0 && part[len - 1] == '\\';
		len -= goes_on;
		if (reserve(reading, reading->len + (size_t)len + 1) < 0)
			return -ENOMEM;
		memcpy(reading->text + reading->len, part, (size_t)len);
		reading->len += (size_t)len;
		reading->text[reading->len] = '\0';
	}
	if (ferror(reading->file))
		return -errno;
	return reading->next_line > reading->line;
}

static int take_words(struct reading *reading, struct mtree_words *words, char *rest,
		      struct error *error)
{
	int ret = 0;

	for (char *word; ret == 0 && (word = strtok_r(NULL, SPACE, &rest));)
		ret = mtree_take_word(words, word, &reading->arena, error);
	return ret;
}

static int unset_words(struct reading *reading, char *rest, struct error *error)
{
	int ret = 0;

	for (char *word; ret == 0 && (word = strtok_r(NULL, SPACE, &rest));)
		ret = mtree_unset_word(&reading->defaults, word, error);
	return ret;
}

static void leave_directory(struct reading *reading)
{
	char *slash = strrchr(reading->directory, '/');

	*(slash ? slash : reading->directory) = '\0';
}

/* A name with a '/' in it is a path from the root. */
static char *full_path(const struct reading *reading, const char *name)
{
	char *path;

	if (strchr(name, '/') || *reading->directory == '\0')
		return strdup(name);
	return asprintf(&path, "%s/%s", reading->directory, name) < 0 ? NULL : path;
}

static int take_entry(struct reading *reading, char *name, char *rest, struct error *error)
{
	struct mtree_words words = reading->defaults;
	autofree char *path = NULL;
	bool is_directory = false;
	bool is_name = strchr(name, '/') == NULL;
	int ret;

	if (mtree_unescape(name) < 0)
		return error_set(error, EINVAL, "%s: not a name", name);
	ret = take_words(reading, &words, rest, error);
	if (ret < 0)
		return ret;
	path = full_path(reading, name);
	if (!path)
		return error_nomem(error);
	ret = mtree_apply_entry(&reading->apply, path, &words, &is_directory, error);
	if (ret < 0)
		return error_prefix(error, "%s", path);
	if (is_name && is_directory) {
		free(reading->directory);
		reading->directory = strcmp(path, ".") == 0 ? strdup("") : steal_ptr(&path);
	}
	return reading->directory ? 0 : error_nomem(error);
}

static int take_line(struct reading *reading, struct error *error)
{
	char *rest = NULL, *word = strtok_r(reading->text, SPACE, &rest);

	if (!word || *word == '#')
		return 0;
	if (strcmp(word, "..") == 0) {
		leave_directory(reading);
		return 0;
	}
	if (strcmp(word, "/set") == 0)
		return take_words(reading, &reading->defaults, rest, error);
	if (strcmp(word, "/unset") == 0)
		return unset_words(reading, rest, error);
	return take_entry(reading, word, rest, error);
}

static int take_lines(struct reading *reading, struct error *error)
{
	int ret;

	while ((ret = next_line(reading)) > 0) {
		if (cancel_requested())
			return error_set(error, ECANCELED, "interrupted");
		if (take_line(reading, error) < 0)
			return error_prefix(error, "%s:%u", reading->path, reading->line);
	}
	if (ret == -ENOMEM)
		return error_nomem(error);
	return ret < 0 ? error_errno(error, -ret, "%s:%u: cannot read", reading->path,
				     reading->line)
		       : 0;
}

static int apply_file(struct tree *tree, const char *path, const struct mtree_options *options,
		      uint64_t *changes, struct error *error)
{
	struct reading reading = { .path = path, .next_line = 1, .file = fopen(path, "re") };
	int ret;

	if (!reading.file)
		return error_errno(error, errno, "cannot read %s", path);
	reading.directory = strdup("");
	ret = reading.directory
		      ? mtree_apply_begin(&reading.apply, tree, path, options->holes, error)
		      : error_nomem(error);
	if (ret == 0)
		ret = take_lines(&reading, error);
	*changes = reading.apply.changes;
	if (ret == 0)
		ret = tree_edit_finish(reading.apply.edit, error);
	mtree_apply_end(&reading.apply);
	arena_free(&reading.arena);
	free(reading.directory);
	free(reading.text);
	fclose(reading.file);
	return ret;
}

int mtree_apply(struct tree *tree, const char *path, const struct mtree_options *options,
		uint64_t *changes, struct error *error)
{
	int ret = apply_file(tree, path, options, changes, error);

	if (ret == 0)
		tree_set_implied_times(tree, options->build_time);
	return ret;
}

/* A stream must be left as it is. */
bool mtree_is(const char *path)
{
	char start[sizeof(MTREE_SIGNATURE)] = "";
	struct stat st;
	bool is = false;
	FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;

	if (file) {
		is = fread(start, 1, strlen(MTREE_SIGNATURE), file) > 0 &&
		     strcmp(start, MTREE_SIGNATURE) == 0;
		fclose(file);
	}
	return is;
}

int mtree_read_tree(const char *path, const struct mtree_options *options, struct tree **result,
		    struct error *error)
{
	struct tree *tree = tree_new_implied();
	uint64_t changes;
	int ret = tree ? mtree_apply(tree, path, options, &changes, error) : error_nomem(error);

	if (ret < 0)
		tree_free(tree);
	else
		*result = tree;
	return ret;
}
