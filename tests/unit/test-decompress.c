/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams, cut, damaged and within each other: libarchive compresses them. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "core/decompress/ahead.h"
#include "core/decompress/codec.h"

#define CONTENT_BYTES ((size_t)512 << 10)
#define PACKED_BYTES ((size_t)8 << 20)

/* Of each decompression. */
static unsigned int threads = 1;

static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd" };
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

struct text {
	uint8_t *bytes; /* owned */
	size_t len;
};

/* Gives a text in pieces, now and then nothing at first. */
struct pieces {
	const struct text *text;
	size_t at, piece;
	bool is_late, is_due;
	int error; /* at its end */
};

static ssize_t read_piece(void *arg, void *buf, size_t room)
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

static struct text make_content(size_t len)
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

static struct text pack(const char *filter, const struct text *content)
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

static void append(struct text *text, const void *bytes, size_t len)
{
	uint8_t *longer = malloc(text->len + len + 1);

	assert_non_null(longer);
	memcpy(longer, text->bytes, text->len);
	memcpy(longer + text->len, bytes, len);
	free(text->bytes);
	text->bytes = longer;
	text->len += len;
}

/* What comes out is *into, up to an error of which is told. */
static int unpack(const struct text *packed, size_t piece, size_t room, struct text *into,
		  struct decompress_failure *failure)
{
	struct pieces pieces = { .text = packed, .piece = piece, .is_late = piece % 2 == 1 };
	struct decompress *decompress =
		decompress_new(&(struct decompress_source){ read_piece, &pieces }, threads);
	uint8_t *buf = malloc(room);
	size_t len = 1;
	int ret = 0;

	assert_non_null(decompress);
	*into = (struct text){ malloc(1), 0 };
	while (ret == -EAGAIN || (ret == 0 && len > 0)) {
		ret = decompress_read(decompress, buf, room, &len, failure);
		if (ret == 0)
			append(into, buf, len);
	}
	if (ret == 0 && !decompress_has_rest(decompress))
		assert_int_equal(decompress_taken(decompress), packed->len);
	if (ret == 0 && decompress_has_rest(decompress))
		ret = 1;
	free(buf);
	decompress_free(decompress);
	return ret;
}

static void check_unpacks(const struct text *packed, size_t piece, size_t room,
			  const struct text *want, int result)
{
	struct decompress_failure failure = { 0 };
	struct text got;

	assert_int_equal(unpack(packed, piece, room, &got, &failure), result);
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.bytes, want->bytes, want->len);
	free(got.bytes);
}

/* ---- Tests ---- */

static void test_pieces(void **state)
{
	static const size_t pieces[] = { 1000, 4097, 300000, SIZE_MAX };
	struct text content = make_content(CONTENT_BYTES);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = pack(filters[i], &content);

		assert_true(decompress_is(packed.bytes, packed.len));
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
			check_unpacks(&packed, pieces[k], 65536 + k, &content, 0);
		free(packed.bytes);
	}
	check_unpacks(&content, 5000, 70000, &content, 0);
	free(content.bytes);
}

/* Each byte of a small one in a piece of its own, and of members behind each other. */
static void test_members(void **state)
{
	struct text content = make_content(900), twice = { malloc(1), 0 };

	(void)state;
	append(&twice, content.bytes, content.len);
	append(&twice, content.bytes, content.len);
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = pack(filters[i], &content);

		check_unpacks(&packed, 1, 1, &content, 0);
		append(&packed, packed.bytes, packed.len);
		for (size_t piece = 1; piece < 30; piece += 4)
			check_unpacks(&packed, piece, 1 + piece * 37, &twice, 0);
		free(packed.bytes);
	}
	free(content.bytes);
	free(twice.bytes);
}

static void test_cut(void **state)
{
	struct text content = make_content(1500);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = pack(filters[i], &content);
		struct text cut = packed;

		for (cut.len = DECOMPRESS_MAGIC_BYTES; cut.len < packed.len;
		     cut.len += 1 + cut.len / 50) {
			struct decompress_failure failure = { 0 };
			struct text got;

			assert_int_equal(unpack(&cut, 3, 4096, &got, &failure), -EBADMSG);
			assert_string_equal(failure.codec, filters[i]);
			assert_string_equal(failure.what, "it is cut off");
			assert_true(failure.is_at);
			assert_int_equal(failure.at, cut.len);
			free(got.bytes);
		}
		free(packed.bytes);
	}
	free(content.bytes);
}

