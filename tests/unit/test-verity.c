/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct verity_params params_of(enum verity_hash hash, uint32_t data_block_bytes,
				      uint32_t hash_block_bytes, uint64_t data_blocks)
{
	struct verity_params params = verity_default_params();

	params.hash = hash;
	params.data_block_bytes = data_block_bytes;
	params.hash_block_bytes = hash_block_bytes;
	params.data_blocks = data_blocks;
	return params;
}

static void assert_layout(const struct verity_params *params, unsigned int levels, uint64_t total)
{
	struct verity_layout layout;

	verity_layout(params, &layout);
	assert_int_equal(layout.levels, levels);
	assert_int_equal(layout.total_blocks, total);
	assert_int_equal(verity_used_bytes(params), total * params->hash_block_bytes);
}

static void assert_plain(uint64_t data_blocks, unsigned int levels, uint64_t total)
{
	struct verity_params params = params_of(VERITY_SHA256, 4096, 4096, data_blocks);

	assert_layout(&params, levels, total);
	assert_int_equal(verity_area_bytes(&params, data_blocks * 4096), total * 4096);
}

static void levels_grow_at_powers_of_128(void **state)
{
	(void)state;
	assert_plain(1, 0, 0);
	assert_plain(2, 1, 1);
	assert_plain(128, 1, 1);
	assert_plain(129, 2, 3);
	assert_plain(128 * 128, 2, 129);
	assert_plain(128 * 128 + 1, 3, 129 + 3);
}

static void levels_grow_at_powers_of_what_a_block_holds(void **state)
{
	struct verity_params params = params_of(VERITY_SHA512, 4096, 4096, 64);

	(void)state;
	assert_layout(&params, 1, 1);
	params.data_blocks = 65;
	assert_layout(&params, 2, 3);
	params = params_of(VERITY_SHA512, 512, 512, 8 * 8 * 8 + 1);
	assert_layout(&params, 4, 1 + 2 + 9 + 65);
	params.data_blocks = UINT64_C(1) << 54; /* of 512 bytes: all that a file can have */
	assert_layout(&params, 18, ((UINT64_C(1) << 54) - 1) / 7);
}

static void an_area_begins_with_the_superblock(void **state)
{
	struct verity_params params = params_of(VERITY_SHA256, 4096, 4096, 2);

	(void)state;
	params.superblock = true;
	assert_int_equal(verity_tree_start(&params), 4096);
	assert_int_equal(verity_area_bytes(&params, 2 * 4096), 2 * 4096);
	params.hash_block_bytes = 1024;
	assert_int_equal(verity_tree_start(&params), 1024);
	assert_int_equal(verity_used_bytes(&params), 2 * 1024);
	assert_int_equal(verity_area_bytes(&params, 2 * 4096), 4096);
	assert_int_equal(verity_area_bytes(&params, 4096), 0); /* of one block there is no tree */
}

static void the_top_comes_first(void **state)
{
	const struct verity_params params = params_of(VERITY_SHA256, 4096, 4096, 128 * 128 + 1);
	struct verity_layout layout;

	(void)state;
	verity_layout(&params, &layout);
	assert_int_equal(layout.first_block[2], 0);
	assert_int_equal(layout.first_block[1], 1);
	assert_int_equal(layout.first_block[0], 3);
}

static const uint8_t salt[] = { 1, 2, 3, 4 };

static struct verity_params salted(struct verity_params params)
{
	memcpy(params.salt, salt, sizeof(salt));
	params.salt_len = sizeof(salt);
	return params;
}

#define AB_32 "abababababababababababababababababababababababababababababababab"

static void the_line_has_every_part(void **state)
{
	const struct verity_params params = salted(params_of(VERITY_SHA256, 4096, 4096, 2));
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	char line[VERITY_LINE_BYTES];

	(void)state;
	memset(root, 0xab, sizeof(root));
	verity_format_line(&params, root, 0, line);
	assert_string_equal(line, "root_hash=" AB_32 ",salt=01020304,data_blocks=2,"
				  "data_block_size=4096,hash_block_size=4096");
}

static void the_line_names_what_is_not_taken_for_granted(void **state)
{
	const struct verity_params params = salted(params_of(VERITY_SHA512, 512, 1024, 16));
	uint8_t root[VERITY_DIGEST_MAX_BYTES], read[VERITY_DIGEST_MAX_BYTES];
	char line[VERITY_LINE_BYTES];
	struct verity_params parsed;
	bool has_salt;

	(void)state;
	memset(root, 0xab, sizeof(root));
	verity_format_line(&params, root, 9, line);
	assert_string_equal(line, "root_hash=" AB_32 AB_32 ",salt=01020304,data_blocks=16,"
				  "data_block_size=512,hash_block_size=1024,hash=sha512,"
				  "hash_start_block=9");
	assert_int_equal(verity_parse_line(line, &parsed, read, &has_salt), 0);
	assert_true(has_salt);
	assert_memory_equal(read, root, sizeof(root));
	assert_memory_equal(&parsed, &params, sizeof(params));
}

static int parse(const char *line, struct verity_params *params)
{
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	bool has_salt;

	return verity_parse_line(line, params, root, &has_salt);
}

