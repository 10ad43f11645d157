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
#include "lib/array.h"

#define SPACE " \t"

struct text {
	char *bytes; /* owned; ends with a NUL, which len does not count */
	size_t len, room;
};

struct reading {
	const char *path;
	FILE *file;
	unsigned int line; /* where the line began */
	unsigned int next_line;
	struct text text;   /* the line with those that go on with it */
	struct arena arena; /* of defaults and words */
	struct mtree_words defaults;
	/* What names without a '/' are in: its path, "" for the root, and its node; NULL: an entry
	 * of the path was replaced since, so that it is to be looked up again. */
	struct text directory;
	struct tree_node *dir;
	struct mtree_apply apply;
};

static int text_append(struct text *text, const char *bytes, size_t len)
{
	if (text->room - text->len <= len &&
	    array_grow(&text->bytes, &text->room, text->len, len + 1, 1) < 0)
		return -ENOMEM;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
	return 0;
}

static void text_cut(struct text *text, size_t len)
{
	text->len = len;
	text->bytes[len] = '\0';
}

/*
 * Appends what is left of a line of the file, without its end. 1: there was one; 0: the end; or
 * -errno. getline(3) says the same of the end and of memory that ran out, and has no bound.
 */
static int append_line(struct reading *reading)
{
	int byte;

	while ((byte = getc_unlocked(reading->file)) != EOF && byte != '\n') {
		const char letter = (char)byte;

		if (byte == '\0')
			return -EILSEQ;
		if (reading->text.len == MTREE_LINE_BYTES)
			return -EMSGSIZE;
		if (text_append(&reading->text, &letter, 1) < 0)
			return -ENOMEM;
	}
	if (byte == EOF && ferror(reading->file))
		return errno ? -errno : -EIO;
	return byte == '\n' || reading->text.len > 0;
}

/* 1: a line; 0: the end; or -errno. A backslash at the end takes the next one in. */
static int next_line(struct reading *reading)
{
	struct text *text = &reading->text;
	bool goes_on = true;

	text_cut(text, 0);
	reading->line = reading->next_line;
	while (goes_on) {
		size_t before = text->len;
		int ret = append_line(reading);

		if (ret < 0)
			return ret;
		if (ret == 0)
			break;
		reading->next_line++;
		while (text->len > before && text->bytes[text->len - 1] == '\r')
			text_cut(text, text->len - 1);
		goes_on = text->len > before && text->bytes[text->len - 1] == '\\';
		if (goes_on)
			text_cut(text, text->len - 1);
	}
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
	const char *slash = memrchr(reading->directory.bytes, '/', reading->directory.len);

	text_cut(&reading->directory, slash ? (size_t)(slash - reading->directory.bytes) : 0);
	if (reading->dir)
		reading->dir = tree_node(reading->dir->pub.parent);
}

static int enter_directory(struct reading *reading, const struct tree_place *place)
{
	struct text *path = &reading->directory;

	reading->dir = place->node;
	if (path->len > 0 && text_append(path, "/", 1) < 0)
		return -ENOMEM;
	return text_append(path, place->name, place->len);
}

/* The directory that names are in, once more by its path: it may have been replaced, but a name
 * that an entry had is never taken away. */
static int find_directory(struct reading *reading, struct error *error)
{
	struct tree_place place;
	int ret = tree_edit_locate(reading->apply.edit, reading->directory.bytes,
				   TREE_PARENTS_IMPLIED, &place, error);

	if (ret < 0)
		return ret;
	if (place.node->pub.type != KATAIMG_DIR)
		return error_set(error, ENOTDIR, "%s is no directory any more",
				 reading->directory.bytes);
	reading->dir = place.node;
	return 0;
}

/* A name with a '/' in it is a path from the root, and so is "." there. */
static int locate(struct reading *reading, const char *name, struct tree_place *place,
		  struct error *error)
{
	int ret = 0;

	if (strchr(name, '/'))
		return tree_edit_locate(reading->apply.edit, name, TREE_PARENTS_IMPLIED, place,
					error);
	if (!reading->dir)
		ret = find_directory(reading, error);
	if (ret < 0)
		return ret;
	*place = (struct tree_place){ .dir = reading->dir, .name = name, .node = reading->dir };
	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return error_set(error, EINVAL, "its path has a \"..\"");
	place->len = strlen(name);
	place->node = tree_edit_find(reading->apply.edit, place->dir, name, place->len);
	return 0;
}

static int prefix_path(const struct reading *reading, const char *name, struct error *error)
{
	if (strchr(name, '/') || reading->directory.len == 0)
		return error_prefix(error, "%s", name);
	return error_prefix(error, "%s/%s", reading->directory.bytes, name);
}

