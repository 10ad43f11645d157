/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/gpt.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/io.h"
#include "core/format/discoverable.h"
#include "core/format/mbr.h"
#include "tests/support/fdisklabel.h"

#define MIB (UINT64_C(1) << 20)

struct table {
	struct geometry geometry;
	struct gpt_labels labels;
	uint8_t head[GPT_HEAD_BYTES], tail[GPT_TAIL_BYTES];
};

static struct table new_table(void)
{
	struct table table = {
		.geometry = {
			.image_bytes = 8 * MIB,
			.table = IMAGE_TABLE_GPT,
			.partition_count = 2,
			.partitions = {
				{ .role = PARTITION_ROOT, .start_bytes = MIB, .len_bytes = 4 * MIB },
				{ .role = PARTITION_VERITY, .start_bytes = 5 * MIB,
				  .len_bytes = 12288 },
			},
		},
	};

	memset(table.labels.disk_guid, 0xd1, GUID_BYTES);
	for (int i = 0; i < 2; i++) {
		struct gpt_label *label = &table.labels.partitions[i];

		discoverable_type("arm64", (enum partition_role)i, label->type);
		memset(label->guid, 0xa0 + i, GUID_BYTES);
		label->guid[0] = 1;
		strcpy(label->name, i ? "\xe2\x82\xac 1" : "r\xc3\xb6t");
		label->attributes = i ? GPT_READ_ONLY | GPT_NO_AUTO : GPT_GROW_FILESYSTEM;
	}
	return table;
}

static void encode(struct table *table)
{
	autoerror struct error error = ERROR_INIT;

	assert_int_equal(
		gpt_encode(&table->geometry, &table->labels, table->head, table->tail, &error), 0);
}

static void headers_mirror_each_other(void **state)
{
	struct table table = new_table();
	struct gpt_header first, backup;
	struct mbr mbr;

	(void)state;
	encode(&table);
	assert_int_equal(mbr_decode(table.head, &mbr), 0);
	assert_int_equal(mbr.entries[0].type, 0xee);
	assert_int_equal(mbr.entries[0].start_lba, 1);
	assert_int_equal(mbr.entries[0].sectors, 8 * 2048 - 1);
	assert_int_equal(gpt_decode_header(table.head + 512, 512, &first), 0);
	assert_int_equal(gpt_decode_header(table.tail + 32 * 512, 512, &backup), 0);
	assert_true(first.checksum_right && backup.checksum_right);
	assert_int_equal(first.own_lba, 1);
	assert_int_equal(first.other_lba, 8 * 2048 - 1);
	assert_int_equal(backup.own_lba, first.other_lba);
	assert_int_equal(backup.other_lba, 1);
	assert_int_equal(backup.entries_lba, 8 * 2048 - 33);
	assert_memory_equal(first.disk_guid, table.labels.disk_guid, GUID_BYTES);
	assert_int_equal(first.entry_count, 128);
	assert_int_equal(first.entries_crc, gpt_crc32(0, table.head + 1024, 128 * 128));
	assert_memory_equal(table.head + 1024, table.tail, 128 * 128);
}

static void entries_say_what_was_given(void **state)
{
	struct table table = new_table();
	struct gpt_entry entry;

	(void)state;
	encode(&table);
	for (int i = 0; i < 2; i++) {
		const struct gpt_label *label = &table.labels.partitions[i];
		const struct partition *partition = &table.geometry.partitions[i];

		assert_true(gpt_decode_entry(table.head + 1024 + 128 * i, &entry));
		assert_int_equal(entry.first_lba, partition->start_bytes / 512);
		assert_int_equal(entry.last_lba + 1,
				 (partition->start_bytes + partition->len_bytes) / 512);
		assert_memory_equal(entry.label.type, label->type, GUID_BYTES);
		assert_memory_equal(entry.label.guid, label->guid, GUID_BYTES);
		assert_int_equal(entry.label.attributes, label->attributes);
		assert_string_equal(entry.label.name, label->name);
	}
	assert_false(gpt_decode_entry(table.head + 1024 + 256, &entry));
}

