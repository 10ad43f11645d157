/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/checked.h"
#include "lib/round.h"
#include "plugins/cpio/members.h"

/* Each byte is looked at once, but for a page that several headers are in. */
#define LOOK_FACTOR 2
#define ZEROS_BYTES 16384u

static bool has_magic(const uint8_t *bytes, const char *magic)
{
	return memcmp(bytes, magic, CPIO_MAGIC_BYTES) == 0;
}

int cpio_scan_begin(struct cpio_scan *scan, const struct kataimg_host *host, uint64_t window_bytes)
{
	uint8_t magic[CPIO_MAGIC_BYTES];
	int ret;

	scan->window =
		(struct window){ .host = host, .bytes = window_bytes, .look_factor = LOOK_FACTOR };
	scan->next = scan->end = 0;
	scan->archive = 0;
	if (window_bytes < CPIO_HEADER_BYTES)
		return -ENODATA;
	ret = host->window_read(host->ctx, 0, magic, sizeof(magic));
	if (ret < 0)
		return ret;
	if (!has_magic(magic, CPIO_MAGIC_NEWC) && !has_magic(magic, CPIO_MAGIC_CRC))
		return -ENODATA;
	return window_open(&scan->window);
}

void cpio_scan_end(struct cpio_scan *scan)
{
	window_close(&scan->window);
}

/* ---- Behind an archive ---- */

/* What a kernel decompresses, by its first bytes: lib/decompress.c. */
static const struct {
	const char *bytes;
	size_t len;
	const char *name, *unpack;
} compressed[] = {
	{ "\x1f\x8b", 2, "gzip", "gzip -dc" },
	{ "\x28\xb5\x2f\xfd", 4, "zstd", "zstd -dc" },
	{ "\xfd"
	  "7zXZ",
	  5, "xz", "xz -dc" },
	{ "\x5d\0\0", 3, "lzma", "xz -dc" },
	{ "BZh", 3, "bzip2", "bzip2 -dc" },
	{ "\x89"
	  "LZO",
	  4, "lzo", "lzop -dc" },
	{ "\x02\x21\x4c\x18", 4, "lz4", "lz4 -dc" },
};

static int refuse_rest(const struct cpio_scan *scan)
{
	uint8_t bytes[CPIO_MAGIC_BYTES] = { 0 };
	const struct window *window = &scan->window;
	const uint64_t rest = window->bytes - scan->next;
	const size_t len = rest < sizeof(bytes) ? (size_t)rest : sizeof(bytes);
	int ret = window->host->window_read(window->host->ctx, scan->next, bytes, len);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++)
		if (memcmp(bytes, compressed[i].bytes, compressed[i].len) == 0)
			return window_decline(window,
					      "behind the archive, at byte %" PRIu64
					      ", comes one that is "
					      "compressed by %s: unpack it (tail -c +%" PRIu64
					      " FILE | %s) and look into the result",
					      scan->next, compressed[i].name, scan->next + 1,
					      compressed[i].unpack);
	return window_refuse(window,
			     "behind the archive, at byte %" PRIu64 ", is something that is no "
			     "archive: the kernel calls it junk",
			     scan->next);
}

/* Passes over zeros: 1 when the byte at scan->next is none, 0 at the end of the window. */
static int skip_zeros(struct cpio_scan *scan)
{
	struct window *window = &scan->window;
	uint8_t bytes[ZEROS_BYTES];

	while (scan->next < window->bytes) {
		const uint64_t rest = window->bytes - scan->next;
		const size_t len = rest < sizeof(bytes) ? (size_t)rest : sizeof(bytes);
		int ret = window->host->cancelled(window->host->ctx)
				  ? -ECANCELED
				  : window->host->window_read(window->host->ctx, scan->next, bytes,
							      len);

		if (ret < 0)
			return ret;
		if (!bytes_are_zero(bytes, len)) {
			for (const uint8_t *at = bytes; *at == 0; at++)
				scan->next++;
			return 1;
		}
		scan->next += len;
	}
	return 0;
}