static int take_entry(struct reading *reading, char *name, char *rest, struct error *error)
{
	struct mtree_words words = reading->defaults;
	const struct tree_node *before;
	struct tree_place place;
	int ret;

	if (mtree_unescape(name) < 0)
		return error_set(error, EINVAL, "%s: not a name", name);
	ret = take_words(reading, &words, rest, error);
	if (ret < 0)
		return ret;
	ret = locate(reading, name, &place, error);
	if (ret < 0)
		return prefix_path(reading, name, error);
	before = place.node;
	ret = mtree_apply_entry(&reading->apply, &place, &words, error);
	if (ret < 0)
		return prefix_path(reading, name, error);
	if (before && place.node != before && before->pub.type == KATAIMG_DIR)
		reading->dir = NULL;
	if (strchr(name, '/') || !place.node || place.node->pub.type != KATAIMG_DIR ||
	    place.len == 0)
		return 0;
	return enter_directory(reading, &place) < 0 ? error_nomem(error) : 0;
}

static int take_line(struct reading *reading, struct error *error)
{
	char *rest = NULL, *word = strtok_r(reading->text.bytes, SPACE, &rest);

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
			return cancel_check(error);
		if (take_line(reading, error) < 0)
			return error_prefix(error, "%s:%u", reading->path, reading->line);
	}
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret == -EINTR && cancel_requested())
		return cancel_check(error);
	if (ret == -EMSGSIZE)
		return error_set(error, EMSGSIZE, "%s:%u: a line of more than %zu MiB",
				 reading->path, reading->line, MTREE_LINE_BYTES >> 20);
	return ret < 0 ? error_errno(error, -ret, "%s:%u: cannot read", reading->path,
				     reading->line)
		       : 0;
}

static int apply_file(struct tree *tree, const char *path, const struct tree_options *options,
		      uint64_t *changes, struct error *error)
{
	struct reading reading = { .path = path, .next_line = 1, .file = fopen(path, "re") };
	int ret;

	if (!reading.file)
		return error_errno(error, errno, "cannot read %s", path);
	ret = mtree_apply_begin(&reading.apply, tree, path, options->holes, error);
	if (ret == 0 &&
	    (text_append(&reading.text, "", 0) < 0 || text_append(&reading.directory, "", 0) < 0))
		ret = error_nomem(error);
	reading.dir = tree_root(tree);
	if (ret == 0)
		ret = take_lines(&reading, error);
	*changes = reading.apply.changes;
	if (ret == 0)
		ret = tree_edit_finish(reading.apply.edit, error);
	mtree_apply_end(&reading.apply);
	arena_free(&reading.arena);
	free(reading.directory.bytes);
	free(reading.text.bytes);
	fclose(reading.file);
	return ret;
}

int mtree_apply(struct tree *tree, const char *path, const struct tree_options *options,
		uint64_t *changes, struct error *error)
{
	int ret = apply_file(tree, path, options, changes, error);

	if (ret == 0)
		tree_set_implied_times(tree, options->build_time);
	return ret;
}

static int allow_contents(const char *path, char *word, struct confine *confine,
			  struct error *error)
{
	const char *slash = strrchr(path, '/');
	char *value = strchr(word, '=');
	autofree char *file = NULL;

	if (!value || strncmp(word, "content", strlen("content")) != 0)
		return 0;
	/* What is wrong with it is told when it is applied. */
	if (mtree_unescape(++value) < 0)
		return 0;
	if (asprintf(&file, "%.*s%s", *value == '/' || !slash ? 0 : (int)(slash - path) + 1, path,
		     value) < 0) {
		file = NULL;
		return error_nomem(error);
	}
	return confine_allow(confine, file, CONFINE_READ, error);
}

static int allow_lines(struct reading *reading, struct confine *confine, struct error *error)
{
	int ret = text_append(&reading->text, "", 0) < 0 ? -ENOMEM : 0;

	while (ret == 0 && (ret = next_line(reading)) > 0) {
		char *rest = reading->text.bytes, *word;

		ret = cancel_check(error);
		while (ret == 0 && (word = strtok_r(NULL, SPACE, &rest)))
			ret = allow_contents(reading->path, word, confine, error);
	}
	return ret == -ENOMEM && error->code == 0 ? error_nomem(error) : error->code ? ret : 0;
}

int mtree_confine(const char *path, struct confine *confine, struct error *error)
{
	struct reading reading = { .path = path };
	struct stat st;
	int ret = confine_allow(confine, path, CONFINE_READ, error);

	if (ret < 0 || confine->ruleset < 0)
		return ret;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return confine_allow(confine, "/", CONFINE_READ, error);
	reading.file = fopen(path, "re");
	if (!reading.file)
		return 0;
	ret = allow_lines(&reading, confine, error);
	free(reading.text.bytes);
	fclose(reading.file);
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

int mtree_read_tree(const char *path, const struct tree_options *options, struct tree **result,
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
