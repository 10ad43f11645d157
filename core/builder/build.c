/* SPDX-License-Identifier: Apache-2.0 */
/* One image: what comes before its plan, and after. */
#include "core/builder/build.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/builder/private.h"

int build_load_backend(struct build *build, struct error *error)
{
	const struct config *config = build->config;
	int ret = backend_load(build->options->search, config->image.filesystem, &build->backend,
			       error);

	if (ret < 0)
		return ret;
	ret = options_parse(config, &build->backend->table, &build->values, error);
	if (ret == 0)
		ret = build_check_readback(build, error);
	return ret < 0 ? ret : build_load_signer(build, error);
}

static int attest(struct build *build, const char *path, struct error *error)
{
	struct build_set set = { .options = build->options, .builds = build, .count = 1 };
	int ret = build_load_backend(build, error);

	if (ret == 0)
		ret = build_confine(&set, path, error);
	if (ret == 0)
		ret = build_load_sources(&set, error);
	if (ret == 0)
		ret = source_check(build->config, build->tree, &build->facts, error);
	if (ret == 0)
		ret = build_plan(build, error);
	return ret < 0 ? ret : build_attest_image(build, path, error);
}

int build_make(struct build *build, struct error *error)
{
	int ret = build_write(build, error);

	if (ret == 0)
		ret = build_verify_filesystem(build, error);
	if (ret == 0)
		ret = build_read_back(build, error);
	if (ret == 0)
		ret = build_measure(build, error);
	if (ret == 0)
		ret = build_write_tables(build, error);
	if (ret == 0)
		ret = build_verify_image(build, error);
	if (ret < 0)
		return ret;
	log_ok("the image reads back as planned");
	ret = build_compress(build, error);
	return ret < 0 ? ret : build_make_artifact(build, error);
}

void build_release(struct build *build)
{
	session_close(build->session);
	host_free(build->host);
	copy_free(build->copy);
	build_close_outputs(build);
	tree_free(build->tree);
	free(build->values);
	signature_free(&build->signature);
	free(build->signature_text);
	signer_free(build->signer);
	backend_free(build->backend);
	progress_free(build->progress);
	if (build->raw_fd >= 0)
		close(build->raw_fd);
	free(build->subject);
	free(build->key_text);
}

int build_attest(const struct config *config, const struct build_options *options, const char *path,
		 struct error *error)
{
	struct build build = { .config = config, .options = options, .image_fd = -1, .raw_fd = -1 };
	int ret;

	build.progress = progress_new(options->progress);
	ret = build.progress ? attest(&build, path, error) : error_nomem(error);
	build_release(&build);
	return ret;
}
