/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked for against what a backend can do, before a byte is written: the job's needs, then
 * every node of the tree against capabilities, limits and the backend's own check.
 */
#ifndef BACKEND_NEGOTIATE_H
#define BACKEND_NEGOTIATE_H

#include "core/backend/session.h"
#include "core/tree/tree.h"

/* The most offenders that an error lists; it counts the rest. */
#define NEGOTIATE_LISTED_MAX 20

/* Does the backend know and can it do what the job requires? Kind ERROR_USAGE. */
int negotiate_job(const struct backend *backend, const struct kataimg_job *job,
		  struct error *error);

/*
 * With drop, what the backend cannot store is marked in the tree and logged, each with its reason,
 * and *dropped counts it: call tree_drop_marked. Without, it is an error that lists the offenders.
 */
int negotiate_tree(struct session *session, struct tree *tree, bool drop, uint64_t *dropped,
		   struct error *error);

#endif
