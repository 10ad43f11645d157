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

/* Who is told what is left out: "FILESYSTEM cannot store CANNOT: NODE HAS". */
struct negotiate_drop {
	void (*left_out)(void *arg, const char *filesystem, const struct kataimg_node *node,
			 const char *cannot, const char *has);
	void *arg;
};

/*
 * With drop, what the backend cannot store is marked in the tree and told, each with its reason,
 * and *dropped counts it: call tree_drop_marked. Without (NULL), it is an error that lists the
 * offenders.
 */
int negotiate_tree(struct session *session, struct tree *tree, const struct negotiate_drop *drop,
		   uint64_t *dropped, struct error *error);

#endif
