/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams, cut, damaged and within each other. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/decompress/codec.h"
#include "tests/support/packed.h"

#define CONTENT_BYTES ((size_t)512 << 10)

static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd" };
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

static void test_pieces(void **state)
{
	static const size_t pieces[] = { 1000, 4097, 300000, SIZE_MAX };
	struct text content = packed_content(CONTENT_BYTES);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = packed_make(filters[i], &content);

		assert_true(decompress_is(packed.bytes, packed.len));
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++)
			packed_check(&packed, pieces[k], 65536 + k, &content, 0);
		free(packed.bytes);
	}
	packed_check(&content, 5000, 70000, &content, 0);
	free(content.bytes);
}

/* Each byte of a small one in a piece of its own, and of members behind each other. */
static void test_members(void **state)
{
	struct text content = packed_content(900), twice = { malloc(1), 0 };

	(void)state;
	packed_append(&twice, content.bytes, content.len);
	packed_append(&twice, content.bytes, content.len);
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = packed_make(filters[i], &content);

		packed_check(&packed, 1, 1, &content, 0);
		packed_append(&packed, packed.bytes, packed.len);
		for (size_t piece = 1; piece < 30; piece += 4)
			packed_check(&packed, piece, 1 + piece * 37, &twice, 0);
		free(packed.bytes);
	}
	free(content.bytes);
	free(twice.bytes);
}

static void test_cut(void **state)
{
	struct text content = packed_content(1500);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = packed_make(filters[i], &content);
		struct text cut = packed;

		for (cut.len = DECOMPRESS_MAGIC_BYTES; cut.len < packed.len;
		     cut.len += 1 + cut.len / 50) {
			struct decompress_failure failure = { 0 };
			struct text got;

			assert_int_equal(packed_unpack(&cut, 3, 4096, &got, &failure), -EBADMSG);
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
	struct text content = packed_content(5000), packed = packed_make("gzip", &content);

	(void)state;
	for (size_t from_end = 1; from_end <= 8; from_end++) {
		packed.bytes[packed.len - from_end] ^= 4;
		for (size_t piece = 1; piece < 2 * packed.len; piece += 1 + piece / 2) {
			struct decompress_failure failure = { 0 };
			struct text got;

			assert_int_equal(packed_unpack(&packed, piece, 4096, &got, &failure),
					 -EBADMSG);
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
	struct text content = packed_content(700);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = packed_make(filters[i], &content);

		for (size_t at = DECOMPRESS_MAGIC_BYTES; at < packed.len; at += 3) {
			struct decompress_failure failure = { 0 };
			struct text got;

			packed.bytes[at] ^= (uint8_t)(1 << at % 8);
			/* zstd's frames have no sum when libarchive makes them. */
			if (packed_unpack(&packed, 64, 512, &got, &failure) >= 0 &&
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
	struct text content = packed_content(5000);

	(void)state;
	for (size_t i = 0; i < FILTERS; i++) {
		struct text packed = packed_make(filters[i], &content);
		struct decompress_failure failure = { 0 };
		bool leaves = i < 2; /* as gzip and bzip2 themselves do */
		struct text got;

		packed_append(&packed, zeros, sizeof(zeros));
		if (leaves)
			assert_int_equal(packed_unpack(&packed, 100, 4096, &got, &failure), 0);
		else
			assert_true(packed_unpack(&packed, 100, 4096, &got, &failure) <= 0);
		free(got.bytes);
		packed_append(&packed, "letters", 7);
		assert_int_equal(packed_unpack(&packed, 100, 4096, &got, &failure),
				 leaves ? 1 : -EBADMSG);
		free(got.bytes);
		free(packed.bytes);
	}
	free(content.bytes);
}

static void test_levels(void **state)
{
	struct text content = packed_content(100000), packed;
	struct decompress_failure failure = { 0 };
	struct text got;

	(void)state;
	for (size_t outer = 0; outer < FILTERS; outer++)
		for (size_t inner = 0; inner < FILTERS; inner++) {
			struct text one = packed_make(filters[inner], &content);
			struct text two = packed_make(filters[outer], &one);

			packed_check(&two, 4096, 65536, &content, 0);
			packed_append(&one, one.bytes, one.len - 1);
			free(two.bytes);
			two = packed_make(filters[outer], &one);
			assert_int_equal(packed_unpack(&two, 4096, 65536, &got, &failure),
					 -EBADMSG);
			assert_string_equal(failure.codec, filters[inner]);
			assert_string_equal(failure.what, "it is cut off");
			assert_false(failure.is_at);
			free(got.bytes);
			free(one.bytes);
			free(two.bytes);
		}
	packed = packed_make("gzip", &content);
	for (int i = 1; i < 9; i++) {
		struct text more = packed_make("gzip", &packed);

		if (i < 8)
			packed_check(&packed, 4096, 65536, &content, 0);
		free(packed.bytes);
		packed = more;
	}
	assert_int_equal(packed_unpack(&packed, 4096, 65536, &got, &failure), -EBADMSG);
	assert_null(failure.what);
	assert_string_equal(failure.inner, "gzip");
	free(got.bytes);
	free(packed.bytes);
	free(content.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces), cmocka_unit_test(test_members),
		cmocka_unit_test(test_cut),    cmocka_unit_test(test_sums),
		cmocka_unit_test(test_damage), cmocka_unit_test(test_behind),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
