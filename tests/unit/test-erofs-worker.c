/* SPDX-License-Identifier: Apache-2.0 */
/* Files in segments, segments in a worker's hands, and outputs that are filled by trying. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/round.h"
#include "plugins/erofs/segments.h"
#include "plugins/erofs/unpack.h"
#include "plugins/erofs/worker.h"
#include "tests/support/chance.h"
#ifdef HAVE_ZSTD
#include <zstd.h>

#include "plugins/erofs/zstd.h"
#endif

#define MIB (UINT32_C(1) << 20)
#define EXTENT_MAX (4 * MIB)
#define IN_MEMORY_MAX (6 * MIB)

/* A source of so many bytes, and what was stored of it. */
struct stream {
	const uint8_t *bytes;
	uint64_t read;
	uint8_t *blocks;
	uint32_t block_count;
	uint32_t calls, fail_at; /* the call that fails with -EIO; 0: none */
};

static int read_on(void *arg, uint64_t off, uint8_t *buf, uint32_t len)
{
	struct stream *stream = arg;

	assert_int_equal(off, stream->read);
	assert_in_range(len, 1, IN_MEMORY_MAX);
	stream->read += len;
	memcpy(buf, stream->bytes + off, len);
	return ++stream->calls == stream->fail_at ? -EIO : 0;
}

static int store(void *arg, const uint8_t *blocks, uint32_t count)
{
	struct stream *stream = arg;

	stream->blocks =
		realloc(stream->blocks, (size_t)(stream->block_count + count) * EROFS_BLOCK_BYTES);
	assert_non_null(stream->blocks);
	memcpy(stream->blocks + (size_t)stream->block_count * EROFS_BLOCK_BYTES, blocks,
	       (size_t)count * EROFS_BLOCK_BYTES);
	stream->block_count += count;
	return ++stream->calls == stream->fail_at ? -EIO : 0;
}

/* Letters, bytes of one value and noise, in stretches; in the middle one of several MiB. */
static uint8_t *make_bytes(uint32_t len)
{
	uint8_t *bytes = malloc(len);
	uint32_t seed = 7, at = 0;

	assert_non_null(bytes);
	while (at < len) {
		uint32_t kind = chance_next(&seed) % 3, stretch = chance_next(&seed) % 300000 + 1;

		if (at > len / 2 && at < len / 2 + 300000) {
			kind = 0;
			stretch = len / 3;
		}
		for (; stretch && at < len; stretch--)
			bytes[at++] = kind == 0   ? 'x'
				      : kind == 1 ? (uint8_t)("etaoinsh"[chance_next(&seed) & 7])
						  : (uint8_t)chance_next(&seed);
	}
	return bytes;
}

static void check_extent(const struct erofs_extent *extent, unsigned int algorithm,
			 const uint8_t *blocks, const uint8_t *expected, bool last)
{
	static uint8_t out[EXTENT_MAX];
	struct erofs_unpack job = { .in = blocks,
				    .in_bytes = extent->blocks * EROFS_BLOCK_BYTES,
				    .out = out,
				    .out_bytes = extent->bytes };

	assert_in_range(extent->bytes, 1, EXTENT_MAX);
	if (extent->plain) {
		assert_int_equal(extent->blocks, 1);
		assert_in_range(extent->bytes, 1, EROFS_BLOCK_BYTES);
		assert_memory_equal(blocks, expected, extent->bytes);
		return;
	}
	assert_true(last || extent->bytes > EROFS_BLOCK_BYTES);
	for (; job.in_bytes && *job.in == 0; job.in++)
		job.in_bytes--;
	assert_int_equal(erofs_unpack(algorithm, &job), 0);
	assert_memory_equal(out, expected, extent->bytes);
}

static void check_stream(const struct erofs_options *options, enum erofs_end end,
			 const uint8_t *bytes, uint32_t len)
{
	unsigned int algorithm =
		options->compress == EROFS_COMPRESS_ZSTD ? EROFS_UNPACK_ZSTD : EROFS_UNPACK_LZ4;
	struct erofs_worker *worker = erofs_worker_new(options);
	struct stream stream = { .bytes = bytes };
	struct erofs_work work = { len, end, 300, read_on, store, &stream };
	uint32_t at = 0, block = 0;

	assert_non_null(worker);
	assert_int_equal(erofs_worker_compress(worker, &work), 0);
	assert_int_equal(erofs_worker_flush(worker), 0);
	assert_int_equal(stream.read, len);
	assert_int_equal(stream.block_count, worker->blocks);
	for (size_t i = 0; i < worker->extents.count; i++) {
		const struct erofs_extent *extent = &worker->extents.items[i];

		check_extent(extent, algorithm, stream.blocks + (size_t)block * EROFS_BLOCK_BYTES,
			     bytes + at, i + 1 == worker->extents.count);
		assert_int_equal(worker->big || extent->blocks == 1, true);
		at += extent->bytes;
		block += extent->blocks;
	}
	assert_int_equal(block, worker->blocks);
	assert_int_equal(at + (end == EROFS_END_FRAGMENT ? worker->end_bytes : 0), len);
	free(stream.blocks);
	erofs_worker_free(worker);
}

/* Of more than is in memory at once, with each kind of end. */
static void streams_come_back(void **state)
{
	static const uint32_t clusters[] = { 1, 3, 16, 256 };
	const uint32_t len = 13 * MIB + 77;
	uint8_t *bytes = make_bytes(len);

	(void)state;
	for (size_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]); i++) {
		struct erofs_options options = { .compress = EROFS_COMPRESS_LZ4,
						 .level = 1,
						 .cluster_blocks = clusters[i] };

		check_stream(&options, EROFS_END_BLOCK, bytes, len);
		check_stream(&options, EROFS_END_INLINE, bytes, len);
		check_stream(&options, EROFS_END_FRAGMENT, bytes, len);
#ifdef HAVE_ZSTD
		options.compress = EROFS_COMPRESS_ZSTD;
		check_stream(&options, EROFS_END_INLINE, bytes, 2 * MIB + 5);
#endif
	}
	free(bytes);
}