/* The sums at the end of gzip: what is wrong is the same however it comes. */
static void test_sums(void **state)
{
	struct text content = make_content(5000), packed = pack("gzip", &content);

	(void)state;
	for (size_t from_end = 1; from_end <= 8; from_end++) {
		packed.bytes[packed.len - from_end] ^= 4;
		for (size_t piece = 1; piece < 2 * packed.len; piece += 1 + piece / 2) {
			struct decompress_failure failure = { 0 };
			struct text got;

			assert_int_equal(unpack(&packed, piece, 4096, &got, &failure), -EBADMSG);
			assert_string_equal(failure.what, from_end > 4 ? "incorrect data check"
								       : "incorrect length check");
			assert_in_range(failure.at, from_end > 4 ? packed.len - 4 : packed.len,
					packed.len);
			free(got.bytes);
		}
		packed.bytes[packed.len - from_end] ^= 4;
	}
	free(packed.bytes);
	free(content.bytes);
}

/* A bit of anything that is changed is found out, or means nothing. */
static void test_damage(void **state)
{
	struct text content = make_content(700);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = pack(filters[i], &content);

		for (size_t at = DECOMPRESS_MAGIC_BYTES; at < packed.len; at += 3) {
			struct decompress_failure failure = { 0 };
			struct text got;

			packed.bytes[at] ^= (uint8_t)(1 << at % 8);
			/* zstd's frames have no sum when libarchive makes them. */
			if (unpack(&packed, 64, 512, &got, &failure) >= 0 &&
			    strcmp(filters[i], "zstd") != 0) {
				assert_int_equal(got.len, content.len);
				assert_memory_equal(got.bytes, content.bytes, content.len);
			}
			free(got.bytes);
			packed.bytes[at] ^= (uint8_t)(1 << at % 8);
		}
		free(packed.bytes);
	}
	free(content.bytes);
}

static void test_behind(void **state)
{
	static const char zeros[10240];
	struct text content = make_content(5000);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = pack(filters[i], &content);
		struct decompress_failure failure = { 0 };
		bool leaves = i < 2; /* as gzip and bzip2 themselves do */
		struct text got;

		append(&packed, zeros, sizeof(zeros));
		if (leaves)
			assert_int_equal(unpack(&packed, 100, 4096, &got, &failure), 0);
		else
			assert_true(unpack(&packed, 100, 4096, &got, &failure) <= 0);
		free(got.bytes);
		append(&packed, "letters", 7);
		assert_int_equal(unpack(&packed, 100, 4096, &got, &failure), leaves ? 1 : -EBADMSG);
		free(got.bytes);
		free(packed.bytes);
	}
	free(content.bytes);
}

static void test_levels(void **state)
{
	struct text content = make_content(100000), packed;
	struct decompress_failure failure = { 0 };
	struct text got;

	(void)state;
	for (size_t outer = 0; outer < FILTERS; outer++)
		for (size_t inner = 0; inner < FILTERS; inner++) {
			struct text one = pack(filters[inner], &content);
			struct text two = pack(filters[outer], &one);

			check_unpacks(&two, 4096, 65536, &content, 0);
			append(&one, one.bytes, one.len - 1);
			free(two.bytes);
			two = pack(filters[outer], &one);
			assert_int_equal(unpack(&two, 4096, 65536, &got, &failure), -EBADMSG);
			assert_string_equal(failure.codec, filters[inner]);
			assert_string_equal(failure.what, "it is cut off");
			assert_false(failure.is_at);
			free(got.bytes);
			free(one.bytes);
			free(two.bytes);
		}
	packed = pack("gzip", &content);
	for (int i = 1; i < 9; i++) {
		struct text more = pack("gzip", &packed);

		if (i < 8)
			check_unpacks(&packed, 4096, 65536, &content, 0);
		free(packed.bytes);
		packed = more;
	}
	assert_int_equal(unpack(&packed, 4096, 65536, &got, &failure), -EBADMSG);
	assert_null(failure.what);
	assert_string_equal(failure.inner, "gzip");
	free(got.bytes);
	free(packed.bytes);
	free(content.bytes);
}

