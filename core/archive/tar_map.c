/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/tar_map.h"

#include <stdlib.h>

#include "lib/array.h"

int tar_map_fail(const struct tar_map *map, const char *why)
{
	return tar_fail(map->tar, map->tar->member.at, map->error, "%s: the archive is damaged",
			why);
}

int tar_map_add(struct tar_map *map, uint64_t off, uint64_t len)
{
	struct tar *tar = map->tar;
	struct tar_member *member = &tar->member;

	if (off < map->end || len > INT64_MAX || off > INT64_MAX - len)
		return tar_map_fail(map, "the map of its holes is not in order");
	map->end = off + len;
	map->bytes += len;
	if (len == 0)
		return 0;
	if (member->range_count == UINT32_MAX ||
	    (member->range_count == tar->range_room &&
	     array_grow(&member->ranges, &tar->range_room, member->range_count, 1,
			sizeof(*member->ranges)) < 0))
		return error_nomem(map->error);
	member->ranges[member->range_count++] = (struct tree_range){ off, len, map->bytes - len };
	return 0;
}

int tar_map_need_ranges(struct tar_map *map)
{
	struct tar_member *member = &map->tar->member;

	if (member->ranges)
		return 0;
	member->ranges = calloc(1, sizeof(*member->ranges));
	map->tar->range_room = member->ranges ? 1 : 0;
	return member->ranges ? 0 : error_nomem(map->error);
}

int tar_map_end(struct tar_map *map, uint64_t size, uint64_t off, uint64_t bytes)
{
	struct tar_member *member = &map->tar->member;

	if (map->end > size)
		return tar_map_fail(map, "the map of its holes ends behind the file");
	if (map->bytes != bytes)
		return tar_map_fail(map, "the map of its holes does not fit its data");
	for (uint32_t i = 0; i < member->range_count; i++)
		member->ranges[i].source_off += off;
	member->size = size;
	member->off = off;
	member->bytes = bytes;
	return tar_map_need_ranges(map);
}

int tar_read_map(struct tar *tar, uint64_t stored, struct error *error)
{
	struct tar_map map = { .tar = tar, .error = error };

	return tar->member.type == 'S' ? tar_map_of_header(&map, stored)
				       : tar_map_of_records(&map, stored);
}
