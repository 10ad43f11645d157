/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend writes again, and what it writes is compared with the image instead of being written.
 * So every byte of metadata is verified, whatever the backend, and no backend has code for it.
 */
#include <errno.h>

#include "core/builder/private.h"

static int write_again(struct build *build, struct session *session, struct copy *again,
		       struct error *error)
{
	const struct host_range window = build_window(build);
	bool content = build->config->image.verify >= CONFIG_VERIFY_CONTENT;
	int ret;

	if (host_begin_compare(build->host, &window, again, content) < 0)
		return error_nomem(error);
	ret = session_write(session, tree_public(build->tree), window.len_bytes, error);
	if (ret == 0)
		ret = host_end_compare(build->host, error);
	return ret < 0 ? ret : copy_check_same(again, error);
}

/* A backend whose write cannot be called twice is opened a second time, and plans the same. */
static int write_again_in_second_session(struct build *build, struct copy *again,
					 struct error *error)
{
	struct session *session autocall(cleanup_session_close) = NULL;
	const struct host_range window = build_window(build);
	struct kataimg_plan plan;
	int ret;

	if (host_begin_compare(build->host, &window, again, true) < 0)
		return error_nomem(error);
	ret = session_open(build->backend, build->host, &build->job, build->values, &session,
			   error);
	if (ret == 0)
		ret = session_plan(session, tree_public(build->tree), &plan, error);
	return ret < 0 ? ret : write_again(build, session, again, error);
}

static int compare_metadata(struct build *build, struct error *error)
{
	struct copy *again autocall(cleanup_copy_free) = copy_new_again(build->copy);

	/* Content is compared by the claims; without that they have done all that they were for. */
	if (build->config->image.verify < CONFIG_VERIFY_CONTENT)
		copy_drop_claims(build->copy);
	if (!again)
		return error_nomem(error);
	if (build->backend->table.capabilities & KATAIMG_CAP_WRITE_AGAIN)
		return write_again(build, build->session, again, error);
	return build->config->image.verify >= CONFIG_VERIFY_CONTENT
		       ? write_again_in_second_session(build, again, error)
		       : 0;
}

static int compare_content(struct build *build, struct error *error)
{
	const struct copy_options options = {
		.threads = build->options->threads,
		.compare = true,
		.progress = progress_bytes,
		.progress_arg = build->progress,
	};
	struct copy_stats stats;

	if (build->config->image.verify < CONFIG_VERIFY_CONTENT)
		return 0;
	return copy_run(build->copy, build->image_fd, &options, &stats, error);
}

int build_compare(struct build *build, struct error *error)
{
	int ret = compare_metadata(build, error);

	if (ret == 0)
		ret = compare_content(build, error);
	if (ret == -EUCLEAN)
		error_prefix(error, "verification failed");
	return ret;
}
