/* SPDX-License-Identifier: Apache-2.0 */
/* Values that no table, name or superblock can have are refused, or end where they are wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/format/discoverable.h"
#include "core/format/gpt.h"
#include "core/format/mbr.h"
#include "core/format/verity.h"
#include "lib/byteorder.h"

#define MIB (UINT64_C(1) << 20)

/* ---- Partitions ---- */

/* Of an image of 8 MiB; a GPT's first usable sector is 2048, its last one 16350. */
static const struct {
	uint64_t start, len;
	int mbr, gpt;
} partitions[] = {
	{ MIB, 4 * MIB, 0, 0 },
	{ MIB + 1, 4 * MIB, -ERANGE, -ERANGE },
	{ MIB, 4 * MIB + 1, -ERANGE, -ERANGE },
	{ MIB, 0, -ERANGE, -ERANGE },
	{ 0, MIB, -ERANGE, -ERANGE },
	{ 512, 512, 0, -ERANGE },
	{ MIB, 7 * MIB, 0, -ERANGE },
	{ MIB, 7 * MIB + 512, -ERANGE, -ERANGE },
	{ 8 * MIB - 512, 512, 0, -ERANGE },
	{ 9 * MIB, 512, -ERANGE, -ERANGE },
	{ MIB, UINT64_MAX - 511, -ERANGE, -ERANGE },
};

static void partitions_that_no_table_can_have_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++) {
		const struct geometry geometry = {
			.image_bytes = 8 * MIB,
			.partition_count = 1,
			.partitions = { { .start_bytes = partitions[i].start,
					  .len_bytes = partitions[i].len } },
		};
		const struct gpt_labels labels = { .disk_guid = { 1 } };
		uint8_t sector[MBR_BYTES], head[GPT_HEAD_BYTES], tail[GPT_TAIL_BYTES];
		autoerror struct error of_mbr = ERROR_INIT, of_gpt = ERROR_INIT;

		if (mbr_encode(&geometry, 0, sector, &of_mbr) != partitions[i].mbr)
			fail_msg("MBR %zu", i);
		if (gpt_encode(&geometry, &labels, head, tail, &of_gpt) != partitions[i].gpt)
			fail_msg("GPT %zu", i);
		assert_int_equal(of_mbr.message == NULL, partitions[i].mbr == 0);
		assert_int_equal(of_gpt.message == NULL, partitions[i].gpt == 0);
	}
}

/* ---- Names ---- */

/* UTF-16 on the disk, and what it is in UTF-8; a surrogate alone stays one. */
static const struct {
	uint16_t units[3];
	const char *text;
} names[] = {
	{ { 'a', 0xe4, 0x20ac }, "a\xc3\xa4\xe2\x82\xac" },
	{ { 0xd83d, 0xdc27, 'x' }, "\xf0\x9f\x90\xa7x" },
	{ { 0xdbff, 0xdfff, 0 }, "\xf4\x8f\xbf\xbf" },
	{ { 0xd83d, 'x', 0 }, "\xed\xa0\xbdx" },
	{ { 0xd83d, 0xe000, 0 }, "\xed\xa0\xbd\xee\x80\x80" },
	{ { 0xdc27, 'x', 0 }, "\xed\xb0\xa7x" },
};

static void names_are_read_as_utf16(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint8_t entry[GPT_ENTRY_BYTES] = { 1 };
		struct gpt_entry decoded;

		for (size_t j = 0; j < 3; j++) {
			const le16 unit = to_le16(names[i].units[j]);

			memcpy(entry + 56 + 2 * j, &unit, sizeof(unit));
		}
		assert_true(gpt_decode_entry(entry, &decoded));
		assert_string_equal(decoded.label.name, names[i].text);
	}
}

