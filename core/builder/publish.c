/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a build leaves behind get their names, those of all images together. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/log.h"
#include "core/builder/private.h"
#include "core/image/publish.h"

static int write_text(struct output *file, const char *text, struct error *error)
{
	int ret = output_create(file, 0, error);

	if (ret == 0)
		ret = output_write(file, text, strlen(text), 0, error);
	return ret < 0 ? ret : output_write(file, "\n", 1, strlen(text), error);
}

static int write_root_hash(struct build *build, struct error *error)
{
	char line[VERITY_LINE_BYTES];

	if (!build->files[BUILD_HASH])
		return 0;
	verity_format_line(&build->verity, build->root_hash, build_hash_start_block(build), line);
	return write_text(build->files[BUILD_HASH], line, error);
}

static int write_signature(struct build *build, struct error *error)
{
	const struct signature *signature = &build->signature;
	int ret;

	if (!build->files[BUILD_SIGNATURE])
		return 0;
	ret = output_create(build->files[BUILD_SIGNATURE], 0, error);
	return ret < 0 ? ret
		       : output_write(build->files[BUILD_SIGNATURE], signature->der, signature->len,
				      0, error);
}

static int set_owner(const struct build *build, struct output *file, struct error *error)
{
	return output_set_owner(file, build->options->owner, build->options->group, error);
}

/* What has the name by now must be a stream still: nothing is made or cut short by this. */
static FILE *open_stream(const char *path)
{
	autoclose int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	FILE *out;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return NULL;
	}
	out = fdopen(fd, "w");
	if (out)
		steal_fd(&fd);
	return out;
}

static int write_stream(const char *what, const char *path, const char *text, struct error *error)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : open_stream(path);
	int ret = 0;

	if (!out)
		return error_errno(error, errno, "cannot write %s %s", what, path);
	if (fprintf(out, "%s\n", text) < 0 || fflush(out) != 0)
		ret = error_errno(error, errno, "cannot write %s %s", what, path);
	if (out != stdout)
		fclose(out);
	return ret;
}

static int write_for_all(struct build_set *set, enum set_file file, const char *text,
			 struct error *error)
{
	if (set->files[file])
		return write_text(set->files[file], text, error);
	if (file == SET_REPORT)
		set->reported = true;
	return write_stream(build_name_of_all(file), build_path_of_all(set, file), text, error);
}

int build_publish_report(struct build_set *set, const char *text, struct error *error)
{
	int ret = write_for_all(set, SET_REPORT, text, error);
	const struct publish_item item = { set->files[SET_REPORT], PUBLISH_SPEAKS_OF_NOTHING };

	return ret < 0 || !set->files[SET_REPORT] ? ret : publish(&item, 1, false, error);
}

/* All that takes time, or can fail for want of room or rights, comes before the first name. */
static int prepare(struct build *build, struct error *error)
{
	int ret;

	progress_stage(build->progress, "publish");
	ret = write_root_hash(build, error);
	if (ret == 0)
		ret = write_signature(build, error);
	for (int file = 0; ret == 0 && file < BUILD_FILES; file++)
		if (build->files[file])
			ret = set_owner(build, build->files[file], error);
	if (ret == 0 && build->options->sync)
		ret = output_sync(build->files[BUILD_IMAGE], error);
	if (ret < 0)
		return build->subject ? error_prefix(error, "%s", build->subject) : ret;
	progress_finish(build->progress);
	return 0;
}

/* Of one image: itself, what speaks of it, and what spoke of the one before. */
#define FILES_MAX (BUILD_FILES + BUILD_REPLACED_MAX)

/* The files of a set, and those that go. */
struct items {
	struct publish_item *items;
	size_t count;
	struct output **replaced; /* owned */
	size_t replaced_count;
};

static void add_item(struct items *items, struct output *output, enum publish_rank rank)
{
	if (output)
		items->items[items->count++] = (struct publish_item){ output, rank };
}