/* The first error is the result, and nothing is asked for after it. */
static void streams_end_early(void **state)
{
	const struct erofs_options options = { .compress = EROFS_COMPRESS_LZ4,
					       .level = 1,
					       .cluster_blocks = 16 };
	struct erofs_worker *worker = erofs_worker_new(&options);
	const uint32_t len = 13 * MIB;
	uint8_t *bytes = make_bytes(len);
	int ret = -EIO;
	uint32_t calls = 0;

	(void)state;
	assert_non_null(worker);
	while (ret == -EIO) {
		struct stream stream = { .bytes = bytes, .fail_at = ++calls };
		const struct erofs_work work = { len, EROFS_END_BLOCK, 0, read_on, store, &stream };

		ret = erofs_worker_compress(worker, &work);
		assert_int_equal(stream.calls, ret < 0 ? calls : calls - 1);
		free(stream.blocks);
	}
	assert_int_equal(ret, 0);
	assert_in_range(calls, 6, 20);
	erofs_worker_free(worker);
	free(bytes);
}

/* Their sum is the file; none is so long that others wait for it, nor so short that it costs. */
static void segments_of_files(void **state)
{
	static const struct {
		uint64_t size, count;
	} files[] = { { 1, 1 },
		      { 20 * MIB, 1 },
		      { 20 * MIB + 1, 2 },
		      { 36 * MIB, 2 },
		      { 36 * MIB + 4095, 3 },
		      { UINT64_C(1) << 30, 36 },
		      { UINT64_C(1) << 40, 16404 } };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct erofs_segments segments = { 0 };
		const struct kataimg_node node = { .size = files[i].size, .index = 3 };
		uint64_t off = 0;

		assert_int_equal(erofs_segments_add(&segments, &node), 0);
		assert_int_equal(segments.count, files[i].count);
		for (size_t s = 0; s < segments.count; s++) {
			const struct erofs_segment *segment = &segments.items[s];

			assert_int_equal(segment->node, 3);
			assert_int_equal(segment->off, off);
			assert_int_equal(segment->off % EROFS_BLOCK_BYTES, 0);
			assert_true(segment->len <= 64 * MIB);
			assert_true(segment->len <= 20 * MIB ||
				    segment->len <= (node.size - off) / 16 + 4 * MIB);
			off += segment->len;
			assert_true(segment->len >= 16 * MIB || off == node.size);
		}
		assert_int_equal(off, node.size);
		array_free(&segments);
	}
}

#ifdef HAVE_ZSTD
/* What does not fit is never taken, what fits is nearly all that could be, whatever was expected,
 * and calls leave no trace. */
static void zstd_fills(void **state)
{
	static const uint32_t limits[] = { 4096, 8192, 65536 };
	static const uint32_t guesses[] = { 1, 4097, 15000, 100000, MIB };
	uint8_t *src = malloc(MIB), *dst = malloc(65536), *again = malloc(MIB);
	struct erofs_zstd *zstd = erofs_zstd_new(3, 65536);
	uint32_t seed = 5;

	(void)state;
	for (uint32_t i = 0; i < MIB; i++)
		src[i] = (uint8_t)("etaoinsh"[chance_next(&seed) >> 12 & 7]);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]) * 5; i++) {
		uint32_t limit = limits[i / 5], guess = guesses[i % 5];
		uint32_t consumed, second, size, more;

		size = erofs_zstd_fill(zstd, src, MIB, dst, limit, guess, &consumed);
		assert_in_range(size, limit - limit / 1000, limit);
		assert_int_equal(ZSTD_decompress(again, MIB, dst, size), consumed);
		assert_memory_equal(again, src, consumed);
		more = erofs_zstd_fill(zstd, src + 999, MIB / 2, dst, limit, guess, &second);
		assert_in_range(more, 1, limit);
		assert_int_equal(erofs_zstd_fill(zstd, src, MIB, dst, limit, guess, &second), size);
		assert_int_equal(second, consumed);
	}
	assert_false(erofs_zstd_failed(zstd));
	erofs_zstd_free(zstd);
	free(again);
	free(dst);
	free(src);
}

/* What does not shrink is said to fill the output as it is, and what does behind it is found. */
static void zstd_does_not_shrink(void **state)
{
	uint8_t *src = malloc(MIB), *dst = malloc(65536);
	struct erofs_zstd *zstd = erofs_zstd_new(3, 65536);
	uint32_t seed = 5, consumed;

	(void)state;
	for (uint32_t i = 0; i < MIB; i++)
		src[i] = i < 200000 ? (uint8_t)chance_next(&seed) : 'x';
	for (uint32_t guess = 1; guess <= MIB; guess *= 4) {
		assert_int_equal(erofs_zstd_fill(zstd, src, MIB / 8, dst, 65536, guess, &consumed),
				 65536);
		assert_int_equal(consumed, 65536);
		/* With room for the whole, it is there, larger than it was. */
		assert_in_range(erofs_zstd_fill(zstd, src, 1000, dst, 4096, guess, &consumed), 1001,
				1100);
		assert_int_equal(consumed, 1000);
	}
	erofs_zstd_free(zstd);
	free(dst);
	free(src);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_come_back), cmocka_unit_test(streams_end_early),
		cmocka_unit_test(segments_of_files),
#ifdef HAVE_ZSTD
		cmocka_unit_test(zstd_fills),        cmocka_unit_test(zstd_does_not_shrink),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
