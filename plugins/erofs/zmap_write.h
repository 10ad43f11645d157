/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EROFS_ZMAP_WRITE_H
#define EROFS_ZMAP_WRITE_H

#include "plugins/erofs/stream.h"

/* Writes the header and index of a compressed inode, from its extents. */
int erofs_zmap_put(const struct erofs_layout *layout, struct erofs_stream *stream,
		   const struct erofs_inode *inode);

#endif
