/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ARCHIVE_CREATE_ENTRY_H
#define ARCHIVE_CREATE_ENTRY_H

#include <archive_entry.h>
#include <stdbool.h>

#include "core/tree/tree.h"

/* What libarchive is to write of a node at a path; a link has a name and nothing else. -ENOMEM;
 * -EOVERFLOW: this machine's libarchive has no such time. */
int create_entry(struct archive_entry *entry, const struct tree *tree, const char *path,
		 const struct kataimg_node *node, bool is_link);

#endif
