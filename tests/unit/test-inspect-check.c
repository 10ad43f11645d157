/* SPDX-License-Identifier: Apache-2.0 */
/* A finished image held against what was asked for, and bare filesystems. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/inspect/inspect.h"
#include "tests/support/inspected.h"
#include "tests/support/memfile.h"

#define MIB (UINT64_C(1) << 20)

/* What the only backend says of any place: an answer, and a filesystem of so many bytes. */
struct answer {
	int ret;
	const char *why;
	uint64_t bytes;
	char label[64];
};

static int probe(void *arg, int fd, uint64_t off, uint64_t len, struct kataimg_fs_info *info,
		 char backend[INSPECT_BACKEND_NAME_BYTES], struct error *error)
{
	const struct answer *answer = arg;

	(void)fd;
	(void)off;
	(void)len;
	if (answer->why)
		return error_set(error, -answer->ret, "%s", answer->why);
	strcpy(info->type, "toyfs");
	memcpy(info->label, answer->label, sizeof(info->label));
	info->size_bytes = answer->bytes;
	if (answer->ret == 0)
		strcpy(backend, "toy");
	return answer->ret;
}

static struct geometry new_geometry(enum image_table table)
{
	const struct geometry_request request = {
		.fs_bytes = 2 * MIB, .granularity = 4096, .align_bytes = 4 * MIB, .table = table
	};
	autoerror struct error error = ERROR_INIT;
	struct geometry geometry;

	assert_int_equal(geometry_compute(&request, &geometry, &error), 0);
	return geometry;
}

/* ---- Held against a geometry ---- */

static int new_dos_image(const struct geometry *geometry)
{
	autoerror struct error error = ERROR_INIT;
	int fd = memfile_new(geometry->image_bytes);
	uint8_t sector[MBR_BYTES];

	assert_int_equal(mbr_encode(geometry, 0, sector, &error), 0);
	memfile_put(fd, sector, sizeof(sector), 0);
	return fd;
}

static void expect(int fd, const struct geometry *geometry, const char *words)
{
	struct answer answer = { .bytes = 2 * MIB };
	const struct inspect_probe prober = { .probe = probe, .arg = &answer };
	autoerror struct error error = ERROR_INIT;
	char message[256];

	snprintf(message, sizeof(message), "the finished image is not right: %s", words);
	assert_int_equal(inspect_check(fd, geometry, &prober, &error), -EBADMSG);
	assert_string_equal(error.message, message);
}

static void what_is_there_is_what_was_asked_for(void **state)
{
	const struct geometry is = new_geometry(IMAGE_TABLE_DOS);
	struct answer answer = { .bytes = 2 * MIB };
	const struct inspect_probe prober = { .probe = probe, .arg = &answer };
	autoerror struct error error = ERROR_INIT;
	struct geometry shall = is;
	int fd = new_dos_image(&is);

	(void)state;
	assert_int_equal(inspect_check(fd, &is, &prober, &error), 0);
	shall.image_bytes = 8 * MIB;
	expect(fd, &shall, "it has 4194304 bytes instead of 8388608");
	shall = is;
	shall.table = IMAGE_TABLE_GPT;
	expect(fd, &shall, "its partition table is dos instead of gpt");
	shall = is;
	shall.dax = true;
	expect(fd, &shall, "the info block is missing");
	shall = is;
	shall.filesystem.len_bytes = MIB;
	expect(fd, &shall, "the filesystem has 2097152 bytes in a window of 1048576");
	shall = is;
	shall.filesystem.start_bytes = 4096;
	expect(fd, &shall, "the filesystem starts at 1048576 instead of 4096");
	close(fd);
}

static void partitions_are_those_that_were_asked_for(void **state)
{
	const struct geometry is = new_geometry(IMAGE_TABLE_DOS);
	const char *differs = "partition 1 is [1048576, +3145728) instead of [1048576, +3145728)";
	struct geometry shall = is;
	int fd = new_dos_image(&is);

	(void)state;
	shall.partitions[0].start_bytes = 4096;
	expect(fd, &shall, "partition 1 is [1048576, +3145728) instead of [4096, +3145728)");
	shall = is;
	shall.partitions[0].len_bytes = MIB;
	expect(fd, &shall, "partition 1 is [1048576, +3145728) instead of [1048576, +1048576)");
	shall = is;
	shall.partitions[0].type = 0x82;
	expect(fd, &shall, differs);
	shall = is;
	shall.partitions[0].bootable = !is.partitions[0].bootable;
	expect(fd, &shall, differs);
	shall = is;
	shall.partition_count = 2;
	shall.partitions[1] = (struct partition){ .start_bytes = MIB, .len_bytes = MIB };
	expect(fd, &shall, "partition 2 is [0, +0) instead of [1048576, +1048576)");
	shall.partition_count = 0;
	expect(fd, &shall, "partition 1 is [1048576, +3145728) instead of [0, +0)");
	close(fd);
}

