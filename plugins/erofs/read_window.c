/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/checked.h"
#include "plugins/erofs/read.h"

/*
 * Inodes, indexes and directories of a sound image do not overlap, so that together they are no
 * more than the window; compressed directories are larger than what they take. In a forged image a
 * million inodes can share one index, and each would be read.
 */
#define LOOK_FACTOR 4
#define LOOK_BASE_BYTES (UINT64_C(16) << 20)

static void say(const struct erofs_reader *reader, const char *fmt, va_list args)
{
	char message[512];

	vsnprintf(message, sizeof(message), fmt, args);
	reader->host->error(reader->host->ctx, "%s", message);
}

int erofs_reader_refuse(const struct erofs_reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(reader, fmt, args);
	va_end(args);
	return -EUCLEAN;
}

int erofs_reader_decline(const struct erofs_reader *reader, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(reader, fmt, args);
	va_end(args);
	return -EOPNOTSUPP;
}

int erofs_reader_look(struct erofs_reader *reader, uint64_t bytes)
{
	uint64_t limit = LOOK_BASE_BYTES, sum;

	if (checked_mul(reader->window_bytes, LOOK_FACTOR, &sum) < 0 ||
	    checked_add(limit, sum, &limit) < 0)
		limit = UINT64_MAX;
	if (checked_add(reader->looked_bytes, bytes, &sum) == 0 && sum <= limit) {
		reader->looked_bytes = sum;
		return reader->host->cancelled(reader->host->ctx) ? -ECANCELED : 0;
	}
	return erofs_reader_refuse(reader, "its metadata claims more than %" PRIu64 " bytes",
				   limit);
}

static int load_page(struct erofs_reader *reader, uint64_t off, struct erofs_page *page)
{
	const struct kataimg_host *host = reader->host;
	uint64_t rest = reader->window_bytes - off;
	uint32_t len = rest < EROFS_PAGE_BYTES ? (uint32_t)rest : EROFS_PAGE_BYTES;
	int ret;

	page->len = 0;
	ret = host->window_read(host->ctx, off, page->bytes, len);
	if (ret < 0)
		return ret;
	page->off = off;
	page->len = len;
	return 0;
}

int erofs_reader_fetch(struct erofs_reader *reader, uint64_t off, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	if (!range_within(off, len, reader->window_bytes))
		return erofs_reader_refuse(reader,
					   "its metadata is outside the filesystem: %zu bytes at "
					   "byte %" PRIu64,
					   len, off);
	while (len > 0) {
		uint32_t skip = (uint32_t)(off % EROFS_PAGE_BYTES);
		struct erofs_page *page = &reader->pages[off / EROFS_PAGE_BYTES % EROFS_PAGES];
		size_t part = len < EROFS_PAGE_BYTES - skip ? len : EROFS_PAGE_BYTES - skip;
		int ret = page->len && page->off == off - skip
				  ? 0
				  : load_page(reader, off - skip, page);

		if (ret < 0)
			return ret;
		memcpy(bytes, page->bytes + skip, part);
		bytes += part;
		off += part;
		len -= part;
	}
	return 0;
}
