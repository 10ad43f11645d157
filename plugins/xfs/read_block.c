/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "lib/checked.h"
#include "plugins/xfs/read.h"
#include "plugins/xfs/seal.h"

#define PLACE_UNIT 512u

int xfs_reader_load(struct xfs_reader *reader, uint64_t off, void *buf, size_t len)
{
	int ret = window_look(&reader->window, len);

	return ret < 0 ? ret
		       : reader->window.host->window_read(reader->window.host->ctx, off, buf, len);
}

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
	return window_refuse(&reader->window,
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
	return window_refuse(&reader->window,
			     "the %s at byte %" PRIu64 ", of inode %" PRIu64 ", %s", kind->what,
			     off, owner, fault);
}
