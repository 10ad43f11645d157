/* SPDX-License-Identifier: Apache-2.0 */
#include "core/builder/build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/meter.h"
#include "core/builder/private.h"

static int load_backend(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	int ret = backend_load(build->options->search, config->image.filesystem, &build->backend,
			       error);

	if (ret < 0)
		return ret;
	return options_parse(config, &build->backend->table, &build->values, error);
}

static void scan_progress(void *arg, enum meter_unit unit, uint64_t done, uint64_t total)
{
	progress_update(arg, unit == METER_BYTES ? PROGRESS_BYTES : PROGRESS_ENTRIES, done, total);
}

static int load_source(struct build *build, struct error *error)
{
	const struct source_request request = {
		.config = build->config,
		.threads = build->options->threads,
		.scratch = { .open = build_open_scratch, .arg = build },
		.backends = build->options->search,
		/* A dry run only plans: content is read if the backend asks for it. */
		.content_later = build->options->dry_run,
	};
	int ret;

	progress_stage(build->progress, "scan");
	meter_listen(scan_progress, build->progress);
	ret = source_load(&request, &build->tree, &build->build_time, &build->facts, error);
	meter_listen(NULL, NULL);
	return ret < 0 ? ret : source_check(build->config, build->tree, &build->facts, error);
}

/* Everything that comes before the first byte of the image, whatever the source is. */
static int prepare(struct build *build, struct error *error)
{
	int ret = load_backend(build, error);

	if (ret == 0)
		ret = build_check_readback(build, error);
	if (ret == 0)
		ret = build_open_outputs(build, error);
	if (ret == 0)
		ret = load_source(build, error);
	if (ret == 0)
		ret = build_plan(build, error);
	return ret;
}

static int attest(struct build *build, const char *path, struct error *error)
{
	int ret = load_backend(build, error);

	if (ret == 0)
		ret = load_source(build, error);
	if (ret == 0)
		ret = build_plan(build, error);
	return ret < 0 ? ret : build_attest_image(build, path, error);
}

static int make(struct build *build, struct error *error)
{
	int ret = build_write(build, error);

	if (ret == 0)
		ret = build_verify_filesystem(build, error);
	if (ret == 0)
		ret = build_read_back(build, error);
	if (ret == 0)
		ret = build_measure(build, error);
	if (ret == 0)
		ret = build_verify_image(build, error);
	if (ret < 0)
		return ret;
	log_ok("the image reads back as planned");
	ret = build_compress(build, error);
	if (ret < 0)
		return ret;
	progress_stage(build->progress, "publish");
	return build_publish(build, error);
}

static int run(struct build *build, struct error *error)
{
	int ret = prepare(build, error);

	if (ret < 0)
		return ret;
	if (build->options->dry_run) {
		if (!build->options->report || strcmp(build->options->report, "-") != 0)
			report_print_geometry(build);
		progress_finish(build->progress);
		return build->options->report ? report_write(build, error) : 0;
	}
	ret = make(build, error);
	if (ret == 0)
		report_log_summary(build);
	return ret;
}

static void release(struct build *build)
{
	session_close(build->session);
	host_free(build->host);
	copy_free(build->copy);
	build_close_outputs(build);
	tree_free(build->tree);
	free(build->values);
	backend_free(build->backend);
	progress_free(build->progress);
	if (build->raw_fd >= 0)
		close(build->raw_fd);
}

int build_run(const struct config *config, const struct build_options *options, struct error *error)
{
	struct build build = { .config = config, .options = options, .image_fd = -1, .raw_fd = -1 };
	int ret;

	build.progress = progress_new(options->progress);
	ret = build.progress ? run(&build, error) : error_nomem(error);
	if (ret < 0)
		build_report_failure(&build, error);
	release(&build);
	return ret;
}

int build_attest(const struct config *config, const struct build_options *options, const char *path,
		 struct error *error)
{
	struct build build = { .config = config, .options = options, .image_fd = -1, .raw_fd = -1 };
	int ret;

	build.progress = progress_new(options->progress);
	ret = build.progress ? attest(&build, path, error) : error_nomem(error);
	release(&build);
	return ret;
}
