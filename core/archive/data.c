/* SPDX-License-Identifier: Apache-2.0 */
/* Finds where the data of a member lies: behind its header, without the holes of its map. */
#include "core/archive/unpack.h"

int unpack_data(struct unpack *unpack, struct tree_node *node, struct error *error)
{
	const struct archive_member *member = &unpack->member;
	const struct tree_range all = { 0, member->size, member->off };
	const struct tree_range *ranges = member->ranges ? member->ranges : &all;
	uint32_t count = member->ranges ? member->range_count : member->size > 0;
	int ret = tree_set_ranges(unpack->tree, node, unpack->source, member->size, ranges, count,
				  unpack->input->off);

	return ret < 0 ? error_nomem(error) : 0;
}
