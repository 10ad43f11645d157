/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a build leaves behind: where they go is settled before it begins. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/log.h"
#include "core/builder/private.h"
#include "core/image/publish.h"
#include "core/image/temporary.h"
#include "core/source/source.h"

/* hash-file, or root_hash_VARIANT.txt in the image's directory. To be freed. */
static char *hash_file_path(const struct build *build)
{
	const char *image = output_path(build->output);
	const char *variant = build->config->verity.variant;
	int dir_len = (int)(strrchr(image, '/') - image);
	char *path;

	if (build->config->verity.hash_file && *build->config->verity.hash_file)
		return strdup(build->config->verity.hash_file);
	if (asprintf(&path, "%.*s/root_hash_%s.txt", dir_len, image, variant ? variant : "") < 0)
		return NULL;
	return path;
}

static int open_hash_file(struct build *build, const char *source, struct error *error)
{
	autofree char *path = NULL;

	if (!build->config->verity.enabled)
		return 0;
	path = hash_file_path(build);
	return path ? output_open("the root hash's file", path, source, &build->hash_file, error)
		    : error_nomem(error);
}

/* Standard output, or what cannot be replaced: a pipe, a terminal. */
static bool is_stream(const char *path)
{
	struct stat st;

	return strcmp(path, "-") == 0 ||
	       (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}

static int open_report(struct build *build, const char *source, struct error *error)
{
	const char *path = build->options->report;

	if (!path || is_stream(path))
		return 0;
	return output_open("the report", path, source, &build->report_file, error);
}

static int check_different(const struct output *a, const struct output *b, struct error *error)
{
	if (!a || !b || strcmp(output_path(a), output_path(b)) != 0)
		return 0;
	return error_usage(error, "%s and %s would both be %s: give one of them another name",
			   output_what(a), output_what(b), output_path(a));
}

/* Opens what is not open yet, so that the report cannot be put in its place. When it cannot be
 * opened, nothing can replace it anyway, and the error does not matter. */
static void try_open(struct build *build, const char *source)
{
	const char *image = build->config->image.output;
	autoerror struct error ignored = ERROR_INIT;

	if (!build->output && image && *image)
		output_open("the image", image, source, &build->output, &ignored);
	if (!build->hash_file && build->output)
		open_hash_file(build, source, &ignored);
}

int build_open_outputs(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	autofree char *source = source_path(config->image.source);
	int ret = source ? 0 : error_nomem(error);

	if (ret == 0)
		ret = output_open("the image", config->image.output, source, &build->output, error);
	if (ret == 0)
		ret = open_hash_file(build, source, error);
	if (ret == 0)
		ret = open_report(build, source, error);
	if (ret == 0)
		ret = check_different(build->output, build->hash_file, error);
	if (ret == 0)
		ret = check_different(build->output, build->report_file, error);
	return ret < 0 ? ret : check_different(build->hash_file, build->report_file, error);
}

int build_open_report(struct build *build, struct error *error)
{
	const char *named = build->config->image.source;
	autofree char *source = named && *named ? source_path(named) : NULL;
	int ret;

	output_close(steal_ptr(&build->report_file));
	try_open(build, source);
	ret = open_report(build, source, error);
	if (ret == 0)
		ret = check_different(build->output, build->report_file, error);
	return ret < 0 ? ret : check_different(build->hash_file, build->report_file, error);
}

void build_close_outputs(struct build *build)
{
	output_close(build->output);
	output_close(build->hash_file);
	output_close(build->replaced_hash);
	output_close(build->report_file);
}

int build_open_scratch(void *arg)
{
	const struct build *build = arg;

	return build->output ? output_scratch(build->output) : temporary_unnamed();
}

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

	if (!build->hash_file)
		return 0;
	verity_format_line(&build->verity, build->root_hash, line);
	return write_text(build->hash_file, line, error);
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

static int write_stream(const char *path, const char *text, struct error *error)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : open_stream(path);
	int ret = 0;

	if (!out)
		return error_errno(error, errno, "cannot write the report %s", path);
	if (fprintf(out, "%s\n", text) < 0 || fflush(out) != 0)
		ret = error_errno(error, errno, "cannot write the report %s", path);
	if (out != stdout)
		fclose(out);
	return ret;
}

static int write_report(struct build *build, const char *text, struct error *error)
{
	if (!build->report_file) {
		build->reported = true;
		return write_stream(build->options->report, text, error);
	}
	return write_text(build->report_file, text, error);
}

int build_publish_report(struct build *build, const char *text, struct error *error)
{
	int ret = write_report(build, text, error);
	const struct publish_item item = { build->report_file, false };

	return ret < 0 || !build->report_file ? ret : publish(&item, 1, false, error);
}

static int prepare(struct build *build, struct error *error)
{
	int ret = write_root_hash(build, error);

	if (ret == 0)
		ret = set_owner(build, build->output, error);
	if (ret == 0 && build->hash_file)
		ret = set_owner(build, build->hash_file, error);
	if (ret == 0 && build->options->sync)
		ret = output_sync(build->output, error);
	return ret;
}

/* All that takes time, or can fail for want of room or rights, comes before the first name: the
 * report as well, so that what it says of the time ends here. */
int build_publish(struct build *build, struct error *error)
{
	struct publish_item items[4] = { { build->output, false } };
	autofree char *report = NULL;
	size_t count = 1;
	int ret = prepare(build, error);

	if (ret == 0)
		ret = build_find_replaced(build, error);
	if (ret < 0)
		return ret;
	progress_finish(build->progress);
	if (build->options->report) {
		report = report_text(build, NULL);
		ret = report ? write_report(build, report, error) : error_nomem(error);
	}
	if (ret < 0)
		return ret;
	if (build->hash_file)
		items[count++] = (struct publish_item){ build->hash_file, true };
	if (build->replaced_hash)
		items[count++] = (struct publish_item){ build->replaced_hash, true };
	if (build->report_file)
		items[count++] = (struct publish_item){ build->report_file, true };
	ret = publish(items, count, build->options->sync, error);
	if (ret == 0 && build->replaced_hash)
		log_info("removed %s: it was the root hash of the image that was replaced",
			 output_path(build->replaced_hash));
	return ret;
}
