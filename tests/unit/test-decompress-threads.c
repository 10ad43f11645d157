/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams that several threads unpack, and one that unpacks ahead of who reads. */
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
#include "tests/support/packed.h"

#define CONTENT_BYTES ((size_t)512 << 10)

/* One of bgzip's blocks: a member of gzip in which the field is put that says how long it is. */
static void append_block(struct text *text, const struct text *content)
{
	static const uint8_t field[] = { 6, 0, 'B', 'C', 2, 0 };
	struct text member = packed_make("gzip", content);
	size_t last = member.len + 8 - 1;
	const uint8_t len[] = { (uint8_t)last, (uint8_t)(last >> 8) };

	member.bytes[3] = 4;
	packed_append(text, member.bytes, 10);
	packed_append(text, field, sizeof(field));
	packed_append(text, len, sizeof(len));
	packed_append(text, member.bytes + 10, member.len - 10);
	free(member.bytes);
}

/* Blocks are not cut alike by one thread and by several, so that of what is damaged one may get
 * further. */
static void check_same(const struct text *packed)
{
	struct decompress_failure one = { 0 }, several = { 0 };
	struct text got, with;
	int ret;

	packed_threads = 1;
	ret = packed_unpack(packed, 65536, 50000, &got, &one);
	packed_threads = 4;
	assert_int_equal(packed_unpack(packed, 65536, 50000, &with, &several), ret);
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

	packed_threads = 4;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		packed_check(packed, pieces[i], 50000, all, 0);
	for (size_t at = 20; at < packed->len; at += packed->len / 30) {
		packed->bytes[at] ^= 1;
		check_same(packed);
		packed->bytes[at] ^= 1;
	}
	packed->len -= 5;
	assert_int_equal(packed_unpack(packed, 65536, 50000, &got, &failure), -EBADMSG);
	assert_string_equal(failure.what, "it is cut off");
	assert_int_equal(failure.at, packed->len);
	free(got.bytes);
	packed_threads = 1;
}

static void test_batches(void **state)
{
	static const uint8_t skipped[] = { 0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3 };
	struct text all = { malloc(1), 0 }, blocks = { malloc(1), 0 }, frames = { malloc(1), 0 };

	(void)state;
	packed_append(&frames, skipped, sizeof(skipped));
	for (size_t i = 0; i < 150; i++) {
		struct text content = packed_content(1 + i * 397 % 60000);
		size_t room = ZSTD_compressBound(content.len), len;
		uint8_t *frame = malloc(room);

		assert_non_null(frame);
		len = ZSTD_compress(frame, room, content.bytes, content.len, 1);
		packed_append(&frames, frame, len);
		if (i % 20 == 0)
			packed_append(&frames, skipped, sizeof(skipped));
		packed_append(&all, content.bytes, content.len);
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
	packed_append(text, before, sizeof(before));
	packed_append(text, out.dst, out.pos);
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
		struct text content = packed_content(sizes[i] << 20);

		append_frame(&frames, &content);
		packed_append(&all, content.bytes, content.len);
		free(content.bytes);
	}
	packed_threads = 4;
	packed_check(&frames, SIZE_MAX, 1 << 20, &all, 0);
	packed_check(&frames, 70000, 100000, &all, 0);
	for (size_t at = 20; at < frames.len; at += frames.len / 5) {
		frames.bytes[at] ^= 1;
		check_same(&frames);
		frames.bytes[at] ^= 1;
	}
	packed_threads = 1;
	free(all.bytes);
	free(frames.bytes);
}

static void test_ahead(void **state)
{
	struct text content = packed_content(CONTENT_BYTES), packed = packed_make("zstd", &content);
	struct pieces pieces = { .text = &packed, .piece = 999, .is_late = true };
	const struct decompress_source source = { packed_read, &pieces };
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
	struct text content = packed_content(CONTENT_BYTES);
	struct pieces pieces = { .text = &content, .piece = 65536, .error = EIO };
	const struct decompress_source source = { packed_read, &pieces };
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
		cmocka_unit_test(test_ahead),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_large_frames),
		cmocka_unit_test(test_ahead_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
