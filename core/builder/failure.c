/* SPDX-License-Identifier: Apache-2.0 */
/* What a build that failed leaves behind: its report, if one was asked for. */
#include <string.h>

#include "core/base/log.h"
#include "core/builder/private.h"

static int write_report(struct build *build, const struct error *error, struct error *problem)
{
	autofree char *text = report_text(build, error);
	int ret = text ? build_open_report(build, problem) : error_nomem(problem);

	return ret < 0 ? ret : build_publish_report(build, text, problem);
}

void build_report_failure(struct build *build, const struct error *error)
{
	autoerror struct error problem = ERROR_INIT;

	if (!build->options->report || build->reported)
		return;
	/* The place of the report itself may be what kept the build from beginning: then it has
	 * been said. */
	if (write_report(build, error, &problem) < 0 &&
	    !(problem.message && error->message && strcmp(problem.message, error->message) == 0))
		log_warning("no report of this: %s",
			    problem.message ? problem.message : "out of memory");
}

void build_fail(const struct config *config, const struct build_options *options,
		const struct error *error)
{
	struct build build = { .config = config, .options = options };

	build_report_failure(&build, error);
	build_close_outputs(&build);
}
