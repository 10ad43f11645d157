/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes. Pairs of name and value that occur often enough are stored once, in the
 * shared area, and named by id; the others follow their inode. Values are stored as getxattr(2)
 * gives them, ACLs too.
 */
#ifndef EROFS_XATTR_H
#define EROFS_XATTR_H

#include "plugins/erofs/source.h"

/* 0, or -1: EROFS has no number for this namespace. The suffix points into the name. */
int erofs_xattr_split(const struct kataimg_xattr *xattr, uint8_t *prefix, const char **suffix,
		      uint32_t *suffix_len);

/* What the node's attributes take after its inode when none is shared. */
uint64_t erofs_xattr_bytes_alone(const struct kataimg_node *node);

struct erofs_xattrs;

/* Counts the tree's pairs and decides which are shared. -ENOMEM; whatever it returns, *made is to
 * be freed. */
int erofs_xattrs_make(const struct erofs_source *source, struct erofs_xattrs **made);
void erofs_xattrs_free(struct erofs_xattrs *xattrs);

/* What the node's attributes take after its inode; 0 without any. */
uint32_t erofs_xattrs_node_bytes(const struct erofs_xattrs *xattrs,
				 const struct kataimg_node *node);
/* Writes them: so many bytes. first_id is the id of the shared area's first byte. */
void erofs_xattrs_encode_node(const struct erofs_xattrs *xattrs, const struct kataimg_node *node,
			      uint32_t first_id, uint8_t *out);

uint64_t erofs_xattrs_shared_bytes(const struct erofs_xattrs *xattrs);
void erofs_xattrs_encode_shared(const struct erofs_xattrs *xattrs, uint8_t *out);

#endif
