/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/tree/tree.h"

/* From the end of the buffer towards its start: what does not fit is cut at the front of the path.
 */
const char *tree_path(const struct kataimg_node *node, char *buf, size_t size)
{
	size_t at = size;

	if (size == 0)
		return buf;
	buf[--at] = '\0';
	while (node->parent != node && at > 0) {
		size_t len = node->name_len < at ? node->name_len : at;

		at -= len;
		memcpy(buf + at, node->name + node->name_len - len, len);
		node = node->parent;
		if (node->parent != node && at > 0)
			buf[--at] = '/';
	}
	if (buf[at] == '\0' && at > 0)
		buf[--at] = '.';
	memmove(buf, buf + at, size - at);
	return buf;
}
