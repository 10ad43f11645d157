/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/layout.h"

#include <stdlib.h>

void erofs_layout_clear(struct erofs_layout *layout)
{
	free(layout->order);
	erofs_segments_free(layout->segments);
	array_free(&layout->chunk_runs);
	free(layout->inodes);
	erofs_xattrs_free(layout->xattrs);
	*layout = (struct erofs_layout){ 0 };
}