/* One of bgzip's blocks: a member of gzip in which the field is put that says how long it is. */
static void append_block(struct text *text, const struct text *content)
{
	static const uint8_t field[] = { 6, 0, 'B', 'C', 2, 0 };
	struct text member = pack("gzip", content);
	size_t last = member.len + 8 - 1;
	const uint8_t len[] = { (uint8_t)last, (uint8_t)(last >> 8) };

	member.bytes[3] = 4;
	append(text, member.bytes, 10);
	append(text, field, sizeof(field));
	append(text, len, sizeof(len));
	append(text, member.bytes + 10, member.len - 10);
	free(member.bytes);
}

/* Blocks are not cut alike by one thread and by several, so that of what is damaged one may get
 * further. */
static void check_same(const struct text *packed)
{
	struct decompress_failure one = { 0 }, several = { 0 };
	struct text got, with;
	int ret;

	threads = 1;
	ret = unpack(packed, 65536, 50000, &got, &one);
	threads = 4;
	assert_int_equal(unpack(packed, 65536, 50000, &with, &several), ret);
	if (ret >= 0)
		assert_int_equal(got.len, with.len);
	else
		assert_string_equal(one.what, several.what);
	assert_memory_equal(got.bytes, with.bytes, got.len < with.len ? got.len : with.len);
	free(got.bytes);
	free(with.bytes);
}

/* Members by the hundred, on several threads: the same as by one, also where one is damaged, cut
 * off or says something wrong of its size. */
static void check_batches(struct text *packed, const struct text *all)
{
	static const size_t pieces[] = { 777, 65536, SIZE_MAX };
	struct decompress_failure failure = { 0 };
	struct text got;

	threads = 4;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		check_unpacks(packed, pieces[i], 50000, all, 0);
	for (size_t at = 20; at < packed->len; at += packed->len / 30) {
		packed->bytes[at] ^= 1;
		check_same(packed);
		packed->bytes[at] ^= 1;
	}
	packed->len -= 5;
	assert_int_equal(unpack(packed, 65536, 50000, &got, &failure), -EBADMSG);
	assert_string_equal(failure.what, "it is cut off");
	assert_int_equal(failure.at, packed->len);
	free(got.bytes);
	threads = 1;
}

static void test_batches(void **state)
{
	static const uint8_t skipped[] = { 0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3 };
	struct text all = { malloc(1), 0 }, blocks = { malloc(1), 0 }, frames = { malloc(1), 0 };

	(void)state;
	append(&frames, skipped, sizeof(skipped));
	for (size_t i = 0; i < 150; i++) {
		struct text content = make_content(1 + i * 397 % 60000);
		size_t room = ZSTD_compressBound(content.len), len;
		uint8_t *frame = malloc(room);

		assert_non_null(frame);
		len = ZSTD_compress(frame, room, content.bytes, content.len, 1);
		append(&frames, frame, len);
		if (i % 20 == 0)
			append(&frames, skipped, sizeof(skipped));
		append(&all, content.bytes, content.len);
		append_block(&blocks, &content);
		free(frame);
		free(content.bytes);
	}
	check_batches(&blocks, &all);
	check_batches(&frames, &all);
	free(all.bytes);
	free(blocks.bytes);
	free(frames.bytes);
}

/* A frame that does not say how much is in it, as pzstd makes it: behind one that says how long
 * this one is. */
static void append_frame(struct text *text, const struct text *content)
{
	size_t room = ZSTD_compressBound(content->len);
	ZSTD_inBuffer in = { content->bytes, content->len, 0 };
	ZSTD_outBuffer out = { malloc(room), room, 0 };
	ZSTD_CStream *stream = ZSTD_createCStream();
	uint8_t before[12] = { 0x50, 0x2a, 0x4d, 0x18, 4 };

	assert_non_null(out.dst);
	assert_non_null(stream);
	ZSTD_CCtx_setParameter(stream, ZSTD_c_checksumFlag, 1);
	ZSTD_compressStream2(stream, &out, &in, ZSTD_e_flush);
	assert_int_equal(ZSTD_compressStream2(stream, &out, &in, ZSTD_e_end), 0);
	assert_int_equal(ZSTD_getFrameContentSize(out.dst, out.pos), ZSTD_CONTENTSIZE_UNKNOWN);
	memcpy(before + 8, &(uint32_t){ (uint32_t)out.pos }, 4);
	append(text, before, sizeof(before));
	append(text, out.dst, out.pos);
	ZSTD_freeCStream(stream);
	free(out.dst);
}