static void names_end_where_they_are_no_utf8(void **state)
{
	static const char *const texts[][2] = {
		{ "a\xc3\xa4\xe2\x82\xac", "a\xc3\xa4\xe2\x82\xac" },
		{ "a\xc3", "a" },
		{ "a\xe2\x82", "a" },
		{ "a\xc3x", "a" },
		{ "a\xf0\x9f\x90\xa7", "a" },
		{ "123456789012345678901234567890123456789",
		  "123456789012345678901234567890123456" },
	};
	const struct geometry geometry = { .image_bytes = 8 * MIB,
					   .partition_count = 1,
					   .partitions = {
						   { .start_bytes = MIB, .len_bytes = MIB } } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct gpt_labels labels = { .disk_guid = { 1 } };
		uint8_t head[GPT_HEAD_BYTES], tail[GPT_TAIL_BYTES];
		autoerror struct error error = ERROR_INIT;
		struct gpt_entry entry;

		labels.partitions[0].type[0] = 1;
		strcpy(labels.partitions[0].name, texts[i][0]);
		assert_int_equal(gpt_encode(&geometry, &labels, head, tail, &error), 0);
		assert_true(gpt_decode_entry(head + 1024, &entry));
		assert_string_equal(entry.label.name, texts[i][1]);
	}
}

static void guids_have_digits_and_dashes(void **state)
{
	static const char *const bad[] = {
		"",
		"11111111-2222-4333-8444-55555555555",
		"11111111-2222-4333-8444-5555555555555",
		"1111111g-2222-4333-8444-555555555555",
		"g1111111-2222-4333-8444-555555555555",
		"11111111 2222-4333-8444-555555555555",
		"1111111-12222-4333-8444-555555555555",
	};
	uint8_t guid[GUID_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(guid_parse(bad[i], guid), -EINVAL);
	assert_int_equal(guid_parse("11111111-2222-4333-8444-aAfF55555555", guid), 0);
	assert_int_equal(guid[10], 0xaa);
	assert_int_equal(guid[11], 0xff);
}

static void lists_of_architectures_are_cut(void **state)
{
	char whole[512], cut[16];

	(void)state;
	assert_true(discoverable_list(whole, sizeof(whole)) < sizeof(whole));
	assert_true(discoverable_list(cut, sizeof(cut)) >= sizeof(cut));
	assert_memory_equal(cut, whole, sizeof(cut) - 1);
	assert_null(discoverable_arch("vax"));
	assert_string_equal(discoverable_arch("x86_64"), "x86-64");
}

/* ---- dm-verity ---- */

/* A number of a right superblock becomes another. */
static const struct {
	size_t off, len;
	uint64_t value;
	int ret;
	const char *why;
} supers[] = {
	{ 0, 0, 0, 0, NULL },
	{ 64, 4, 8192, -ENOTSUP, "its blocks are not of 512 to 4096 bytes" },
	{ 68, 4, 256, -ENOTSUP, "its blocks are not of 512 to 4096 bytes" },
	{ 68, 4, 3000, -ENOTSUP, "its blocks are not of 512 to 4096 bytes" },
	{ 72, 8, 1, -EINVAL, "its number of data blocks cannot be" },
	{ 72, 8, UINT64_MAX, -EINVAL, "its number of data blocks cannot be" },
	{ 72, 8, UINT64_C(1) << 51, -EINVAL, "its number of data blocks cannot be" },
	{ 80, 2, 257, -EINVAL, "its salt is longer than the room for it" },
	{ 0, 1, 'V', -ENODATA, NULL },
};

static void superblocks_that_cannot_be_say_why(void **state)
{
	struct verity_params params = verity_default_params();
	const uint8_t uuid[16] = { 1 };

	(void)state;
	params.data_blocks = 16;
	params.salt_len = 1;
	for (size_t i = 0; i < sizeof(supers) / sizeof(supers[0]); i++) {
		const le64 value = to_le64(supers[i].value);
		uint8_t bytes[VERITY_SUPERBLOCK_BYTES], found_uuid[16];
		struct verity_params found;
		const char *why = NULL;

		verity_superblock_encode(&params, uuid, bytes);
		memcpy(bytes + supers[i].off, &value, supers[i].len);
		assert_int_equal(verity_superblock_decode(bytes, &found, found_uuid, &why),
				 supers[i].ret);
		if (supers[i].why)
			assert_string_equal(why, supers[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partitions_that_no_table_can_have_are_refused),
		cmocka_unit_test(names_are_read_as_utf16),
		cmocka_unit_test(names_end_where_they_are_no_utf8),
		cmocka_unit_test(guids_have_digits_and_dashes),
		cmocka_unit_test(lists_of_architectures_are_cut),
		cmocka_unit_test(superblocks_that_cannot_be_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
