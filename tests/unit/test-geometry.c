/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/geometry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)
#define TIB (UINT64_C(1) << 40)

static struct geometry_request new_request(uint64_t fs_bytes)
{
	return (struct geometry_request){
		.fs_bytes = fs_bytes,
		.granularity = 4096,
		.align_bytes = 128 * MIB,
		.dax = true,
	};
}

static struct geometry compute(const struct geometry_request *request)
{
	autoerror struct error error = ERROR_INIT;
	struct geometry geometry;

	assert_int_equal(geometry_compute(request, &geometry, &error), 0);
	return geometry;
}

static void refuse(const struct geometry_request *request, int code, const char *words)
{
	autoerror struct error error = ERROR_INIT;
	struct geometry geometry;

	assert_int_equal(geometry_compute(request, &geometry, &error), -code);
	assert_non_null(strstr(error.message, words));
}

static void with_dax_partition_1_is_3_mib_in_up_to_the_last_sector(void **state)
{
	struct geometry_request request = new_request(100 * MIB);
	struct geometry geometry = compute(&request);

	(void)state;
	assert_int_equal(geometry.image_bytes, 128 * MIB);
	assert_int_equal(geometry.partition_count, 1);
	assert_int_equal(geometry.partitions[0].start_bytes, 3 * MIB);
	assert_int_equal(geometry.partitions[0].len_bytes, 125 * MIB);
	assert_int_equal(geometry.partitions[0].type, 0x83);
	assert_false(geometry.partitions[0].bootable);
	assert_int_equal(geometry.filesystem.len_bytes, 125 * MIB);
}

static void without_dax_partition_1_is_1_mib_in(void **state)
{
	struct geometry_request request = new_request(100 * MIB);
	struct geometry geometry;

	(void)state;
	request.dax = false;
	geometry = compute(&request);
	assert_int_equal(geometry.partitions[0].start_bytes, MIB);
	assert_int_equal(geometry.partitions[0].len_bytes, 127 * MIB);
}

static void one_block_more_takes_the_next_step(void **state)
{
	struct geometry_request request = new_request(125 * MIB);

	(void)state;
	assert_int_equal(compute(&request).image_bytes, 128 * MIB);
	request.fs_bytes += 4096;
	assert_int_equal(compute(&request).image_bytes, 256 * MIB);
	request.align_bytes = 2 * MIB;
	assert_int_equal(compute(&request).image_bytes, 130 * MIB);
}

static void a_window_is_a_multiple_of_the_granularity(void **state)
{
	struct geometry_request request = new_request(12288 * 5);

	(void)state;
	request.granularity = 12288;
	assert_int_equal(compute(&request).filesystem.len_bytes, 125 * MIB / 12288 * 12288);
	assert_int_equal(compute(&request).partitions[0].len_bytes, 125 * MIB);
}

static void a_fixed_size_is_kept_or_refused_with_what_is_needed(void **state)
{
	struct geometry_request request = new_request(100 * MIB);

	(void)state;
	request.size_bytes = 104 * MIB;
	assert_int_equal(compute(&request).image_bytes, 104 * MIB);
	assert_int_equal(compute(&request).filesystem.len_bytes, 101 * MIB);
	request.size_bytes = 102 * MIB;
	refuse(&request, ENOSPC, "size = 102M is too small: 104M are needed");
	request.size_bytes = 104 * MIB + 4096;
	refuse(&request, EINVAL, "multiple of 2M");
	request.dax = false;
	assert_int_equal(compute(&request).filesystem.len_bytes, 103 * MIB + 4096);
	request.size_bytes = 104 * MIB + 512;
	refuse(&request, EINVAL, "multiple of 4K");
}

static void an_alignment_that_breaks_pmem_is_refused(void **state)
{
	struct geometry_request request = new_request(MIB);

	(void)state;
	request.align_bytes = MIB;
	refuse(&request, EINVAL, "align");
	request.dax = false;
	assert_int_equal(compute(&request).image_bytes, 2 * MIB);
}

static void two_tib_is_the_end(void **state)
{
	struct geometry_request request = new_request(2 * TIB - 3 * MIB);

	(void)state;
	assert_true(compute(&request).image_bytes == 2 * TIB);
	request.fs_bytes += 4096;
	refuse(&request, EFBIG, "2 TiB");
	request.fs_bytes = UINT64_MAX / 4096 * 4096;
	refuse(&request, EFBIG, "2 TiB");
	request.fs_bytes = MIB;
	request.size_bytes = 2 * TIB + 2 * MIB;
	refuse(&request, EFBIG, "size");
}

/* As dm-verity: 128 hashes to a block, level by level. */
static uint64_t hash_tree_bytes(const void *arg, uint64_t data_bytes)
{
	uint64_t blocks = data_bytes / 4096, total = 0;

	(void)arg;
	while (blocks > 1) {
		blocks = (blocks + 127) / 128;
		total += blocks;
	}
	return total * 4096;
}

static void a_measured_image_shares_the_room_exactly(void **state)
{
	struct geometry_request request = new_request(100 * MIB);
	struct geometry geometry;
	const struct partition *data = &geometry.partitions[0], *hashes = &geometry.partitions[1];

	(void)state;
	request.hash_tree_bytes = hash_tree_bytes;
	geometry = compute(&request);
	assert_int_equal(geometry.partition_count, 2);
	assert_true(data->bootable);
	assert_false(hashes->bootable);
	assert_int_equal(data->len_bytes, geometry.filesystem.len_bytes);
	assert_int_equal(hashes->start_bytes, data->start_bytes + data->len_bytes);
	assert_int_equal(hashes->len_bytes, hash_tree_bytes(NULL, data->len_bytes));
	assert_true(hashes->start_bytes + hashes->len_bytes <= geometry.image_bytes);
	assert_true(hashes->start_bytes + 4096 + hash_tree_bytes(NULL, data->len_bytes + 4096) >
		    geometry.image_bytes);
	request.fs_bytes = 125 * MIB; /* the tree needs the next step */
	assert_int_equal(compute(&request).image_bytes, 256 * MIB);
}

