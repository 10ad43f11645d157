/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/checked.h"
#include "plugins/xfs/read.h"
#include "plugins/xfs/seal.h"

/*
 * Blocks of metadata of a sound image do not overlap, so that together they are no more than the
 * window. A block names its inode, and an inode's blocks are read once, so that a forged image
 * hardly gets farther; this holds it to that, whatever way it finds.
 */
#define LOOK_FACTOR 4
#define LOOK_BASE_BYTES (UINT64_C(16) << 20)
#define PLACE_UNIT 512u

static void say(const struct xfs_reader *reader, const char *fmt, va_list args)
{
	char message[512];

	vsnprintf(message, sizeof(message), fmt, args);
	reader->host->error(reader->host->ctx, "%s", message);
}

int xfs_reader_refuse(const struct xfs_reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(reader, fmt, args);
	va_end(args);
	return -EUCLEAN;
}

int xfs_reader_decline(const struct xfs_reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(reader, fmt, args);
	va_end(args);
	return -EOPNOTSUPP;
}

/* ---- Bytes ---- */

static int look(struct xfs_reader *reader, uint64_t bytes)
{
	uint64_t limit = LOOK_BASE_BYTES, sum;

	if (checked_mul(reader->window_bytes, LOOK_FACTOR, &sum) < 0 ||
	    checked_add(limit, sum, &limit) < 0)
		limit = UINT64_MAX;
	if (checked_add(reader->looked_bytes, bytes, &sum) < 0 || sum > limit)
		return xfs_reader_refuse(reader, "its metadata claims more than %" PRIu64 " bytes",
					 limit);
	reader->looked_bytes = sum;
	return reader->host->cancelled(reader->host->ctx) ? -ECANCELED : 0;
}

static int load_page(struct xfs_reader *reader, uint64_t off, struct xfs_page *page)
{
	const struct kataimg_host *host = reader->host;
	uint64_t rest = reader->window_bytes - off;
	uint32_t len = rest < XFS_PAGE_BYTES ? (uint32_t)rest : XFS_PAGE_BYTES;
	int ret;

	page->len = 0;
	ret = host->window_read(host->ctx, off, page->bytes, len);
	if (ret < 0)
		return ret;
	page->off = off;
	page->len = len;
	return 0;
}

int xfs_reader_fetch(struct xfs_reader *reader, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (!range_within(off, len, reader->window_bytes))
		return xfs_reader_refuse(reader,
					 "its metadata is outside the window: %zu bytes at byte "
					 "%" PRIu64,
					 len, off);
	while (len > 0) {
		uint32_t skip = (uint32_t)(off % XFS_PAGE_BYTES);
		struct xfs_page *page = &reader->pages[off / XFS_PAGE_BYTES % XFS_PAGES];
		size_t part = len < XFS_PAGE_BYTES - skip ? len : XFS_PAGE_BYTES - skip;

		if (!page->len || page->off != off - skip) {
			int ret = load_page(reader, off - skip, page);

			if (ret < 0)
				return ret;
		}
		memcpy(bytes, page->bytes + skip, part);
		bytes += part;
		off += part;
		len -= part;
	}
	return 0;
}

int xfs_reader_load(struct xfs_reader *reader, uint64_t off, void *buf, size_t len)
{
	int ret = look(reader, len);

	return ret < 0 ? ret : reader->host->window_read(reader->host->ctx, off, buf, len);
}

/* ---- Blocks ---- */

int xfs_reader_place(const struct xfs_reader *reader, uint64_t fsbno, uint64_t blocks,
		     uint64_t whose, uint64_t *off)
{
	uint64_t agno = fsbno >> reader->super.agblklog;
	uint64_t agbno = fsbno & ((UINT64_C(1) << reader->super.agblklog) - 1);
	uint64_t start;

	/* No product overflows: agno is below 2^32 and so are an AG's blocks. */
	if (agno < from_be32(reader->super.agcount) &&
	    range_within(agbno, blocks, reader->agblocks)) {
		start = agno * reader->agblocks + agbno;
		if (range_within(start, blocks, reader->dblocks)) {
			*off = start << reader->block_bits;
			return 0;
		}
	}
	return xfs_reader_refuse(reader,
				 "inode %" PRIu64 " has blocks outside the filesystem: %" PRIu64
				 " from %" PRIu64 " on",
				 whose, blocks, fsbno);
}

static uint64_t take_be(const uint8_t *bytes, uint8_t count)
{
	uint64_t value = 0;

	for (uint8_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

bool xfs_block_is(const uint8_t *bytes, const struct xfs_block_kind *kind)
{
	return take_be(bytes + kind->magic_off, kind->magic_bytes) == kind->magic;
}

static const char *find_fault(const struct xfs_reader *reader, uint8_t *bytes, size_t len,
			      uint64_t off, const struct xfs_block_kind *kind, uint64_t owner)
{
	if (!xfs_block_is(bytes, kind))
		return "is none";
	if (!xfs_seal_matches(bytes, len, kind->crc_off))
		return "has a wrong checksum";
	if (memcmp(bytes + kind->uuid_off, reader->uuid, sizeof(reader->uuid)) != 0)
		return "is another filesystem's";
	if (take_be(bytes + kind->blkno_off, sizeof(be64)) != off / PLACE_UNIT)
		return "belongs elsewhere";
	if (take_be(bytes + kind->owner_off, sizeof(be64)) != owner)
		return "is another inode's";
	return NULL;
}

int xfs_reader_check_block(const struct xfs_reader *reader, uint8_t *bytes, size_t len,
			   uint64_t off, const struct xfs_block_kind *kind, uint64_t owner)
{
	const char *fault = find_fault(reader, bytes, len, off, kind, owner);

	if (!fault)
		return 0;
	return xfs_reader_refuse(reader, "the %s at byte %" PRIu64 ", of inode %" PRIu64 ", %s",
				 kind->what, off, owner, fault);
}
