/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/mbr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/io.h"
#include "tests/support/fdisklabel.h"

#define MIB (UINT64_C(1) << 20)

static struct geometry two_partitions(void)
{
	return (struct geometry){
		.image_bytes = 128 * MIB,
		.dax = true,
		.partition_count = 2,
		.partitions = {
			{ .start_bytes = 3 * MIB, .len_bytes = 123 * MIB + 4096, .type = 0x83,
			  .bootable = true },
			{ .start_bytes = 126 * MIB + 4096, .len_bytes = 2 * MIB - 4096,
			  .type = 0x83 },
		},
		.disk_signature = 0x89abcdef,
	};
}

static void encode(const struct geometry *geometry, uint64_t base_bytes, uint8_t out[MBR_BYTES])
{
	autoerror struct error error = ERROR_INIT;

	memset(out, 0xee, MBR_BYTES);
	assert_int_equal(mbr_encode(geometry, base_bytes, out, &error), 0);
}

static void starts_and_lengths_are_exact(void **state)
{
	struct geometry geometry = two_partitions();
	uint8_t bytes[MBR_BYTES];
	struct mbr mbr;

	(void)state;
	encode(&geometry, 0, bytes);
	assert_int_equal(mbr_decode(bytes, &mbr), 0);
	assert_int_equal(mbr.disk_signature, 0x89abcdef);
	assert_int_equal(mbr.entries[0].start_lba, 6144);
	assert_int_equal(mbr.entries[0].sectors, 123 * 2048 + 8);
	assert_int_equal(mbr.entries[0].type, 0x83);
	assert_true(mbr.entries[0].bootable);
	assert_int_equal(mbr.entries[1].start_lba, 126 * 2048 + 8);
	assert_int_equal(mbr.entries[1].sectors, 2 * 2048 - 8);
	assert_false(mbr.entries[1].bootable);
	assert_int_equal(mbr.entries[2].type, 0);
	assert_int_equal(mbr.entries[3].type, 0);
}

static void the_second_table_is_4096_sectors_lower(void **state)
{
	struct geometry geometry = two_partitions();
	uint8_t bytes[MBR_BYTES];
	struct mbr first, second;

	(void)state;
	encode(&geometry, 0, bytes);
	mbr_decode(bytes, &first);
	encode(&geometry, DAX_HEADER_BYTES, bytes);
	mbr_decode(bytes, &second);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(first.entries[i].start_lba, second.entries[i].start_lba + 4096);
		assert_int_equal(first.entries[i].sectors, second.entries[i].sectors);
	}
	assert_int_equal(first.disk_signature, second.disk_signature);
}