/* Two of them at once: some that end before there is no more room for what is begun aside, some
 * that do not, an empty one, and one behind which the next one is not whole in what is read. */
static void test_large_frames(void **state)
{
	static const size_t sizes[] = { 4, 1, 0, 2, 9, 1 };
	struct text all = { malloc(1), 0 }, frames = { malloc(1), 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct text content = make_content(sizes[i] << 20);

		append_frame(&frames, &content);
		append(&all, content.bytes, content.len);
		free(content.bytes);
	}
	threads = 4;
	check_unpacks(&frames, SIZE_MAX, 1 << 20, &all, 0);
	check_unpacks(&frames, 70000, 100000, &all, 0);
	for (size_t at = 20; at < frames.len; at += frames.len / 5) {
		frames.bytes[at] ^= 1;
		check_same(&frames);
		frames.bytes[at] ^= 1;
	}
	threads = 1;
	free(all.bytes);
	free(frames.bytes);
}

static void test_ahead(void **state)
{
	struct text content = make_content(CONTENT_BYTES), packed = pack("zstd", &content);
	struct pieces pieces = { .text = &packed, .piece = 999, .is_late = true };
	const struct decompress_source source = { read_piece, &pieces };
	struct decompress_failure failure = { 0 };
	struct ahead *ahead = ahead_new(&source, 1);
	struct ahead_block block;
	uint64_t taken = 0;
	size_t at = 0;

	(void)state;
	assert_non_null(ahead);
	while (ahead_next(ahead, &block, &failure) > 0) {
		assert_memory_equal(block.bytes, content.bytes + at, block.len);
		assert_true(block.taken >= taken);
		taken = block.taken;
		at += block.len;
	}
	assert_int_equal(at, content.len);
	assert_int_equal(block.taken, packed.len);
	assert_int_equal(ahead_next(ahead, &block, &failure), 0);
	assert_false(ahead_has_rest(ahead));
	ahead_free(ahead);
	free(packed.bytes);
	free(content.bytes);
}

/* Who wants no more waits for nothing but the source; an error comes behind the blocks before it.
 */
static void test_ahead_ends(void **state)
{
	struct text content = make_content(CONTENT_BYTES);
	struct pieces pieces = { .text = &content, .piece = 65536, .error = EIO };
	const struct decompress_source source = { read_piece, &pieces };
	struct decompress_failure failure = { 0 };
	struct ahead *ahead = ahead_new(&source, 1);
	struct ahead_block block;
	size_t at = 0;
	int ret;

	(void)state;
	assert_int_equal(ahead_next(ahead, &block, &failure), 1);
	ahead_free(ahead);
	pieces.at = 0;
	ahead = ahead_new(&source, 1);
	while ((ret = ahead_next(ahead, &block, &failure)) > 0)
		at += block.len;
	assert_int_equal(ret, -EIO);
	assert_int_equal(failure.code, EIO);
	assert_null(failure.codec);
	assert_int_equal(at, content.len);
	assert_int_equal(ahead_next(ahead, &block, &failure), -EIO);
	ahead_free(ahead);
	cancel_request();
	pieces.at = 0;
	ahead = ahead_new(&source, 1);
	assert_int_equal(ahead_next(ahead, &block, &failure), -ECANCELED);
	ahead_free(ahead);
	cancel_reset();
	free(content.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),     cmocka_unit_test(test_members),
		cmocka_unit_test(test_cut),        cmocka_unit_test(test_sums),
		cmocka_unit_test(test_damage),     cmocka_unit_test(test_behind),
		cmocka_unit_test(test_levels),     cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_batches),    cmocka_unit_test(test_large_frames),
		cmocka_unit_test(test_ahead_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
