/* SPDX-License-Identifier: Apache-2.0 */
/* Where the data of a member is: behind its header, without the holes of its map. */
#include <stdlib.h>
#include <string.h>

#include "core/archive/unpack.h"

/* tar pads a member's data to a multiple of this, cpio to less. */
#define BLOCK_BYTES 512

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

/* Ranges one after the other in the source; returns how many bytes they have. */
static uint64_t map_ranges(struct archive_entry *entry, uint64_t source_off,
			   struct tree_range *ranges, uint32_t *count)
{
	la_int64_t off, len;
	uint64_t bytes = 0;

	*count = 0;
	while (archive_entry_sparse_next(entry, &off, &len) == ARCHIVE_OK) {
		if (len == 0)
			continue;
		ranges[(*count)++] =
			(struct tree_range){ (uint64_t)off, (uint64_t)len, source_off + bytes };
		bytes += (uint64_t)len;
	}
	return bytes;
}

static int remember(struct unpack *unpack, const char *path, uint64_t off, uint64_t bytes,
		    struct error *error)
{
	free(unpack->member.path);
	unpack->member = (struct unpack_member){ strdup(path), off, bytes };
	return unpack->member.path ? 0 : error_nomem(error);
}

int unpack_data(struct unpack *unpack, struct archive_entry *entry, const char *path,
		struct tree_node *node, struct error *error)
{
	uint64_t off = (uint64_t)archive_filter_bytes(unpack->archive, 0);
	uint64_t size = (uint64_t)archive_entry_size(entry), bytes = size;
	uint32_t holes_known = (uint32_t)archive_entry_sparse_reset(entry);
	uint32_t room = holes_known ? holes_known : 1;
	struct tree_range *ranges = arena_array(&unpack->tree->arena, room, sizeof(*ranges));

	if (!ranges)
		return error_nomem(error);
	node->pub.size = size;
	node->source = unpack->source;
	node->ranges = ranges;
	node->range_count = size > 0;
	ranges[0] = (struct tree_range){ 0, size, unpack->input->off + off };
	if (holes_known)
		bytes = map_ranges(entry, unpack->input->off + off, ranges, &node->range_count);
	if (archive_entry_size(entry) < 0 || off > unpack->input->bytes ||
	    bytes > unpack->input->bytes - off)
		return unpack_fail(unpack, path, error,
				   "the archive ends before the file's data: it is cut off or "
				   "damaged");
	if (set_segments(unpack, node, error) < 0)
		return -error->code;
	return remember(unpack, path, off, bytes, error);
}

int unpack_settle(struct unpack *unpack, struct error *error)
{
	struct unpack_member *member = &unpack->member;
	uint64_t next = (uint64_t)archive_read_header_position(unpack->archive);
	int ret = 0;

	if (!member->path)
		return 0;
	if (next < member->off + member->bytes ||
	    next - (member->off + member->bytes) >= BLOCK_BYTES)
		ret = unpack_fail(unpack, member->path, error,
				  "the map of its holes does not fit its data: the archive is "
				  "damaged");
	free(steal_ptr(&member->path));
	return ret;
}
