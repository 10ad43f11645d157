/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of an mtree file, put into a tree. */
#ifndef MTREE_APPLY_H
#define MTREE_APPLY_H

#include "core/mtree/word.h"
#include "core/tree/edit.h"
#include "core/tree/links.h"

struct mtree_apply {
	struct tree *tree;
	struct tree_edit *edit;
	enum tree_holes holes;
	struct links links; /* inode= to nodes */
	char *directory;    /* owned; of the mtree file, for contents= */
	uint64_t changes;
};

int mtree_apply_begin(struct mtree_apply *apply, struct tree *tree, const char *mtree_path,
		      enum tree_holes holes, struct error *error);
void mtree_apply_end(struct mtree_apply *apply);

/* place->node becomes what is then there. Errors say neither file nor path. */
int mtree_apply_entry(struct mtree_apply *apply, struct tree_place *place,
		      const struct mtree_words *words, struct error *error);

/* The bytes of the file at contents become the node's. */
int mtree_set_contents(struct mtree_apply *apply, struct tree_node *node, const char *contents,
		       struct error *error);

#endif
