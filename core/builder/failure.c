/* SPDX-License-Identifier: Apache-2.0 */
/* What a build that failed leaves behind: its report, if one was asked for. */
#include <string.h>

#include "core/base/log.h"
#include "core/builder/private.h"

static int write_report(struct build_set *set, const struct error *error, struct error *problem)
{
	autofree char *text = report_text(set, error);
	int ret = text ? build_open_report(set, problem) : error_nomem(problem);

	return ret < 0 ? ret : build_publish_report(set, text, problem);
}

void build_report_failure(struct build_set *set, const struct error *error)
{
	autoerror struct error problem = ERROR_INIT;

	if (!set->options->report || set->reported)
		return;
	/* The place of the report itself may be what kept the build from beginning: then it has
	 * been said. */
	if (write_report(set, error, &problem) < 0 &&
	    !(problem.message && error->message && strcmp(problem.message, error->message) == 0))
		log_warning("no report of this: %s", error_sentence(&problem));
}
