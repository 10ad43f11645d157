/* SPDX-License-Identifier: Apache-2.0 */
/* How the toy keeps all but the bytes of files: one stream of inodes, each with its target,
 * attributes, entries and segments. */
#ifndef TOYSTORE_H
#define TOYSTORE_H

#include "kataimg/backend.h"

#ifdef SILENT /* as backends of the first headers are */
#undef KATAIMG_HAVE_READ
#endif

/* Of the tree's stream. */
uint64_t toystore_bytes(const struct kataimg_tree *tree);

/* Writes the stream at off of the window. starts: where each file's data begins, by its node's
 * index. */
int toystore_write(const struct kataimg_host *host, uint64_t off, const struct kataimg_tree *tree,
		   const uint64_t *starts);

#ifdef KATAIMG_HAVE_READ
/* Tells a sink what the stream of len bytes, which may be anything, says of so many inodes. */
int toystore_read(const struct kataimg_host *host, const uint8_t *stream, uint64_t len,
		  uint64_t nodes, const struct kataimg_sink *sink);
#endif

#endif
