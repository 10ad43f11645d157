/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the log ends, and whether what a clean unmount leaves is the last thing in it. The newest
 * block is the last one of the cycle that the first block has; what follows it is of the cycle
 * before, or was never written.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/round.h"
#include "plugins/xfs/format_log.h"
#include "plugins/xfs/read.h"

struct log {
	struct xfs_reader *reader;
	uint64_t off;    /* in the window */
	uint64_t blocks; /* of XFS_LOG_BLOCK_BYTES */
};

static int fetch(const struct log *log, uint64_t block, void *buf, size_t len)
{
	return window_fetch(&log->reader->window,
			    log->off + block % log->blocks * XFS_LOG_BLOCK_BYTES, buf, len);
}

static int fetch_cycle(const struct log *log, uint64_t block, uint32_t *cycle)
{
	be32 words[2];
	int ret = fetch(log, block, words, sizeof(words));

	*cycle = 0;
	if (ret < 0)
		return ret;
	*cycle = from_be32(from_be32(words[0]) == XFS_LOG_MAGIC ? words[1] : words[0]);
	return 0;
}

/* The first block that is not of the first one's cycle; log->blocks when all are. */
static int find_head(const struct log *log, uint32_t first, uint64_t *head)
{
	uint64_t low = 0, high = log->blocks; /* low has the first cycle, high has not */

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;
		uint32_t cycle;
		int ret = fetch_cycle(log, middle, &cycle);

		if (ret < 0)
			return ret;
		if (cycle == first)
			low = middle;
		else
			high = middle;
	}
	*head = high;
	return 0;
}

static bool is_record(const struct log *log, const struct xfs_log_record *record)
{
	return from_be32(record->magic) == XFS_LOG_MAGIC &&
	       from_be32(record->version) == XFS_LOG_VERSION &&
	       memcmp(record->uuid, log->reader->super.uuid, sizeof(record->uuid)) == 0;
}

/* The record that begins nearest before the head: *distance is 0 when there is none. */
static int find_record(const struct log *log, uint64_t head, struct xfs_log_record *record,
		       uint64_t *distance)
{
	uint64_t most = XFS_LOG_RECORD_BYTES_MAX / XFS_LOG_BLOCK_BYTES +
			XFS_LOG_RECORD_BYTES_MAX / XFS_LOG_HEADER_SPAN;

	*distance = 0;
	for (uint64_t back = 1; back <= most && back <= log->blocks; back++) {
		int ret = fetch(log, head + log->blocks - back, record, sizeof(*record));

		if (ret < 0)
			return ret;
		if (!is_record(log, record))
			continue;
		*distance = back;
		return 0;
	}
	return 0;
}

static uint64_t header_blocks(const struct xfs_log_record *record)
{
	uint32_t size = from_be32(record->size);

	return size > XFS_LOG_HEADER_SPAN ? div_up(size, XFS_LOG_HEADER_SPAN) : 1;
}

static int ends_with_unmount(const struct log *log, uint64_t head, bool *clean)
{
	struct xfs_log_record record;
	struct xfs_log_unmount unmount;
	uint64_t distance, headers;
	int ret = find_record(log, head, &record, &distance);

	*clean = false;
	if (ret < 0 || !distance || from_be32(record.num_ops) != 1)
		return ret;
	headers = header_blocks(&record);
	if (headers >= distance ||
	    headers + div_up(from_be32(record.length), XFS_LOG_BLOCK_BYTES) != distance)
		return 0;
	ret = fetch(log, head + log->blocks - distance + headers, &unmount, sizeof(unmount));
	*clean = ret == 0 && unmount.flags & XFS_LOG_UNMOUNT;
	return ret;
}

static int open_log(struct xfs_reader *reader, struct log *log)
{
	uint64_t agno = from_be64(reader->super.logstart) >> reader->super.agblklog;
	uint64_t agbno =
		from_be64(reader->super.logstart) & ((UINT64_C(1) << reader->super.agblklog) - 1);
	uint64_t blocks = from_be32(reader->super.logblocks);
	uint64_t start;

	if (agno >= from_be32(reader->super.agcount) || agbno >= reader->agblocks || blocks == 0 ||
	    blocks > reader->agblocks - agbno)
		return window_refuse(&reader->window, "its log is outside the filesystem");
	start = agno * reader->agblocks + agbno;
	if (start + blocks > reader->dblocks)
		return window_refuse(&reader->window, "its log is outside the filesystem");
	log->off = start << reader->block_bits;
	log->blocks = (blocks << reader->block_bits) / XFS_LOG_BLOCK_BYTES;
	return 0;
}

int xfs_reader_check_log(struct xfs_reader *reader)
{
	struct log log = { .reader = reader };
	uint64_t head;
	uint32_t first;
	bool clean;
	int ret = open_log(reader, &log);

	if (ret < 0)
		return ret;
	ret = fetch_cycle(&log, 0, &first);
	if (ret < 0)
		return ret;
	if (first == 0)
		return 0; /* never written, or emptied by xfs_repair -L */
	ret = find_head(&log, first, &head);
	if (ret < 0)
		return ret;
	ret = ends_with_unmount(&log, head, &clean);
	if (ret < 0 || clean)
		return ret;
	return window_decline(&reader->window,
			      "its log must be replayed: mount it once, or xfs_repair "
			      "it");
}