/* 1: another archive begins at scan->next. */
static int find_archive(struct cpio_scan *scan)
{
	uint8_t magic[CPIO_MAGIC_BYTES] = { 0 };
	int ret = skip_zeros(scan);

	if (ret <= 0)
		return ret;
	if (scan->next % CPIO_ALIGN_BYTES == 0 &&
	    range_within(scan->next, sizeof(magic), scan->window.bytes))
		ret = window_fetch(&scan->window, scan->next, magic, sizeof(magic));
	if (ret < 0)
		return ret;
	if (has_magic(magic, CPIO_MAGIC_NEWC) || has_magic(magic, CPIO_MAGIC_CRC))
		return 1;
	return refuse_rest(scan);
}

/* ---- A member ---- */

static int refuse(const struct cpio_found *found, const struct cpio_scan *scan, const char *why)
{
	return window_refuse(&scan->window, "the member at byte %" PRIu64 " %s", found->at, why);
}

static int read_header(struct cpio_scan *scan, struct cpio_found *found)
{
	uint8_t text[CPIO_HEADER_BYTES];
	int ret;

	found->at = scan->next;
	if (!range_within(scan->next, sizeof(text), scan->window.bytes))
		return window_refuse(&scan->window,
				     "the archive ends without its trailer: it is cut off");
	ret = window_look(&scan->window, sizeof(text));
	if (ret == 0)
		ret = window_fetch(&scan->window, scan->next, text, sizeof(text));
	if (ret < 0)
		return ret;
	found->has_sum = has_magic(text, CPIO_MAGIC_CRC);
	if ((!found->has_sum && !has_magic(text, CPIO_MAGIC_NEWC)) ||
	    !cpio_header_decode(text, &found->header))
		return refuse(found, scan, "has a header that is none");
	return 0;
}

/* The name may be followed by more NULs than one: so data is brought to a block's start. */
static int read_path(struct cpio_scan *scan, const struct cpio_found *found)
{
	const uint32_t bytes = found->header.field[CPIO_NAME_BYTES];
	int ret;

	if (bytes < 2 || bytes > CPIO_PATH_BYTES)
		return refuse(
			found, scan,
			"has a path of a length that the kernel passes over: 1 to 4095 bytes");
	ret = window_look(&scan->window, bytes);
	if (ret == 0)
		ret = window_fetch(&scan->window, found->at + CPIO_HEADER_BYTES, scan->path, bytes);
	if (ret == 0 && (scan->path[0] == '\0' || scan->path[bytes - 1] != '\0'))
		ret = refuse(found, scan, "has a path that does not end with a NUL");
	return ret;
}

static int read_member(struct cpio_scan *scan, struct cpio_found *found)
{
	int ret = read_header(scan, found);

	if (ret == 0)
		ret = read_path(scan, found);
	if (ret < 0)
		return ret;
	found->data_off = cpio_data_off(found->at, found->header.field[CPIO_NAME_BYTES]);
	if (!range_within(found->data_off, found->header.field[CPIO_SIZE], scan->window.bytes))
		return refuse(found, scan, "has data that ends behind the archive: it is cut off");
	scan->next = round_up(found->data_off + found->header.field[CPIO_SIZE], CPIO_ALIGN_BYTES);
	return 0;
}

int cpio_scan_next(struct cpio_scan *scan, struct cpio_found *found)
{
	int ret;

	for (;;) {
		ret = read_member(scan, found);
		if (ret < 0)
			return ret;
		if (strcmp(scan->path, CPIO_TRAILER) != 0)
			return 1;
		scan->archive++;
		scan->end = round_up(scan->next, CPIO_BLOCK_BYTES);
		if (scan->end > scan->window.bytes)
			scan->end = scan->window.bytes;
		ret = find_archive(scan);
		if (ret <= 0)
			return ret;
	}
}
