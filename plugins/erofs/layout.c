/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/layout.h"

#include <stdlib.h>

#include "plugins/erofs/compress.h"

void erofs_layout_clear(struct erofs_layout *layout)
{
	free(layout->order);
	erofs_segments_free(layout->segments);
	erofs_pack_free(layout->pack);
	array_free(&layout->chunk_runs);
	free(layout->inodes);
	erofs_xattrs_free(layout->xattrs);
	*layout = (struct erofs_layout){ 0 };
}
