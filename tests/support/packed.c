/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/packed.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKED_BYTES ((size_t)8 << 20)

unsigned int packed_threads = 1;

ssize_t packed_read(void *arg, void *buf, size_t room)
{
	struct pieces *pieces = arg;
	size_t len = pieces->text->len - pieces->at;

	pieces->is_due = !pieces->is_due;
	if (pieces->is_late && pieces->is_due)
		return -EAGAIN;
	if (len == 0 && pieces->error)
		return -pieces->error;
	if (len > pieces->piece)
		len = pieces->piece;
	if (len > room)
		len = room;
	memcpy(buf, pieces->text->bytes + pieces->at, len);
	pieces->at += len;
	return (ssize_t)len;
}

struct text packed_content(size_t len)
{
	struct text text = { malloc(len), len };
	uint32_t random = 7;

	assert_non_null(text.bytes);
	for (size_t i = 0; i < len; i++) {
		random = random * 1664525 + 1013904223;
		text.bytes[i] = (uint8_t)(i < len / 2 ? random >> 28 : random >> 24);
	}
	return text;
}

struct text packed_make(const char *filter, const struct text *content)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	struct text text = { malloc(PACKED_BYTES), 0 };

	assert_non_null(text.bytes);
	assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	archive_write_set_bytes_per_block(archive, 0);
	assert_int_equal(archive_write_open_memory(archive, text.bytes, PACKED_BYTES, &text.len),
			 ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, content->bytes, content->len), content->len);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_entry_free(entry);
	archive_write_free(archive);
	return text;
}

void packed_append(struct text *text, const void *bytes, size_t len)
{
	uint8_t *longer = malloc(text->len + len + 1);

	assert_non_null(longer);
	memcpy(longer, text->bytes, text->len);
	memcpy(longer + text->len, bytes, len);
	free(text->bytes);
	text->bytes = longer;
	text->len += len;
}

int packed_unpack(const struct text *packed, size_t piece, size_t room, struct text *into,
		  struct decompress_failure *failure)
{
	struct pieces pieces = { .text = packed, .piece = piece, .is_late = piece % 2 == 1 };
	struct decompress *decompress =
		decompress_new(&(struct decompress_source){ packed_read, &pieces }, packed_threads);
	uint8_t *buf = malloc(room);
	size_t len = 1;
	int ret = 0;

	assert_non_null(decompress);
	*into = (struct text){ malloc(1), 0 };
	while (ret == -EAGAIN || (ret == 0 && len > 0)) {
		ret = decompress_read(decompress, buf, room, &len, failure);
		if (ret == 0)
			packed_append(into, buf, len);
	}
	if (ret == 0 && !decompress_has_rest(decompress))
		assert_int_equal(decompress_taken(decompress), packed->len);
	if (ret == 0 && decompress_has_rest(decompress))
		ret = 1;
	free(buf);
	decompress_free(decompress);
	return ret;
}

void packed_check(const struct text *packed, size_t piece, size_t room, const struct text *want,
		  int result)
{
	struct decompress_failure failure = { 0 };
	struct text got;

	assert_int_equal(packed_unpack(packed, piece, room, &got, &failure), result);
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.bytes, want->bytes, want->len);
	free(got.bytes);
}
