/* SPDX-License-Identifier: Apache-2.0 */
/* Maps in a pax header, and in front of the data. */
#include <errno.h>
#include <string.h>

#include "core/archive/tar_map.h"
#include "core/base/cancel.h"
#include "lib/bytes.h"
#include "lib/checked.h"

static const struct pax_record *find(const struct tar_map *map, const char *key)
{
	static const struct pax none;

	return pax_find(&map->tar->own, &none, key);
}

/* A decimal number at *at that ends with one of the characters, which is passed over, or at the
 * text's end. */
static int take_number(struct tar_map *map, const char **at, const char *ends, uint64_t *value)
{
	const char *start = *at;

	for (*value = 0; **at >= '0' && **at <= '9'; (*at)++)
		if (checked_mul(*value, 10, value) < 0 ||
		    checked_add(*value, (uint64_t)(**at - '0'), value) < 0)
			return tar_map_fail(map, TAR_MAP_NO_NUMBER);
	if (*at == start || (**at != '\0' && !strchr(ends, **at)))
		return tar_map_fail(map, TAR_MAP_NO_NUMBER);
	*at += **at != '\0';
	return 0;
}

static int record_number(struct tar_map *map, const struct pax_record *record, uint64_t *value)
{
	const char *at = record->value;

	return take_number(map, &at, "", value);
}

