/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/dax.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void the_block_has_the_known_checksum(void **state)
{
	static const uint8_t stored[8] = { 0x30, 0x38, 0x94, 0xe3, 0x2b, 0x03, 0x5b, 0x68 };
	uint8_t block[DAX_INFO_BYTES];

	(void)state;
	dax_encode(block);
	assert_memory_equal(block + 4088, stored, sizeof(stored));
}

static void every_byte_is_where_the_kernel_looks(void **state)
{
	uint8_t block[DAX_INFO_BYTES], expected[DAX_INFO_BYTES] = "NVDIMM_PFN_INFO";

	(void)state;
	expected[54] = 2;    /* version_minor */
	expected[58] = 0x20; /* dataoff */
	expected[72] = 1;    /* mode */
	expected[86] = 0x20; /* align */
	dax_encode(block);
	assert_memory_equal(block, expected, 4088);
}

static void decoding_gives_back_and_sees_a_wrong_checksum(void **state)
{
	uint8_t block[DAX_INFO_BYTES];
	struct dax_info info;

	(void)state;
	dax_encode(block);
	assert_int_equal(dax_decode(block, &info), 0);
	assert_true(info.checksum == UINT64_C(0x685b032be3943830));
	assert_true(info.checksum == info.expected_checksum);
	assert_int_equal(info.version_major, 0);
	assert_int_equal(info.version_minor, 2);
	assert_int_equal(info.dataoff, 0x200000);
	assert_int_equal(info.mode, 1);
	assert_int_equal(info.align, 0x200000);
	block[2000] ^= 1;
	assert_int_equal(dax_decode(block, &info), 0);
	assert_true(info.checksum != info.expected_checksum);
	block[3] ^= 1;
	assert_int_equal(dax_decode(block, &info), -ENODATA);
}

static void fletcher_sums_words(void **state)
{
	static const uint8_t words[12] = { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0 };

	(void)state;
	/* low: 1, 0 (it wraps), 3; high: 1 + 0 + 3 */
	assert_true(dax_fletcher64(words, 3) == (UINT64_C(4) << 32 | 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_has_the_known_checksum),
		cmocka_unit_test(every_byte_is_where_the_kernel_looks),
		cmocka_unit_test(decoding_gives_back_and_sees_a_wrong_checksum),
		cmocka_unit_test(fletcher_sums_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
