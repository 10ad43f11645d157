/* SPDX-License-Identifier: Apache-2.0 */
/* What the numbers of struct kataimg_limits bound, in one table for whoever holds nodes to them. */
#ifndef BACKEND_LIMITS_H
#define BACKEND_LIMITS_H

#include <stddef.h>

#include "kataimg/backend.h"

struct limit_rule {
	size_t member;    /* of struct kataimg_limits, a uint64_t */
	const char *name; /* "limits.links" */
	uint64_t (*value)(const struct kataimg_node *node); /* 0 of a node that has nothing of it */
	const char *cannot, *unit;                          /* "link counts", " names" */
};
#define LIMIT_MEMBER(member) offsetof(struct kataimg_limits, member), "limits." #member

/* A limit that one number of the node itself is held against. Names, paths, times and attributes
 * need more than one number, and are judged in negotiate_limits.c. */
extern const struct limit_rule limit_rules[];
extern const size_t limit_rule_count;

uint64_t limit_of(const struct kataimg_limits *limits, const struct limit_rule *rule);

#endif