static void the_hash_is_told_by_the_length_of_the_root_hash(void **state)
{
	struct verity_params params;

	(void)state;
	assert_int_equal(parse(AB_32, &params), 0);
	assert_int_equal(params.hash, VERITY_SHA256);
	assert_int_equal(params.data_block_bytes, 4096);
	assert_int_equal(parse(AB_32 AB_32, &params), 0);
	assert_int_equal(params.hash, VERITY_SHA512);
	assert_int_equal(parse("abab", &params), -EINVAL);
	assert_int_equal(parse(AB_32 ",hash=sha512", &params), -EINVAL);
	assert_int_equal(parse(AB_32 ",hash=sha1", &params), -EINVAL);
	assert_int_equal(parse(AB_32 ",data_block_size=3000", &params), -EINVAL);
	assert_int_equal(parse(AB_32 ",hash_block_size=8192", &params), -EINVAL);
	assert_int_equal(parse("salt=00", &params), -EINVAL);
}

static void the_table_is_the_kernels(void **state)
{
	struct verity_params params = params_of(VERITY_SHA256, 1024, 512, 10);
	uint8_t root[VERITY_DIGEST_MAX_BYTES];
	char table[VERITY_TABLE_BYTES];

	(void)state;
	memset(root, 0xab, sizeof(root));
	verity_format_table(&params, root, "/dev/vda", "/dev/vdb", 1, table);
	assert_string_equal(table, "dm-verity,,,ro,0 20 verity 1 /dev/vda /dev/vdb 1024 512 10 1 "
				   "sha256 " AB_32 " -");
}

/* What veritysetup dump reads of the same bytes: tests/image/test_verity.py. */
static void the_superblock_is_veritysetups(void **state)
{
	static const uint8_t uuid[16] = { 0x10, 0x11, 0x12 };
	struct verity_params params = salted(params_of(VERITY_SHA512, 1024, 512, 0x1234)), read;
	uint8_t bytes[VERITY_SUPERBLOCK_BYTES], read_uuid[16];
	static const uint8_t start[] = { 'v', 'e', 'r', 'i', 't', 'y', 0,    0,    1,   0,
					 0,   0,   1,   0,   0,   0,   0x10, 0x11, 0x12 };
	static const uint8_t middle[] = { 's', 'h', 'a', '5', '1', '2', 0 };
	static const uint8_t sizes[] = { 0, 4, 0, 0, 0, 2, 0, 0, 0x34, 0x12, 0, 0, 0, 0,
					 0, 0, 4, 0, 0, 0, 0, 0, 0,    0,    1, 2, 3, 4 };
	const char *why;

	(void)state;
	params.superblock = true;
	verity_superblock_encode(&params, uuid, bytes);
	assert_memory_equal(bytes, start, sizeof(start));
	assert_memory_equal(bytes + 32, middle, sizeof(middle));
	assert_memory_equal(bytes + 64, sizes, sizeof(sizes));
	assert_int_equal(verity_superblock_decode(bytes, &read, read_uuid, &why), 0);
	assert_memory_equal(&read, &params, sizeof(params));
	assert_memory_equal(read_uuid, uuid, sizeof(uuid));
}

static void refuse(size_t at, uint8_t byte, int ret, const char *expected)
{
	struct verity_params params = salted(params_of(VERITY_SHA256, 4096, 4096, 2));
	uint8_t bytes[VERITY_SUPERBLOCK_BYTES], uuid[16] = { 0 };
	const char *why = "";

	verity_superblock_encode(&params, uuid, bytes);
	bytes[at] = byte;
	assert_int_equal(verity_superblock_decode(bytes, &params, uuid, &why), ret);
	assert_string_equal(why, expected);
}

static void a_superblock_that_cannot_be_is_refused(void **state)
{
	(void)state;
	refuse(0, 'V', -ENODATA, "");
	refuse(8, 2, -ENOTSUP, "its version is not 1");
	refuse(12, 0, -ENOTSUP, "its hash type is not 1");
	refuse(36, '3', -ENOTSUP, "its hash is neither sha256 nor sha512");
	refuse(65, 0x20, -ENOTSUP, "its blocks are not of 512 to 4096 bytes");
	refuse(68, 1, -ENOTSUP, "its blocks are not of 512 to 4096 bytes");
	refuse(72, 1, -EINVAL, "its number of data blocks cannot be");
	refuse(79, 0xff, -EINVAL, "its number of data blocks cannot be");
	refuse(81, 2, -EINVAL, "its salt is longer than the room for it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_grow_at_powers_of_128),
		cmocka_unit_test(levels_grow_at_powers_of_what_a_block_holds),
		cmocka_unit_test(an_area_begins_with_the_superblock),
		cmocka_unit_test(the_top_comes_first),
		cmocka_unit_test(the_line_has_every_part),
		cmocka_unit_test(the_line_names_what_is_not_taken_for_granted),
		cmocka_unit_test(the_hash_is_told_by_the_length_of_the_root_hash),
		cmocka_unit_test(the_table_is_the_kernels),
		cmocka_unit_test(the_superblock_is_veritysetups),
		cmocka_unit_test(a_superblock_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
