/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux labels by a policy's file contexts, as setfiles(8) gives them, but in the tree: no
 * SELinux host, no privilege, and the source stays as it is. By libselinux.
 */
#ifndef LABEL_SELINUX_H
#define LABEL_SELINUX_H

#include "core/base/error.h"
#include "core/confine/confine.h"
#include "core/tree/tree.h"

/*
 * Gives every node for which the file contexts know a label that label as security.selinux, in the
 * place of one that it has; of a hard link's names the first in tree order decides. *labelled
 * counts them. A file that is missing or wrong is an error of kind ERROR_USAGE.
 */
int selinux_label_tree(struct tree *tree, const char *file_contexts, uint64_t *labelled,
		       struct error *error);

/* Allows reading of the file contexts, and of what libselinux reads beside them. */
int selinux_confine(const char *file_contexts, struct confine *confine, struct error *error);

#endif