static void two_encodings_are_equal(void **state)
{
	struct table a = new_table(), b = new_table();

	(void)state;
	encode(&a);
	encode(&b);
	assert_memory_equal(a.head, b.head, sizeof(a.head));
	assert_memory_equal(a.tail, b.tail, sizeof(a.tail));
}

static void damage_is_seen(void **state)
{
	struct table table = new_table();
	struct gpt_header header;

	(void)state;
	encode(&table);
	table.head[512 + 60] ^= 1;
	assert_int_equal(gpt_decode_header(table.head + 512, 512, &header), 0);
	assert_false(header.checksum_right);
	table.head[512 + 12] = 91; /* the header's size */
	assert_int_equal(gpt_decode_header(table.head + 512, 512, &header), -ENODATA);
	table.head[512] ^= 1;
	assert_int_equal(gpt_decode_header(table.head + 512, 512, &header), -ENODATA);
}

static void what_does_not_fit_is_an_error(void **state)
{
	struct table table = new_table();
	autoerror struct error error = ERROR_INIT;

	(void)state;
	table.geometry.partitions[1].len_bytes = 3 * MIB; /* over the backup */
	assert_true(gpt_encode(&table.geometry, &table.labels, table.head, table.tail, &error) < 0);
	assert_non_null(strstr(error.message, "cannot make the partition table: partition 2 of "
					      "3145728 bytes at 5242880 does not fit"));
}

/* libfdisk's text for bits that have no name there. */
static void attributes_text(uint64_t attributes, char text[64])
{
	char *at = text + sprintf(text, "GUID:");

	for (int bit = 48; bit < 64; bit++)
		if (attributes >> bit & 1)
			at += sprintf(at, "%s%d", at[-1] == ':' ? "" : ",", bit);
}

static void add_by_libfdisk(struct fdisk_context *context, size_t number,
			    const struct partition *partition, const struct gpt_label *label)
{
	char guid[GUID_TEXT_BYTES], attributes[64];
	autocall(cleanup_fdisk_unref_parttype) struct fdisk_parttype *type =
		fdisk_new_unknown_parttype(0, guid_format(label->type, guid));
	autocall(cleanup_fdisk_unref_partition) struct fdisk_partition *entry =
		label_partition_new(number, partition->start_bytes / SECTOR_BYTES,
				    partition->len_bytes / SECTOR_BYTES, type);

	fdisk_partition_set_uuid(entry, guid_format(label->guid, guid));
	fdisk_partition_set_name(entry, label->name);
	attributes_text(label->attributes, attributes);
	if (label->attributes)
		fdisk_partition_set_attrs(entry, attributes);
	assert_int_equal(fdisk_add_partition(context, entry, NULL), 0);
}

static void encode_by_libfdisk(struct table *table)
{
	struct label_device device __attribute__((cleanup(label_device_close)));
	char id[GUID_TEXT_BYTES];
	uint64_t bytes = table->geometry.image_bytes;

	assert_int_equal(label_device_open(bytes, &device), 0);
	assert_int_equal(fdisk_create_disklabel(device.context, "gpt"), 0);
	guid_format(table->labels.disk_guid, id);
	assert_int_equal(fdisk_set_disklabel_id_from_string(device.context, id), 0);
	for (unsigned int i = 0; i < table->geometry.partition_count; i++)
		add_by_libfdisk(device.context, i, &table->geometry.partitions[i],
				&table->labels.partitions[i]);
	assert_int_equal(fdisk_write_disklabel(device.context), 0);
	assert_int_equal(io_pread(device.fd, table->head, GPT_HEAD_BYTES, 0), 0);
	assert_int_equal(io_pread(device.fd, table->tail, GPT_TAIL_BYTES, bytes - GPT_TAIL_BYTES),
			 0);
}

