/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a negotiation: what is counted while a tree is held against a backend. */
#ifndef BACKEND_NEGOTIATE_PRIVATE_H
#define BACKEND_NEGOTIATE_PRIVATE_H

#include <stdio.h>

#include "core/backend/negotiate.h"

#define REASON_BYTES 512

struct negotiation {
	struct session *session;
	struct tree *tree;
	struct kataimg_limits limits;
	const struct negotiate_drop *drop; /* NULL: nothing is left out */
	uint64_t dropped;
	uint64_t refused;
	/* Where a filesystem's times are coarser, nearly every node has a finer one: they are one
	 * offence. */
	uint64_t fine_times;
	const struct kataimg_node *first_fine_time;
	/* Of each directory, by its index, where the filesystem limits paths; else NULL. */
	uint64_t *path_bytes;
	int ret;    /* of marking and listing */
	FILE *list; /* of what is refused, for the error */
	unsigned int listed;
};

/* One thing that the backend cannot store; what and item are tree_mark's. The root cannot be left
 * out. */
void negotiation_offend(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
			uint64_t item, const char *cannot, const char *has);
/* The same, but nobody is told. */
void negotiation_drop(struct negotiation *n, const struct kataimg_node *node, enum tree_drop what,
		      uint64_t item);

/* To be called before the nodes are judged, which must be in the tree's order. -ENOMEM. */
int negotiation_begin_paths(struct negotiation *n, struct error *error);
void negotiation_check_limits(struct negotiation *n, const struct kataimg_node *node);
/* To be called after all nodes were judged. */
void negotiation_end_times(struct negotiation *n);

#endif