static void two_encodings_are_equal_and_hold_nothing_else(void **state)
{
	struct geometry geometry = two_partitions();
	uint8_t bytes[MBR_BYTES], again[MBR_BYTES];

	(void)state;
	encode(&geometry, 0, bytes);
	encode(&geometry, 0, again);
	assert_memory_equal(bytes, again, MBR_BYTES);
	for (int i = 0; i < 440; i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(bytes[510], 0x55);
	assert_int_equal(bytes[511], 0xaa);
}

static void a_partition_up_to_2_tib_fits(void **state)
{
	struct geometry geometry = two_partitions();
	uint8_t bytes[MBR_BYTES];
	struct mbr mbr;

	(void)state;
	geometry.image_bytes = DOS_LABEL_MAX_BYTES;
	geometry.partition_count = 1;
	geometry.partitions[0].len_bytes = DOS_LABEL_MAX_BYTES - 3 * MIB;
	encode(&geometry, 0, bytes);
	assert_int_equal(mbr_decode(bytes, &mbr), 0);
	assert_int_equal(mbr.entries[0].start_lba, 6144);
	assert_int_equal(mbr.entries[0].sectors, 0xffffffff - 6143);
}

static void encode_by_libfdisk(const struct geometry *geometry, uint8_t out[MBR_BYTES])
{
	const struct partition *partition = &geometry->partitions[0];
	struct label_device device __attribute__((cleanup(label_device_close)));
	autocall(cleanup_fdisk_unref_parttype) struct fdisk_parttype *type =
		fdisk_new_unknown_parttype(partition->type, NULL);
	autocall(cleanup_fdisk_unref_partition) struct fdisk_partition *entry =
		label_partition_new(0, partition->start_bytes / SECTOR_BYTES,
				    partition->len_bytes / SECTOR_BYTES, type);

	assert_int_equal(label_device_open(geometry->image_bytes, &device), 0);
	assert_int_equal(fdisk_create_disklabel(device.context, "dos"), 0);
	assert_int_equal(fdisk_set_disklabel_id_from_string(device.context, "0x89abcdef"), 0);
	assert_int_equal(fdisk_add_partition(device.context, entry, NULL), 0);
	assert_int_equal(fdisk_write_disklabel(device.context), 0);
	assert_int_equal(io_pread(device.fd, out, MBR_BYTES, 0), 0);
}

/* Addresses of cylinders, heads and sectors above all: at the carries, and beyond the last. */
static void the_bytes_are_those_of_libfdisk(void **state)
{
	static const uint64_t starts[] = { 2048,     6144,     16064,    16065,    4112640 - 7,
					   16434496, 16450552, 16450559, 16450560, 4000000000 };
	static const uint64_t lens[] = { 8, 63, 16065, 262144, 16450560 };
	struct geometry geometry = two_partitions();
	uint8_t ours[MBR_BYTES], theirs[MBR_BYTES];

	(void)state;
	geometry.image_bytes = DOS_LABEL_MAX_BYTES;
	geometry.partition_count = 1;
	geometry.partitions[0].bootable = false;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			geometry.partitions[0].start_bytes = starts[i] * SECTOR_BYTES;
			geometry.partitions[0].len_bytes = lens[j] * SECTOR_BYTES;
			encode(&geometry, 0, ours);
			encode_by_libfdisk(&geometry, theirs);
			assert_memory_equal(ours, theirs, MBR_BYTES);
		}
}

static void a_small_partition_is_not_rounded(void **state)
{
	struct geometry geometry = {
		.image_bytes = 2 * MIB,
		.partition_count = 1,
		.partitions = { { .start_bytes = MIB, .len_bytes = 4096, .type = 0x83 } },
	};
	uint8_t bytes[MBR_BYTES];
	struct mbr mbr;

	(void)state;
	encode(&geometry, 0, bytes);
	assert_int_equal(mbr_decode(bytes, &mbr), 0);
	assert_int_equal(mbr.entries[0].start_lba, 2048);
	assert_int_equal(mbr.entries[0].sectors, 8);
}

static void what_cannot_be_encoded_is_an_error(void **state)
{
	struct geometry geometry = two_partitions();
	autoerror struct error error = ERROR_INIT;
	uint8_t bytes[MBR_BYTES] = { 0 };
	struct mbr mbr;

	(void)state;
	geometry.partitions[1].len_bytes += 4096; /* beyond the end */
	assert_true(mbr_encode(&geometry, 0, bytes, &error) < 0);
	assert_string_equal(error.message,
			    "cannot make the partition table: partition 2 of 2097152 bytes at "
			    "132124672 does not fit");
	assert_int_equal(mbr_decode(bytes, &mbr), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_and_lengths_are_exact),
		cmocka_unit_test(the_second_table_is_4096_sectors_lower),
		cmocka_unit_test(two_encodings_are_equal_and_hold_nothing_else),
		cmocka_unit_test(a_partition_up_to_2_tib_fits),
		cmocka_unit_test(the_bytes_are_those_of_libfdisk),
		cmocka_unit_test(a_small_partition_is_not_rounded),
		cmocka_unit_test(what_cannot_be_encoded_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