static void an_info_block_that_nobody_asked_for_is_seen(void **state)
{
	const struct geometry_request request = { .fs_bytes = 2 * MIB,
						  .granularity = 4096,
						  .align_bytes = 2 * MIB,
						  .table = IMAGE_TABLE_NONE,
						  .dax = true };
	autoerror struct error error = ERROR_INIT;
	struct geometry geometry;
	uint8_t block[DAX_INFO_BYTES], sector[MBR_BYTES];
	int fd;

	(void)state;
	assert_int_equal(geometry_compute(&request, &geometry, &error), 0);
	fd = memfile_new(geometry.image_bytes);
	dax_encode(block);
	memfile_put(fd, block, sizeof(block), DAX_INFO_OFFSET);
	assert_int_equal(mbr_encode(&geometry, 0, sector, &error), 0);
	geometry.dax = false;
	expect(fd, &geometry, "the info block is there, but should not be");
	close(fd);
}

/* ---- One inspection ---- */

static void inspect(int fd, struct answer *answer, struct inspection *inspection)
{
	const struct inspect_probe prober = { .probe = probe, .arg = answer };

	inspected(fd, &prober, inspection);
}

/* An EROFS superblock begins so: magic number, and blocks of 2^12 bytes. */
static void make_look_like_erofs(int fd)
{
	const uint8_t super[] = { 0xe2, 0xe1, 0xf5, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 12 };

	memfile_put(fd, super, sizeof(super), 1024);
}

static void bare_filesystems_are_judged(void **state)
{
	const struct {
		struct answer answer;
		const char *words;
	} cases[] = {
		{ { .bytes = 5 * MIB }, "the filesystem has 5242880 bytes, its device 4194304" },
		{ { .ret = -EIO }, "the filesystem is broken: no reason given" },
		{ { .ret = -EUCLEAN, .why = "toyfs: a block" },
		  "the filesystem is broken: toyfs: a block" },
		/* Whoever cannot say which backends there are has them all. */
		{ { .ret = -ENODATA },
		  "the image looks like erofs, but its superblock is not one that the backend "
		  "erofs knows" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer = cases[i].answer;
		struct inspection inspection;
		int fd = memfile_new(4 * MIB);

		make_look_like_erofs(fd);
		inspect(fd, &answer, &inspection);
		inspected_only(&inspection.problems, cases[i].words);
		inspect_clear(&inspection);
		close(fd);
	}
}

static char *print(const struct inspection *inspection)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(inspect_print_text(inspection, "kata.img", out), 0);
	fclose(out);
	return text;
}

/* As long as a label can be, and of bytes that a terminal must not see. */
static void labels_are_shown_as_bytes(void **state)
{
	struct answer answer = { .bytes = MIB };
	struct inspection inspection;
	int fd = memfile_new(4 * MIB);
	char *text;

	(void)state;
	memset(answer.label, 'x', sizeof(answer.label));
	answer.label[0] = '\\';
	answer.label[1] = '\x1b';
	answer.label[2] = '\xff';
	inspect(fd, &answer, &inspection);
	text = print(&inspection);
	assert_non_null(strstr(text,
			       "\"\\x5c\\x1b\\xff"
			       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
			       "\n"));
	free(text);
	inspect_clear(&inspection);
	close(fd);
}

static void printing_that_fails_is_told(void **state)
{
	struct answer answer = { .bytes = MIB };
	struct inspection inspection;
	int fd = memfile_new(4 * MIB);
	FILE *full = fopen("/dev/full", "w"), *none = fopen("/dev/null", "r");

	(void)state;
	inspect(fd, &answer, &inspection);
	assert_int_equal(inspect_print_text(&inspection, "kata.img", full), -ENOSPC);
	assert_int_equal(inspect_print_text(&inspection, "kata.img", none), -EBADF);
	fclose(full);
	fclose(none);
	inspect_clear(&inspection);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_what_was_asked_for),
		cmocka_unit_test(partitions_are_those_that_were_asked_for),
		cmocka_unit_test(an_info_block_that_nobody_asked_for_is_seen),
		cmocka_unit_test(bare_filesystems_are_judged),
		cmocka_unit_test(labels_are_shown_as_bytes),
		cmocka_unit_test(printing_that_fails_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
