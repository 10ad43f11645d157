/* SPDX-License-Identifier: Apache-2.0 */
/* Changes owners and times of a whole tree. */
#ifndef TREE_OWNER_H
#define TREE_OWNER_H

#include <stddef.h>

#include "core/tree/tree.h"

/* Ids from .. from + count - 1 become to .. to + count - 1. */
struct tree_id_range {
	uint32_t from, to, count;
};

struct tree_id_map {
	struct tree_id_range *ranges; /* owned; sorted by from, none overlaps another */
	size_t count;                 /* 0: every id stays */
};

/* Adds "FROM:TO:COUNT". Errors are of kind ERROR_USAGE and do not have the text. */
int tree_id_map_add(struct tree_id_map *map, const char *text, struct error *error);
void tree_id_map_free(struct tree_id_map *map);

/* Owners and groups, those in POSIX ACLs too. An id that a map of the kind does not have is an
 * error that names the file. */
int tree_map_ids(struct tree *tree, const struct tree_id_map *uids, const struct tree_id_map *gids,
		 struct error *error);

/* Everything belongs to 0:0. */
void tree_set_all_root(struct tree *tree);

/* Times after latest become latest; returns how many. */
uint64_t tree_clamp_mtime(struct tree *tree, int64_t latest);

/* Times lose their nanoseconds, as filesystems without them would round. */
void tree_cut_nanoseconds(struct tree *tree);

#endif
