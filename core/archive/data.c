/* SPDX-License-Identifier: Apache-2.0 */
/* Where the data of a member is: behind its header, without the holes of its map. */
#include <stdlib.h>

#include "core/archive/unpack.h"

static int set_segments(struct unpack *unpack, struct tree_node *node, struct error *error)
{
	struct kataimg_segment *segments = calloc(node->range_count + 1, sizeof(*segments));
	int ret = segments ? 0 : -1;

	for (uint32_t i = 0; ret == 0 && i < node->range_count; i++)
		segments[i] =
			(struct kataimg_segment){ node->ranges[i].file_off, node->ranges[i].len };
	if (ret == 0)
		ret = tree_set_segments(unpack->tree, node, segments, node->range_count);
	free(segments);
	return ret < 0 ? error_nomem(error) : 0;
}

static void copy_ranges(const struct unpack *unpack, struct tree_node *node)
{
	const struct archive_member *member = &unpack->member;

	if (!member->ranges) {
		node->range_count = member->size > 0;
		node->ranges[0] =
			(struct tree_range){ 0, member->size, unpack->input->off + member->off };
		return;
	}
	node->range_count = member->range_count;
	for (uint32_t i = 0; i < member->range_count; i++) {
		node->ranges[i] = member->ranges[i];
		node->ranges[i].source_off += unpack->input->off;
	}
}

int unpack_data(struct unpack *unpack, struct tree_node *node, struct error *error)
{
	const struct archive_member *member = &unpack->member;
	uint32_t room = member->range_count ? member->range_count : 1;

	node->ranges = arena_array(&unpack->tree->arena, room, sizeof(*node->ranges));
	if (!node->ranges)
		return error_nomem(error);
	node->pub.size = member->size;
	node->source = unpack->source;
	copy_ranges(unpack, node);
	return set_segments(unpack, node, error);
}
