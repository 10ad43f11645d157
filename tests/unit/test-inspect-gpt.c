/* SPDX-License-Identifier: Apache-2.0 */
/* GPTs whose two headers disagree, or are beyond all sizes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/format/discoverable.h"
#include "core/inspect/inspect.h"
#include "lib/byteorder.h"
#include "tests/support/inspected.h"
#include "tests/support/memfile.h"

#define MIB (UINT64_C(1) << 20)

/* A filesystem is wherever somebody asks. */
static int probe(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		 char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	(void)arg;
	(void)fd;
	(void)off;
	(void)len;
	(void)error;
	strcpy(info->type, "toyfs");
	strcpy(backend, "toy");
	return 0;
}

static void inspect(int fd, struct inspection *inspection)
{
	const struct inspect_probe prober = { .probe = probe };

	inspected(fd, &prober, inspection);
}

#define HEADER 512u
#define ENTRIES 1024u

/* An arm64 root and its hash tree; both halves, to be changed and sealed again. */
struct table {
	struct geometry geometry;
	uint8_t head[GPT_HEAD_BYTES], tail[GPT_TAIL_BYTES];
};

static struct table new_table(void)
{
	struct gpt_labels labels = { 0 };
	autoerror struct error error = ERROR_INIT;
	struct table table = { .geometry = { .image_bytes = 8 * MIB,
					     .table = IMAGE_TABLE_GPT,
					     .partition_count = 2,
					     .partitions = { { .role = PARTITION_ROOT,
							       .start_bytes = MIB,
							       .len_bytes = 4 * MIB },
							     { .role = PARTITION_VERITY,
							       .start_bytes = 5 * MIB,
							       .len_bytes = 12288 } } } };

	memset(labels.disk_guid, 0xd1, GUID_BYTES);
	for (int i = 0; i < 2; i++) {
		discoverable_type("arm64", (enum partition_role)i, labels.partitions[i].type);
		memset(labels.partitions[i].guid, 0xa0 + i, GUID_BYTES);
	}
	assert_int_equal(gpt_encode(&table.geometry, &labels, table.head, table.tail, &error), 0);
	return table;
}

static void seal(uint8_t *header)
{
	le32 sum = to_le32(0);

	memcpy(header + 16, &sum, sizeof(sum));
	sum = to_le32(gpt_crc32(0, header, 92));
	memcpy(header + 16, &sum, sizeof(sum));
}

static void seal_entries(uint8_t *header, const uint8_t *entries, size_t len)
{
	le32 sum = to_le32(gpt_crc32(0, entries, len));

	memcpy(header + 88, &sum, sizeof(sum));
	seal(header);
}

static int write_table(const struct table *table, uint64_t image_bytes)
{
	int fd = memfile_new(image_bytes);

	memfile_put(fd, table->head, sizeof(table->head), 0);
	memfile_put(fd, table->tail, sizeof(table->tail), 8 * MIB - sizeof(table->tail));
	return fd;
}

static void judge(const struct table *table, uint64_t image_bytes, struct inspection *inspection)
{
	int fd = write_table(table, image_bytes);

	inspect(fd, inspection);
	close(fd);
}

static void a_right_gpt_has_no_problem(void **state)
{
	struct table table = new_table();
	struct inspection inspection;

	(void)state;
	judge(&table, 8 * MIB, &inspection);
	assert_int_equal(inspection.problems.count + inspection.notes.count, 0);
	assert_int_equal(inspection.hash_partition, 2);
	inspect_clear(&inspection);
}

/* Bytes of the first header that may be any, if the backup has them too. */
static void headers_that_disagree_are_seen(void **state)
{
	static const struct {
		size_t off;
		uint8_t flip;
	} bytes[] = {
		{ 41, 8 }, /* the first usable sector, 2048, becomes 0 */
		{ 48, 1 }, /* the last */
		{ 56, 1 }, /* the disk's GUID */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		struct table table = new_table();
		struct inspection inspection;

		table.head[HEADER + bytes[i].off] ^= bytes[i].flip;
		seal(table.head + HEADER);
		judge(&table, 8 * MIB, &inspection);
		inspected_only(&inspection.problems, "the GPT and its backup say different things");
		inspect_clear(&inspection);
	}
}

