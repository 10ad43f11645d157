/* SPDX-License-Identifier: Apache-2.0 */
/* All images of a run, one or several: the order of their stages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/builder/key.h"
#include "core/builder/private.h"

/* What it says, and what it fails with, is about this image. */
static int run_stage(struct build *build, int (*stage)(struct build *build, struct error *error),
		     struct error *error)
{
	int ret;

	log_set_subject(build->subject);
	ret = stage(build, error);
	log_set_subject(NULL);
	if (ret < 0 && build->subject)
		error_prefix(error, "%s", build->subject);
	return ret;
}

static int run_all(struct build_set *set, int (*stage)(struct build *build, struct error *error),
		   struct error *error)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < set->count; i++)
		ret = run_stage(&set->builds[i], stage, error);
	return ret;
}

/* The others' turn comes before this one's next stage. */
static void wait_for_others(const struct build *build)
{
	if (build->subject)
		progress_finish(build->progress);
}

static int check_source(struct build *build, struct error *error)
{
	int ret = source_check(build->config, build->tree, &build->facts, error);

	wait_for_others(build);
	return ret;
}

static int plan(struct build *build, struct error *error)
{
	int ret = build_plan(build, error);

	wait_for_others(build);
	return ret;
}

/* What others made is looked at from here on, so the program is confined first. */
static int load_trees(struct build_set *set, struct error *error)
{
	int ret = build_confine(set, NULL, error);

	if (ret == 0)
		ret = build_load_sources(set, error);
	return ret < 0 ? ret : run_all(set, check_source, error);
}

/* Everything that comes before the first byte of an image. */
static int prepare(struct build_set *set, struct error *error)
{
	int ret = run_all(set, build_load_backend, error);

	if (ret == 0 && set->options->toml)
		ret = run_all(set, build_check_extension, error);
	if (ret == 0)
		ret = build_open_outputs(set, error);
	if (ret == 0 && set->options->toml)
		ret = run_all(set, build_check_extension_path, error);
	if (ret == 0)
		ret = load_trees(set, error);
	return ret < 0 ? ret : run_all(set, plan, error);
}

/* What only the making needs: of several images the work of one may be as large as the tree. */
static void end_work(struct build *build)
{
	session_close(steal_ptr(&build->session));
	copy_free(steal_ptr(&build->copy));
	wait_for_others(build);
}

static int make(struct build *build, struct error *error)
{
	int ret = build_make(build, error);

	end_work(build);
	return ret;
}

static int print_plan(struct build *build, struct error *error)
{
	(void)error;
	if (build->subject)
		printf("%s%s\n", build->number ? "\n" : "", build->subject);
	report_print_geometry(build);
	progress_finish(build->progress);
	return 0;
}

static int log_summary(struct build *build, struct error *error)
{
	(void)error;
	report_log_summary(build);
	return 0;
}

static int run(struct build_set *set, struct error *error)
{
	const char *report = set->options->report;
	int ret = prepare(set, error);

	if (ret < 0)
		return ret;
	if (set->options->dry_run) {
		if (!report || strcmp(report, "-") != 0)
			run_all(set, print_plan, error);
		return report ? report_write(set, error) : 0;
	}
	ret = run_all(set, make, error);
	if (ret == 0)
		ret = build_publish(set, error);
	return ret < 0 ? ret : run_all(set, log_summary, error);
}

static int begin(struct build *build)
{
	const char *name = build->config->name;

	if (name && asprintf(&build->subject, "image %s", name) < 0) {
		build->subject = NULL;
		return -ENOMEM;
	}
	build->progress = progress_new(build->options->progress);
	if (build->progress)
		progress_set_image(build->progress, name);
	return build->progress ? 0 : -ENOMEM;
}

static int begin_set(struct build_set *set, struct error *error)
{
	set->builds = calloc(set->configs->count, sizeof(*set->builds));
	if (!set->builds)
		return error_nomem(error);
	set->count = set->configs->count;
	for (size_t i = 0; i < set->count; i++)
		set->builds[i] = (struct build){ .set = set,
						 .number = i,
						 .config = &set->configs->items[i],
						 .options = set->options,
						 .image_fd = -1,
						 .raw_fd = -1 };
	for (size_t i = 0; i < set->count; i++)
		if (begin(&set->builds[i]) < 0)
			return error_nomem(error);
	return 0;
}

static void end_set(struct build_set *set)
{
	/* One may have its scratch beside the image of another. */
	for (size_t i = 0; i < set->count; i++)
		build_release(&set->builds[i]);
	build_close_layouts(set);
	for (enum set_file file = 0; file < SET_FILES; file++)
		output_close(set->files[file]);
	free(set->builds);
}

int build_run(const struct config_set *configs, const struct build_options *options,
	      struct error *error)
{
	struct build_set set = { .configs = configs, .options = options };
	int ret = begin_set(&set, error);

	if (ret == 0)
		ret = run(&set, error);
	if (ret < 0)
		build_report_failure(&set, error);
	end_set(&set);
	return ret;
}

/* ---- Keys ---- */

/* Images that share a tree read its files once. */
static void share_content(struct build_set *set, size_t number)
{
	struct build *build = &set->builds[number];

	for (size_t i = 0; i < number && !build->has_content; i++)
		if (set->builds[i].tree == build->tree) {
			memcpy(build->content, set->builds[i].content, DIGEST_BYTES);
			build->has_content = true;
		}
}

static int make_keys(struct build_set *set, struct error *error)
{
	int ret = run_all(set, build_load_backend, error);

	if (ret == 0)
		ret = load_trees(set, error);
	for (size_t i = 0; ret == 0 && i < set->count; i++) {
		share_content(set, i);
		ret = run_stage(&set->builds[i], build_make_key, error);
	}
	return ret;
}

int build_print_keys(const struct config_set *configs, const struct build_options *options,
		     bool text, struct error *error)
{
	struct build_set set = { .configs = configs, .options = options };
	int ret = begin_set(&set, error);

	if (ret == 0)
		ret = make_keys(&set, error);
	for (size_t i = 0; ret == 0 && i < set.count; i++)
		ret = key_print(&set.builds[i], text, error);
	end_set(&set);
	return ret;
}

void build_fail(const struct config_set *configs, const struct build_options *options,
		const struct error *error)
{
	struct build_set set = { .configs = configs, .options = options };
	autoerror struct error memory = ERROR_INIT;

	if (begin_set(&set, &memory) == 0)
		build_report_failure(&set, error);
	end_set(&set);
}