/* At the sizes where the first usable sector and the protective MBR change above all. */
static void the_bytes_are_those_of_libfdisk(void **state)
{
	static const uint64_t sizes[] = { 3 * MIB,
					  4 * MIB,
					  4 * MIB + 4096,
					  5 * MIB,
					  128 * MIB,
					  DOS_LABEL_MAX_BYTES - 4096,
					  DOS_LABEL_MAX_BYTES,
					  DOS_LABEL_MAX_BYTES + 4096,
					  3 * DOS_LABEL_MAX_BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned int count = 0; count <= 2; count++) {
			struct table ours = new_table(), theirs;
			struct partition *partitions = ours.geometry.partitions;

			ours.geometry.image_bytes = sizes[i];
			ours.geometry.partition_count = count;
			partitions[0].len_bytes = MIB;
			partitions[1].start_bytes = 2 * MIB;
			partitions[1].len_bytes = (sizes[i] - GPT_TAIL_BYTES - 2 * MIB) & ~511ull;
			theirs = ours;
			encode(&ours);
			encode_by_libfdisk(&theirs);
			assert_memory_equal(ours.head, theirs.head, GPT_HEAD_BYTES);
			assert_memory_equal(ours.tail, theirs.tail, GPT_TAIL_BYTES);
		}
}

static void guids_are_text_and_back(void **state)
{
	const char *text = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
	char back[GUID_TEXT_BYTES];
	uint8_t guid[GUID_BYTES], swapped[GUID_BYTES];

	(void)state;
	assert_int_equal(guid_parse(text, guid), 0);
	assert_string_equal(guid_format(guid, back), text);
	assert_int_equal(guid[0], 0x4f);
	guid_swap(guid, swapped);
	assert_int_equal(swapped[0], 0xe3);
	assert_int_equal(swapped[15], 0x09);
	assert_int_equal(guid_parse("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709", swapped), 0);
	assert_memory_equal(guid, swapped, GUID_BYTES);
	assert_int_equal(guid_parse("4f68bce3-e8cd-4db1-96e7-fbcaf984b70", guid), -EINVAL);
	assert_int_equal(guid_parse("4f68bce3 e8cd-4db1-96e7-fbcaf984b709", guid), -EINVAL);
	assert_int_equal(guid_parse("4f68bce3-e8cd-4db1-96e7-fbcaf984b70g", guid), -EINVAL);
}

static void architectures_have_many_names(void **state)
{
	static const char *const names[][2] = {
		{ "x86_64", "x86-64" },   { "amd64", "x86-64" },        { "x86-64", "x86-64" },
		{ "386", "x86" },         { "aarch64", "arm64" },       { "armv7l", "arm" },
		{ "s390x", "s390x" },     { "ppc64le", "ppc64-le" },    { "ppc64", "ppc64" },
		{ "riscv64", "riscv64" }, { "loong64", "loongarch64" }, { "mips64le", "mips64-le" },
	};
	char text[DISCOVERABLE_NAME_BYTES];
	enum partition_role role;
	uint8_t type[GUID_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(discoverable_arch(names[i][0]), names[i][1]);
	assert_null(discoverable_arch("vax"));
	assert_null(discoverable_arch("x86_6"));
	discoverable_type("x86-64", PARTITION_SIGNATURE, type);
	assert_string_equal(discoverable_find(type, &role), "x86-64");
	assert_int_equal(role, PARTITION_SIGNATURE);
	assert_string_equal(discoverable_type_name(type, text), "root-x86-64-verity-sig");
	type[0] ^= 1;
	assert_null(discoverable_type_name(type, text));
}

static void names_are_counted_in_characters(void **state)
{
	(void)state;
	assert_int_equal(gpt_name_units("root"), 4);
	assert_int_equal(gpt_name_units("r\xc3\xb6t"), 3);
	assert_true(gpt_name_units("\xf0\x9f\x90\xa7") == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_mirror_each_other),
		cmocka_unit_test(entries_say_what_was_given),
		cmocka_unit_test(two_encodings_are_equal),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(what_does_not_fit_is_an_error),
		cmocka_unit_test(the_bytes_are_those_of_libfdisk),
		cmocka_unit_test(guids_are_text_and_back),
		cmocka_unit_test(architectures_have_many_names),
		cmocka_unit_test(names_are_counted_in_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