static bool has_path(const struct items *items, const char *path)
{
	for (size_t i = 0; i < items->count; i++)
		if (strcmp(output_path(items->items[i].output), path) == 0)
			return true;
	return false;
}

/* What one image's old root hash was in may be another's new file. */
static int add_replaced(struct items *items, struct build *build, struct error *error)
{
	struct output *replaced[BUILD_REPLACED_MAX] = { NULL };
	int ret = build_find_replaced(build, replaced, error);

	for (size_t i = 0; i < BUILD_REPLACED_MAX; i++) {
		if (ret < 0 || !replaced[i] || has_path(items, output_path(replaced[i]))) {
			output_close(replaced[i]);
			continue;
		}
		add_item(items, replaced[i], PUBLISH_SPEAKS_OF_ONE);
		items->replaced[items->replaced_count++] = replaced[i];
	}
	return ret;
}

static void add_files(struct items *items, const struct build *build)
{
	if (!build->place.tag)
		add_item(items, build->files[BUILD_IMAGE], PUBLISH_SPEAKS_OF_NOTHING);
	for (int file = 0; file < BUILD_FILES; file++)
		if (file != BUILD_IMAGE)
			add_item(items, build->files[file], PUBLISH_SPEAKS_OF_ONE);
}

static int collect(struct build_set *set, struct items *items, struct error *error)
{
	int ret = 0;

	for (size_t i = 0; i < set->count; i++)
		add_files(items, &set->builds[i]);
	for (size_t i = 0; i < set->layout_count; i++)
		add_item(items, artifact_layout_index(set->layouts[i]), PUBLISH_SPEAKS_OF_NOTHING);
	add_item(items, set->files[SET_REPORT], PUBLISH_SPEAKS_OF_ONE);
	add_item(items, set->files[SET_TOML], PUBLISH_SPEAKS_OF_ONE);
	add_item(items, set->files[SET_MANIFEST], PUBLISH_SPEAKS_OF_ALL);
	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = add_replaced(items, &set->builds[i], error);
	return ret;
}

static int report_made(const struct build_set *set, char **text, struct error *error)
{
	*text = report_text(set, NULL);
	return *text ? 0 : error_nomem(error);
}

/* The report is last, so that what it says of the time ends here. */
static int write_files_of_all(struct build_set *set, struct error *error)
{
	static int (*const texts[])(const struct build_set *, char **,
				    struct error *) = { report_made, manifest_text, toml_text };
	int ret = 0;

	for (enum set_file file = SET_FILES; ret == 0 && file-- > 0;) {
		autofree char *text = NULL;

		if (!build_path_of_all(set, file))
			continue;
		ret = texts[file](set, &text, error);
		if (ret == 0)
			ret = write_for_all(set, file, text, error);
	}
	return ret;
}

static int publish_items(struct build_set *set, struct items *items, struct error *error)
{
	int ret = publish(items->items, items->count, set->options->sync, error);

	if (ret == 0)
		build_settle_layouts(set);
	for (size_t i = 0; ret == 0 && i < items->replaced_count; i++)
		log_info("removed %s: it was %s", output_path(items->replaced[i]),
			 output_what(items->replaced[i]));
	return ret;
}

int build_publish(struct build_set *set, struct error *error)
{
	autofree struct publish_item *room =
		calloc(set->count * FILES_MAX + SET_FILES, sizeof(*room));
	autofree struct output **replaced =
		calloc(set->count * BUILD_REPLACED_MAX, sizeof(struct output *));
	struct items items = { .items = room, .replaced = replaced };
	int ret = room && replaced ? 0 : error_nomem(error);

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = prepare(&set->builds[i], error);
	if (ret == 0)
		ret = build_change_layouts(set, error);
	if (ret == 0)
		ret = collect(set, &items, error);
	if (ret == 0)
		ret = write_files_of_all(set, error);
	if (ret == 0)
		ret = publish_items(set, &items, error);
	for (size_t i = 0; i < items.replaced_count; i++)
		output_close(replaced[i]);
	return ret;
}
