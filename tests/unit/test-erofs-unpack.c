/* SPDX-License-Identifier: Apache-2.0 */
/* What the four libraries packed comes back: all of it, its start alone, and nothing when damaged.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lz4hc.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_DEFLATE
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "plugins/erofs/decode.h"
#include "plugins/erofs/unpack.h"

#define TEXT_BYTES 60000u

static uint8_t text[TEXT_BYTES], packed[TEXT_BYTES], unpacked[TEXT_BYTES];

static void make_text(void)
{
	for (uint32_t i = 0; i < TEXT_BYTES; i++)
		text[i] = (uint8_t)("a line of text, and "[i % 20] + (i / 400 % 7));
}

static void check_unpack(unsigned int algorithm, size_t bytes)
{
	struct erofs_unpack job = {
		.in = packed, .in_bytes = (uint32_t)bytes, .out = unpacked, .out_bytes = TEXT_BYTES
	};

	assert_in_range(bytes, 1, TEXT_BYTES / 2);
	assert_true(erofs_unpack_can(algorithm));
	assert_int_equal(erofs_unpack(algorithm, &job), 0);
	assert_memory_equal(unpacked, text, TEXT_BYTES);
	memset(unpacked, 0, sizeof(unpacked));
	job.out_bytes = TEXT_BYTES / 3;
	job.partial = true;
	assert_int_equal(erofs_unpack(algorithm, &job), 0);
	assert_memory_equal(unpacked, text, TEXT_BYTES / 3);
	assert_int_equal(unpacked[TEXT_BYTES / 3], 0);
	job.out_bytes = TEXT_BYTES;
	job.partial = false;
	job.in_bytes /= 2;
	assert_int_equal(erofs_unpack(algorithm, &job), -EUCLEAN);
}

static void lz4(void **state)
{
	(void)state;
	check_unpack(EROFS_UNPACK_LZ4, (size_t)LZ4_compress_HC((const char *)text, (char *)packed,
							       TEXT_BYTES, TEXT_BYTES, 9));
}

#ifdef HAVE_LZMA
static void lzma(void **state)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	(void)state;
	assert_int_equal(lzma_lzma_preset(&options, 6), 0);
	assert_int_equal(lzma_microlzma_encoder(&stream, &options), LZMA_OK);
	stream.next_in = text;
	stream.avail_in = TEXT_BYTES;
	stream.next_out = packed;
	stream.avail_out = TEXT_BYTES;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	check_unpack(EROFS_UNPACK_LZMA, TEXT_BYTES - stream.avail_out);
	lzma_end(&stream);
}
#endif

#ifdef HAVE_DEFLATE
static void deflated(void **state)
{
	z_stream stream = {
		.next_in = text, .avail_in = TEXT_BYTES, .next_out = packed, .avail_out = TEXT_BYTES
	};

	(void)state;
	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	check_unpack(EROFS_UNPACK_DEFLATE, stream.total_out);
	deflateEnd(&stream);
}
#endif

#ifdef HAVE_ZSTD
static void zstd(void **state)
{
	(void)state;
	check_unpack(EROFS_UNPACK_ZSTD, ZSTD_compress(packed, TEXT_BYTES, text, TEXT_BYTES, 9));
}
#endif

static int read_packed(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	(void)ctx;
	memcpy(buf, packed + off, len);
	return 0;
}

/* Reads a little of each piece, one after the other, twice; count pieces of so many bytes. Returns
 * how many were unpacked. */
static uint64_t read_in_turns(uint32_t count, uint32_t unpacked_bytes, uint32_t packed_bytes)
{
	const struct kataimg_host host = { .window_read = read_packed };
	struct erofs_decoder *decoder = erofs_decoder_new(&host, TEXT_BYTES, false);
	uint64_t cookies[64], result;
	uint8_t bytes[10];

	assert_non_null(decoder);
	for (uint32_t i = 0; i < count; i++) {
		const struct erofs_packed piece = { .bytes = packed_bytes,
						    .unpacked_bytes = unpacked_bytes };

		assert_int_equal(erofs_decoder_add(decoder, &piece, &cookies[i]), 0);
	}
	for (uint32_t i = 0; i < 2 * count; i++) {
		uint32_t off = 1000 + i;

		assert_int_equal(erofs_decode(decoder, cookies[i % count], off, bytes, 10), 0);
		if (unpacked_bytes == TEXT_BYTES)
			assert_memory_equal(bytes, text + off, 10);
	}
	result = erofs_decoder_unpacked_bytes(decoder) / unpacked_bytes;
	erofs_read_end(decoder);
	return result;
}

/* Files that lie in one cluster are read one by one, and those of others between them. What stays
 * unpacked has a bound all the same. */
static void pieces_stay_unpacked(void **state)
{
	const uint32_t large = 9 << 20;
	uint8_t *zeros = calloc(1, large);
	int bytes = LZ4_compress_HC((const char *)text, (char *)packed, TEXT_BYTES, TEXT_BYTES, 9);

	(void)state;
	assert_non_null(zeros);
	assert_int_equal(read_in_turns(64, TEXT_BYTES, (uint32_t)bytes), 64);
	bytes = LZ4_compress_HC((const char *)zeros, (char *)packed, (int)large, TEXT_BYTES, 1);
	assert_int_equal(read_in_turns(7, large, (uint32_t)bytes), 7);
	assert_int_equal(read_in_turns(8, large, (uint32_t)bytes), 16);
	free(zeros);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(erofs_unpack_name(EROFS_UNPACK_DEFLATE), "DEFLATE");
	assert_null(erofs_unpack_name(EROFS_UNPACK_COUNT));
	assert_false(erofs_unpack_can(EROFS_UNPACK_COUNT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lz4),
#ifdef HAVE_LZMA
		cmocka_unit_test(lzma),
#endif
#ifdef HAVE_DEFLATE
		cmocka_unit_test(deflated),
#endif
#ifdef HAVE_ZSTD
		cmocka_unit_test(zstd),
#endif
		cmocka_unit_test(pieces_stay_unpacked),
		cmocka_unit_test(names),
	};

	make_text();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
