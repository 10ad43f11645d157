/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of holes, in each of the three ways, and reading files that have some. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tree/segments.h"
#include "tests/support/scanned.h"

#define KIB ((uint64_t)1 << 10)

/* ---- Holes ---- */

static void assert_segments(const struct kataimg_node *node, const struct kataimg_segment *segments,
			    uint32_t count)
{
	assert_int_equal(node->segment_count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(node->segments[i].file_off, segments[i].file_off);
		assert_int_equal(node->segments[i].len, segments[i].len);
	}
}

/* Data at 100 KiB + 1, and at the end, 1 MiB + 5. */
static void make_sparse(const struct scanned *f)
{
	tempdir_write_at(&f->dir, "sparse", 100 * KIB + 1, "x", 1);
	tempdir_write_at(&f->dir, "sparse", 1024 * KIB + 4, "y", 1);
}

static void test_holes_of_source(void **state)
{
	static const struct kataimg_segment expected[] = { { 100 * KIB, 4096 }, { 1024 * KIB, 5 } };
	struct scanned *f = *state;
	struct stat st;

	make_sparse(f);
	assert_int_equal(fstatat(f->dir.fd, "sparse", &st, 0), 0);
	if (st.st_blocks * 512 != 8192)
		skip(); /* the filesystem of TMPDIR has other blocks */
	scanned_run(f, "");
	assert_segments(scanned_find(f, "sparse"), expected, 2);
}

static void test_holes_filled(void **state)
{
	static const struct kataimg_segment expected[] = { { 0, 1024 * KIB + 5 } };
	struct scanned *f = *state;

	make_sparse(f);
	f->options.holes = TREE_HOLES_FILL;
	scanned_run(f, "");
	assert_segments(scanned_find(f, "sparse"), expected, 1);
}

/* By content alone: a file with holes and one with zeros are the same. */
static void test_holes_detected(void **state)
{
	static const struct kataimg_segment expected[] = { { 64 * KIB, 64 * KIB },
							   { 1024 * KIB, 5 } };
	static const struct kataimg_segment small[] = { { 0, 60 * KIB } };
	struct scanned *f = *state;
	char *zeros = calloc(1, 1024 * KIB + 5);

	assert_non_null(zeros);
	make_sparse(f);
	zeros[100 * KIB + 1] = 'x';
	zeros[1024 * KIB + 4] = 'y';
	tempdir_write(&f->dir, "dense", zeros, 1024 * KIB + 5);
	memset(zeros, 0, 1024 * KIB);
	tempdir_write(&f->dir, "small", zeros, 60 * KIB);
	tempdir_write(&f->dir, "zeros", zeros, 1024 * KIB);
	free(zeros);
	f->options.holes = TREE_HOLES_DETECT;
	scanned_run(f, "");
	assert_segments(scanned_find(f, "sparse"), expected, 2);
	assert_segments(scanned_find(f, "dense"), expected, 2);
	assert_segments(scanned_find(f, "small"), small, 1);
	assert_segments(scanned_find(f, "zeros"), NULL, 0);
}

/* Every block that is zeros, whatever is around it; less than a block is data. */
static void test_holes_of_blocks(void **state)
{
	static const struct kataimg_segment expected[] = { { 4 * KIB, 4 * KIB },
							   { 68 * KIB, 64 * KIB },
							   { 136 * KIB, 3 } };
	static const struct kataimg_segment tail[] = { { 0, 100 } };
	struct scanned *f = *state;
	char *bytes = calloc(1, 136 * KIB + 3);

	assert_non_null(bytes);
	bytes[8 * KIB - 1] = 'x';
	memset(bytes + 68 * KIB, 'y', 64 * KIB);
	tempdir_write(&f->dir, "file", bytes, 136 * KIB + 3);
	memset(bytes, 0, 136 * KIB);
	tempdir_write(&f->dir, "tail", bytes, 100);
	tempdir_write(&f->dir, "zeros", bytes, 136 * KIB);
	free(bytes);
	f->options.holes = TREE_HOLES_BLOCKS;
	scanned_run(f, "");
	assert_segments(scanned_find(f, "file"), expected, 3);
	assert_segments(scanned_find(f, "tail"), tail, 1);
	assert_segments(scanned_find(f, "zeros"), NULL, 0);
}

/* Reading them all would take minutes. */
static void test_detect_skips_holes(void **state)
{
	static const struct kataimg_segment expected[] = { { UINT64_C(1) << 40, 1 } };
	struct scanned *f = *state;
	struct stat st;

	tempdir_write_at(&f->dir, "vast", UINT64_C(1) << 40, "x", 1);
	assert_int_equal(fstatat(f->dir.fd, "vast", &st, 0), 0);
	if (st.st_blocks > 1000)
		skip(); /* the filesystem of TMPDIR knows no holes */
	f->options.holes = TREE_HOLES_DETECT;
	scanned_run(f, "");
	assert_segments(scanned_find(f, "vast"), expected, 1);
}

static void test_read(void **state)
{
	struct scanned *f = *state;
	char got[16];

	make_sparse(f);
	scanned_run(f, "");
	memset(got, 1, sizeof(got));
	assert_int_equal(
		tree_read(f->tree, scanned_find(f, "sparse"), 100 * KIB - 8, got, 16, &f->error),
		0);
	assert_memory_equal(got, "\0\0\0\0\0\0\0\0\0x\0\0\0\0\0\0", 16);
	assert_int_equal(
		tree_read(f->tree, scanned_find(f, "sparse"), 1024 * KIB, got, 5, &f->error), 0);
	assert_memory_equal(got, "\0\0\0\0y", 5);
	assert_int_equal(
		tree_read(f->tree, scanned_find(f, "sparse"), 1024 * KIB, got, 6, &f->error),
		-ERANGE);
}

/* What proc does not know of holes is no hole. */
static void test_no_map(void **state)
{
	struct segments list = { 0 };
	int fd = open("/proc/version", O_RDONLY);

	(void)state;
	if (fd < 0)
		skip();
	assert_int_equal(segments_of_file(&list, fd, 20, TREE_HOLES_SOURCE), 0);
	close(fd);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].file_off, 0);
	assert_int_equal(list.items[0].len, 20);
	segments_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCANNED_TEST(test_holes_of_source),
		SCANNED_TEST(test_holes_filled),
		SCANNED_TEST(test_holes_detected),
		SCANNED_TEST(test_holes_of_blocks),
		SCANNED_TEST(test_detect_skips_holes),
		SCANNED_TEST(test_read),
		SCANNED_TEST(test_no_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