/* 0.1: "OFF,LEN,OFF,LEN" in one record. */
static int add_list(struct tar_map *map, const char *at)
{
	while (*at) {
		uint64_t off, len;
		int ret = take_number(map, &at, ",", &off);

		if (ret == 0)
			ret = take_number(map, &at, ",", &len);
		if (ret == 0)
			ret = tar_map_add(map, off, len);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* 0.0: an offset and a length in a record each. */
static int add_records(struct tar_map *map)
{
	const struct pax *own = &map->tar->own;
	bool has_off = false;
	uint64_t off = 0, len = 0;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < own->count; i++) {
		const struct pax_record *record = &own->records[i];

		if (strcmp(record->key, "GNU.sparse.offset") == 0) {
			ret = has_off ? tar_map_fail(map, TAR_MAP_NO_NUMBER)
				      : record_number(map, record, &off);
			has_off = true;
		} else if (strcmp(record->key, "GNU.sparse.numbytes") == 0) {
			ret = has_off ? record_number(map, record, &len)
				      : tar_map_fail(map, TAR_MAP_NO_NUMBER);
			if (ret == 0)
				ret = tar_map_add(map, off, len);
			has_off = false;
		}
	}
	return ret == 0 && has_off ? tar_map_fail(map, TAR_MAP_NO_NUMBER) : ret;
}

static int check_count(struct tar_map *map, uint64_t pairs)
{
	const struct pax_record *record = find(map, "GNU.sparse.numblocks");
	uint64_t count;
	int ret = record ? record_number(map, record, &count) : 0;

	if (ret == 0 && record && count < pairs)
		ret = tar_map_fail(map, "the map of its holes has more parts than it says");
	return ret;
}

static int read_records(struct tar_map *map, uint64_t stored)
{
	const struct pax_record *list = find(map, "GNU.sparse.map");
	const struct pax_record *said = find(map, "GNU.sparse.size");
	uint64_t size = 0;
	int ret = said ? record_number(map, said, &size)
		       : tar_map_fail(map, "its real size is missing");

	if (ret == 0)
		ret = list ? add_list(map, list->value) : add_records(map);
	if (ret == 0)
		ret = check_count(map, map->tar->member.range_count);
	return ret < 0 ? ret : tar_map_end(map, size, map->tar->member.off, stored);
}

/* A line with a number from the data in front, whose end is at most at end. */
static int take_line(struct tar_map *map, uint64_t *at, uint64_t end, uint64_t *value)
{
	char digits[24] = "", c = 0;
	const char *text = digits;
	size_t len = 0;

	while (c != '\n') {
		int ret = *at < end && len < sizeof(digits) - 1
				  ? tar_read(map->tar, *at, &c, 1, map->error)
				  : tar_map_fail(map, TAR_MAP_NO_NUMBER);

		if (ret < 0)
			return ret;
		(*at)++;
		digits[len++] = c;
	}
	digits[len - 1] = '\0';
	return take_number(map, &text, "", value);
}

/* 1.0: decimal numbers, one a line, in front of the data. */
static int read_front(struct tar_map *map, uint64_t stored)
{
	const struct pax_record *said = find(map, "GNU.sparse.realsize");
	uint64_t at = map->tar->member.off, end = at + stored, size = 0, count, used;
	int ret = said ? record_number(map, said, &size)
		       : tar_map_fail(map, "its real size is missing");

	if (ret == 0)
		ret = take_line(map, &at, end, &count);
	for (uint64_t i = 0; ret == 0 && i < count; i++) {
		uint64_t off, len;

		ret = cancel_requested() ? error_set(map->error, ECANCELED, "interrupted")
					 : take_line(map, &at, end, &off);
		if (ret == 0)
			ret = take_line(map, &at, end, &len);
		if (ret == 0)
			ret = tar_map_add(map, off, len);
	}
	if (ret < 0)
		return ret;
	if (checked_round_up(at - map->tar->member.off, TAR_BLOCK_BYTES, &used) < 0 ||
	    used > stored)
		return tar_map_fail(map, "the map of its holes is cut off");
	return tar_map_end(map, size, map->tar->member.off + used, stored - used);
}

/* ---- Solaris ---- */

static int check_zeros(struct tar_map *map, uint64_t from, uint64_t to)
{
	char bytes[4096];

	while (from < to) {
		size_t len = to - from < sizeof(bytes) ? (size_t)(to - from) : sizeof(bytes);
		int ret = cancel_requested() ? error_set(map->error, ECANCELED, "interrupted")
					     : tar_read(map->tar, from, bytes, len, map->error);

		if (ret < 0)
			return ret;
		if (!bytes_are_zero(bytes, len))
			return tar_map_fail(map, "it has data where its map says holes");
		from += len;
	}
	return 0;
}

/* The member has the holes' zeros as well: each range lies where it is in the file. */
static int place_in_full(struct tar_map *map, uint64_t size)
{
	struct tar_member *member = &map->tar->member;
	int ret = tar_map_need_ranges(map);
	uint64_t at = 0;

	for (uint32_t i = 0; ret == 0 && i < member->range_count; i++) {
		struct tree_range *range = &member->ranges[i];

		ret = check_zeros(map, member->off + at, member->off + range->file_off);
		range->source_off = member->off + range->file_off;
		at = range->file_off + range->len;
	}
	if (ret == 0)
		ret = check_zeros(map, member->off + at, member->off + size);
	member->size = size;
	member->bytes = size;
	return ret;
}

/* Offsets where data and holes begin in turn, data first; the last one is the file's end. */
static int read_solaris(struct tar_map *map, const char *at, uint64_t stored)
{
	uint64_t data = 0, edge = 0;
	bool in_data = false;
	int ret = 0;

	at += strspn(at, " ");
	while (ret == 0 && *at) {
		ret = take_number(map, &at, " ", &edge);
		at += strspn(at, " ");
		if (ret == 0 && edge < data)
			ret = tar_map_fail(map, "the map of its holes is not in order");
		if (ret == 0 && in_data)
			ret = tar_map_add(map, data, edge - data);
		data = edge;
		in_data = !in_data;
	}
	if (ret < 0)
		return ret;
	if (edge != stored)
		return tar_map_end(map, edge, map->tar->member.off, stored);
	return place_in_full(map, edge);
}

/* ---- Which one ---- */

static bool is_text(const struct pax_record *record, const char *text)
{
	return record && strcmp(record->value, text) == 0;
}

static int read_versioned(struct tar_map *map, const struct pax_record *major, uint64_t stored)
{
	const struct pax_record *minor = find(map, "GNU.sparse.minor");

	if (is_text(major, "1") && is_text(minor, "0"))
		return read_front(map, stored);
	if (is_text(major, "0"))
		return read_records(map, stored);
	return tar_fail(map->tar, map->tar->member.at, map->error,
			"a sparse file of GNU's format %s.%s is not known here", major->value,
			minor ? minor->value : "?");
}

static int check_realsize(struct tar_map *map, const struct pax_record *said, uint64_t stored)
{
	uint64_t size;
	int ret = record_number(map, said, &size);

	if (ret == 0 && size != stored)
		ret = tar_map_fail(
			map, "its real size (SCHILY.realsize) is not that of its data, and it "
			     "has no map of holes");
	return ret;
}

int tar_map_of_records(struct tar_map *map, uint64_t stored)
{
	const struct pax_record *major = find(map, "GNU.sparse.major");
	const struct pax_record *solaris = find(map, "SUN.holesdata");
	const struct pax_record *realsize = find(map, "SCHILY.realsize");

	if (major)
		return read_versioned(map, major, stored);
	if (find(map, "GNU.sparse.map") || find(map, "GNU.sparse.offset") ||
	    find(map, "GNU.sparse.size"))
		return read_records(map, stored);
	if (solaris)
		return read_solaris(map, solaris->value, stored);
	return realsize ? check_realsize(map, realsize, stored) : 0;
}