/* One block would have a hash tree of none. */
static void a_measured_filesystem_has_two_blocks(void **state)
{
	struct geometry_request request = new_request(4096);
	struct geometry geometry;

	(void)state;
	request.hash_tree_bytes = hash_tree_bytes;
	request.dax = false;
	request.align_bytes = 4096;
	geometry = compute(&request);
	assert_int_equal(geometry.filesystem.len_bytes, 8192);
	assert_int_equal(geometry.partitions[1].len_bytes, 4096);
	assert_int_equal(geometry.image_bytes, MIB + 8192 + 4096);
}

static void without_a_table_the_filesystem_is_the_image(void **state)
{
	struct geometry_request request = new_request(5 * MIB);
	struct geometry geometry;

	(void)state;
	request.table = IMAGE_TABLE_NONE;
	request.dax = false;
	request.align_bytes = 2 * MIB;
	geometry = compute(&request);
	assert_int_equal(geometry.image_bytes, 6 * MIB);
	assert_int_equal(geometry.partition_count, 0);
	assert_int_equal(geometry.filesystem.start_bytes, 0);
	assert_int_equal(geometry.filesystem.len_bytes, 6 * MIB);
	request.dax = true;
	geometry = compute(&request);
	assert_int_equal(geometry.image_bytes, 8 * MIB);
	assert_int_equal(geometry.filesystem.start_bytes, 2 * MIB);
	assert_int_equal(geometry.filesystem.len_bytes, 6 * MIB);
	request.fs_bytes = 3 * TIB;
	assert_true(compute(&request).image_bytes == 3 * TIB + 2 * MIB);
	request.fs_bytes = UINT64_MAX / 4096 * 4096;
	refuse(&request, EFBIG, "does not fit a file");
	request.table = IMAGE_TABLE_DOS;
	request.fs_bytes = 3 * TIB;
	refuse(&request, EFBIG,
	       "does not fit the 2 TiB of a DOS partition table: say table = gpt or none");
}

static void what_is_no_disk_is_as_long_as_it_is(void **state)
{
	struct geometry_request request = { .fs_bytes = 512 * 77,
					    .granularity = 512,
					    .align_bytes = 1,
					    .table = IMAGE_TABLE_NONE,
					    .no_disk = true };
	struct geometry geometry = compute(&request);

	(void)state;
	assert_int_equal(geometry.image_bytes, 512 * 77);
	assert_int_equal(geometry.filesystem.start_bytes, 0);
	assert_int_equal(geometry.filesystem.len_bytes, 512 * 77);
	assert_int_equal(geometry.partition_count, 0);
	request.no_disk = false;
	refuse(&request, EINVAL, "must be a multiple of 4K");
}

static void a_hash_area_is_where_it_is_wanted(void **state)
{
	struct geometry_request request = new_request(100 * MIB);
	struct geometry geometry;

	(void)state;
	request.hash_tree_bytes = hash_tree_bytes;
	request.hash_place = HASH_APPEND;
	geometry = compute(&request);
	assert_int_equal(geometry.partition_count, 1);
	assert_int_equal(geometry.hash.start_bytes, 3 * MIB + geometry.filesystem.len_bytes);
	assert_int_equal(geometry.hash.len_bytes,
			 hash_tree_bytes(NULL, geometry.filesystem.len_bytes));
	assert_int_equal(geometry.partitions[0].len_bytes,
			 geometry.filesystem.len_bytes + geometry.hash.len_bytes);
	request.hash_place = HASH_FILE;
	geometry = compute(&request);
	assert_int_equal(geometry.hash.len_bytes, 0);
	assert_int_equal(geometry.filesystem.len_bytes, 125 * MIB);
	request.hash_place = HASH_PARTITION;
	request.signature_bytes = 16384;
	geometry = compute(&request);
	assert_int_equal(geometry.partition_count, 3);
	assert_int_equal(geometry.partitions[2].role, PARTITION_SIGNATURE);
	assert_int_equal(geometry.signature.start_bytes,
			 geometry.hash.start_bytes + geometry.hash.len_bytes);
	assert_int_equal(geometry.partitions[2].len_bytes, 16384);
	assert_true(geometry.signature.start_bytes + 16384 <= geometry.image_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_dax_partition_1_is_3_mib_in_up_to_the_last_sector),
		cmocka_unit_test(without_dax_partition_1_is_1_mib_in),
		cmocka_unit_test(one_block_more_takes_the_next_step),
		cmocka_unit_test(a_window_is_a_multiple_of_the_granularity),
		cmocka_unit_test(a_fixed_size_is_kept_or_refused_with_what_is_needed),
		cmocka_unit_test(an_alignment_that_breaks_pmem_is_refused),
		cmocka_unit_test(two_tib_is_the_end),
		cmocka_unit_test(a_measured_image_shares_the_room_exactly),
		cmocka_unit_test(a_measured_filesystem_has_two_blocks),
		cmocka_unit_test(without_a_table_the_filesystem_is_the_image),
		cmocka_unit_test(what_is_no_disk_is_as_long_as_it_is),
		cmocka_unit_test(a_hash_area_is_where_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
