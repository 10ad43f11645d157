/* SPDX-License-Identifier: Apache-2.0 */
/* Maps in the header and in blocks behind it. */
#include <errno.h>
#include <string.h>

#include "core/archive/tar_map.h"
#include "core/base/cancel.h"
#include "lib/bytes.h"

static int add_fields(struct tar_map *map, const char *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct tar_sparse_field field;
		int64_t off, len;
		int ret;

		memcpy(&field, fields + i * sizeof(field), sizeof(field));
		if (bytes_are_zero(field.len, sizeof(field.len)))
			return 0;
		if (tar_number(field.off, sizeof(field.off), &off) < 0 ||
		    tar_number(field.len, sizeof(field.len), &len) < 0 || off < 0 || len < 0)
			return tar_map_fail(map, TAR_MAP_NO_NUMBER);
		ret = tar_map_add(map, (uint64_t)off, (uint64_t)len);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The blocks of more pairs that follow the header, up to *off. */
static int add_blocks(struct tar_map *map, bool more, uint64_t *off)
{
	while (more) {
		char block[TAR_BLOCK_BYTES];
		int ret = cancel_requested()
				  ? error_set(map->error, ECANCELED, "interrupted")
				  : tar_read(map->tar, *off, block, sizeof(block), map->error);

		if (ret == 0)
			ret = add_fields(map, block, TAR_MAP_BLOCK_COUNT);
		if (ret < 0)
			return ret;
		more = block[TAR_MAP_BLOCK_MORE_AT] != 0;
		*off += sizeof(block);
	}
	return 0;
}

static int realsize_of(struct tar_map *map, const char *field, uint64_t *size)
{
	static const struct pax none;
	const struct pax_record *record = pax_find(&map->tar->own, &none, "SCHILY.realsize");
	int64_t value;
	int ret = record ? pax_number(record, &value)
			 : tar_number(field, sizeof(map->tar->member.header.size), &value);

	if (ret < 0 || value < 0)
		return tar_map_fail(map, "its real size cannot be read");
	*size = (uint64_t)value;
	return 0;
}

static int read_gnu(struct tar_map *map, uint64_t stored)
{
	const char *rest = map->tar->member.header.rest;
	uint64_t off = map->tar->member.at + TAR_BLOCK_BYTES, size = 0;
	int ret = add_fields(map, rest + TAR_GNU_MAP_AT, TAR_GNU_MAP_COUNT);

	if (ret == 0)
		ret = add_blocks(map, rest[TAR_GNU_MORE_AT] != 0, &off);
	if (ret == 0)
		ret = realsize_of(map, rest + TAR_GNU_REALSIZE_AT, &size);
	return ret < 0 ? ret : tar_map_end(map, size, off, stored);
}

/* star's older form has pairs in the header; both count the blocks of pairs as data. */
static int read_star(struct tar_map *map, uint64_t stored)
{
	const char *rest = map->tar->member.header.rest;
	uint64_t first = map->tar->member.at + TAR_BLOCK_BYTES, off = first, size = 0;
	struct tar_sparse_field pair;
	bool older;
	int ret = 0;

	memcpy(&pair, rest + TAR_STAR_MAP_AT, sizeof(pair));
	older = rest[0] == '\0' && pair.off[sizeof(pair.off) - 2] != '\0';
	if (older)
		ret = add_fields(map, rest + TAR_STAR_MAP_AT, TAR_GNU_MAP_COUNT);
	if (ret == 0)
		ret = add_blocks(map, !older || rest[TAR_STAR_MORE_AT] != 0, &off);
	if (ret == 0)
		ret = realsize_of(map, rest + TAR_STAR_REALSIZE_AT, &size);
	if (ret < 0)
		return ret;
	if (stored < off - first)
		return tar_map_fail(map, "the map of its holes is longer than it");
	return tar_map_end(map, size, off, stored - (off - first));
}

int tar_map_of_header(struct tar_map *map, uint64_t stored)
{
	const struct tar_member *member = &map->tar->member;
	/* The last four bytes of a star header. */
	bool star = memcmp(member->header.rest + sizeof(member->header.rest) - 4, "tar", 4) == 0;

	if (member->dialect == TAR_GNU)
		return read_gnu(map, stored);
	if (member->dialect == TAR_STAR || (member->dialect == TAR_USTAR && star))
		return read_star(map, stored);
	return tar_fail(map->tar, member->at, map->error,
			"a sparse file (type S) in a header that is neither GNU tar's nor star's");
}
