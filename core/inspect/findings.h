/* SPDX-License-Identifier: Apache-2.0 */
/* The judging half of inspect: what an inspection's values say about each other. */
#ifndef INSPECT_FINDINGS_H
#define INSPECT_FINDINGS_H

#include "core/inspect/inspect.h"

/* Adds a sentence, which is one line whatever is in the arguments (base/text.h). -ENOMEM. */
int findings_add(struct inspect_findings *findings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void findings_clear(struct inspect_findings *findings);

/* A number of the info block, and what a guest's kernel expects there. */
struct dax_field {
	const char *name;
	uint64_t value, expected;
};

#define DAX_FIELDS 9
void dax_list_fields(const struct dax_info *info, struct dax_field fields[DAX_FIELDS]);

/* Each judges one object of the inspection and adds to its problems and notes. -ENOMEM. */
int findings_judge_size(struct inspection *inspection);
int findings_judge_dax(struct inspection *inspection);
int findings_judge_views(struct inspection *inspection);
int findings_judge_gpt(struct inspection *inspection);
int findings_judge_partitions(struct inspection *inspection);
int findings_judge_filesystem(struct inspection *inspection);

#endif