static void entries_that_disagree_are_seen(void **state)
{
	struct table table = new_table();
	struct inspection inspection;
	uint8_t wide[256 * 128] = { 0 };

	(void)state;
	table.head[ENTRIES + 56] ^= 1; /* a letter of the name */
	seal_entries(table.head + HEADER, table.head + ENTRIES, (size_t)128 * 128);
	judge(&table, 8 * MIB, &inspection);
	inspected_only(&inspection.problems, "the GPT and its backup say different things");
	inspect_clear(&inspection);

	table = new_table();
	table.head[HEADER + 80] = 64; /* entries */
	seal_entries(table.head + HEADER, table.head + ENTRIES, (size_t)64 * 128);
	judge(&table, 8 * MIB, &inspection);
	inspected_only(&inspection.problems, "the GPT and its backup say different things");
	inspect_clear(&inspection);

	table = new_table();
	table.head[HEADER + 84] = 0; /* entries of 256 bytes */
	table.head[HEADER + 85] = 1;
	memcpy(wide, table.head + ENTRIES, sizeof(table.head) - ENTRIES);
	seal_entries(table.head + HEADER, wide, sizeof(wide));
	judge(&table, 8 * MIB, &inspection);
	inspected_only(&inspection.problems, "the GPT and its backup say different things");
	assert_int_equal(inspection.partition_count, 1);
	inspect_clear(&inspection);

	table = new_table();
	table.tail[32 * 512 + 32] = 2; /* where the backup has the other one */
	seal(table.tail + (size_t)32 * 512);
	judge(&table, 8 * MIB, &inspection);
	inspected_only(&inspection.problems, "the GPT and its backup say different things");
	inspect_clear(&inspection);
}

static void images_that_grew_have_their_backup_inside(void **state)
{
	struct table table = new_table();
	struct inspection inspection;

	(void)state;
	memset(table.head + 446 + 12, 0xff, 4); /* the protective partition: all there is */
	judge(&table, 10 * MIB, &inspection);
	assert_int_equal(inspection.problems.count, 0);
	inspected_only(&inspection.notes,
		       "the GPT's backup is not at the end of the image: it has been made longer "
		       "since");
	inspect_clear(&inspection);
	table = new_table();
	judge(&table, 10 * MIB, &inspection);
	assert_int_equal(inspection.notes.count, 2);
	assert_string_equal(inspection.notes.sentences[0],
			    "the protective MBR protects 16383 sectors, there are 20479");
	inspect_clear(&inspection);
}

/* Of two architectures' partitions those belong together that are of one. */
static void a_hash_tree_is_of_its_roots_architecture(void **state)
{
	struct table table = new_table();
	struct inspection inspection;

	(void)state;
	discoverable_type("x86-64", PARTITION_VERITY, table.head + ENTRIES + 128);
	memcpy(table.tail, table.head + ENTRIES, (size_t)128 * 128);
	seal_entries(table.head + HEADER, table.head + ENTRIES, (size_t)128 * 128);
	seal_entries(table.tail + (size_t)32 * 512, table.tail, (size_t)128 * 128);
	judge(&table, 8 * MIB, &inspection);
	assert_int_equal(inspection.problems.count, 0);
	assert_int_equal(inspection.root_partition, 1);
	assert_int_equal(inspection.hash_partition, 0);
	inspect_clear(&inspection);
}

/* What says where its other half is, beyond all numbers, or how many entries there are. */
static void numbers_beyond_all_sizes_are_seen(void **state)
{
	struct table table = new_table();
	struct inspection inspection;

	(void)state;
	memset(table.head + HEADER + 32, 0xff, 8);
	seal(table.head + HEADER);
	judge(&table, 8 * MIB, &inspection);
	inspected_only(&inspection.problems, "the GPT's backup header is not there");
	inspect_clear(&inspection);
	for (int i = 0; i < 2; i++) {
		table = new_table();
		if (i == 0)
			memset(table.head + HEADER + 72, 0xff, 8); /* where the entries are */
		else
			memset(table.head + HEADER + 80, 0xff, 4); /* how many */
		seal(table.head + HEADER);
		judge(&table, 8 * MIB, &inspection);
		inspected_only(
			&inspection.problems,
			"the GPT's header at its beginning belongs to other entries than are "
			"there: guests see no partition");
		inspect_clear(&inspection);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_gpt_has_no_problem),
		cmocka_unit_test(headers_that_disagree_are_seen),
		cmocka_unit_test(entries_that_disagree_are_seen),
		cmocka_unit_test(images_that_grew_have_their_backup_inside),
		cmocka_unit_test(a_hash_tree_is_of_its_roots_architecture),
		cmocka_unit_test(numbers_beyond_all_sizes_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
