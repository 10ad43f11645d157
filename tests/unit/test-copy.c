/* SPDX-License-Identifier: Apache-2.0 */
/* The copy engine, from real files into a real image file: what is written at once, and when. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/cancel.h"
#include "tests/support/copying.h"

/* ---- Many files ---- */

#define FILES 700

static size_t size_of_file(unsigned int i)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 100, 12288, 9000, 65536, 70001, 3 };

	return sizes[i % 10];
}

static void make_many(struct copying *f)
{
	char name[64];

	for (unsigned int d = 0; d < 7; d++) {
		snprintf(name, sizeof(name), "source/%u", d);
		tempdir_mkdir(&f->scanned.dir, name);
	}
	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "source/%u/file%u", i % 7, i);
		tempdir_fill(&f->scanned.dir, name, i, size_of_file(i));
	}
	copying_scan(f);
}

/* Block after block, in the order of the numbers, which is not the tree's. */
static void place_many(struct copying *f)
{
	uint64_t off = 0;
	char name[64];

	for (unsigned int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "%u/file%u", i % 7, i);
		assert_int_equal(copy_add_node(f->copy, off, scanned_find(&f->scanned, name), 0,
					       size_of_file(i)),
				 0);
		off += (size_of_file(i) + BLOCK - 1) / BLOCK * BLOCK;
	}
	assert_int_equal(ftruncate(f->image, (off_t)off), 0);
}

static void check_many(const struct copying *f)
{
	uint64_t off = 0;

	for (unsigned int i = 0; i < FILES; i++) {
		size_t size = size_of_file(i), blocks = (size + BLOCK - 1) / BLOCK * BLOCK;

		copying_assert_pattern(f, off, i, 0, size);
		copying_assert_zeros(f, off + size, blocks - size);
		off += blocks;
	}
}

static void copy_many(struct copying *f, unsigned int threads)
{
	make_many(f);
	place_many(f);
	f->options.threads = threads;
	copying_run_ok(f);
	check_many(f);
	assert_int_equal(f->stats.jobs, FILES);
	assert_int_equal(f->stats.files, FILES);
}

static void test_gathers(void **state)
{
	struct copying *f = *state;
	struct stat image;

	copy_many(f, 1);
	/* 1 MiB at a time, whatever the files' sizes; a batch ends early when a file does not fit.
	 */
	assert_int_equal(fstat(f->image, &image), 0);
	assert_in_range(f->stats.writes, (uint64_t)image.st_size / MIB,
			(uint64_t)image.st_size * 9 / 8 / MIB + 1);
}

static void test_gathers_2_threads(void **state)
{
	copy_many(*state, 2);
}

static void test_gathers_8_threads(void **state)
{
	copy_many(*state, 8);
}

/* ---- Gaps ---- */

static void test_gap_with_metadata(void **state)
{
	struct copying *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 200);
	tempdir_fill(&f->scanned.dir, "source/c", 3, 300);
	copying_scan(f);
	assert_int_equal(pwrite(f->image, "inode", 5, BLOCK + 300), 5);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "a"), 0, 100), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK, scanned_find(&f->scanned, "b"), 0, 200), 0);
	assert_int_equal(copy_add_node(f->copy, 2 * BLOCK, scanned_find(&f->scanned, "c"), 0, 300),
			 0);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 300, 5), 0);
	copying_run_ok(f);
	copying_assert_pattern(f, 0, 1, 0, 100);
	copying_assert_pattern(f, BLOCK, 2, 0, 200);
	copying_assert_image(f, BLOCK + 300, "inode", 5);
	copying_assert_pattern(f, 2 * BLOCK, 3, 0, 300);
	assert_int_equal(f->stats.writes, 2);
	assert_int_equal(f->stats.written_bytes, BLOCK + 200 + 300);
}

/* What is claimed twice is refused, and leaves no trace. */
static void test_claims(void **state)
{
	struct copying *f = *state;
	const struct kataimg_node *node;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	copying_scan(f);
	node = scanned_find(&f->scanned, "a");
	assert_int_equal(copy_add_written(f->copy, BLOCK, 10), 0);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 5, 10), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK + 14, node, 0, 100), -EEXIST);
	assert_int_equal(copy_add_node(f->copy, BLOCK + 15, node, 0, 100), 0);
	assert_int_equal(copy_add_fd(f->copy, BLOCK + 114, f->image, 0, 1), -EEXIST);
	assert_int_equal(copy_add_written(f->copy, BLOCK + 100, 1), -EEXIST);
	assert_false(copy_touches_data(f->copy, 0, BLOCK + 15));
	assert_true(copy_touches_data(f->copy, BLOCK + 114, 1));
	copying_run_ok(f);
	assert_int_equal(f->stats.jobs, 1);
}

/* Whole blocks in between are nobody's business. */
static void test_gap_of_blocks(void **state)
{
	struct copying *f = *state;

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	tempdir_fill(&f->scanned.dir, "source/b", 2, 200);
	copying_scan(f);
	assert_int_equal(copy_add_node(f->copy, 0, scanned_find(&f->scanned, "a"), 0, 100), 0);
	assert_int_equal(copy_add_node(f->copy, 2 * BLOCK, scanned_find(&f->scanned, "b"), 0, 200),
			 0);
	copying_run_ok(f);
	assert_int_equal(f->stats.writes, 2);
	assert_int_equal(f->stats.written_bytes, 300);
	copying_assert_pattern(f, 2 * BLOCK, 2, 0, 200);
}

/* ---- A second run ---- */

/* Holds jobs of one second run against those of the first: -EUCLEAN and the place, or 0. */
static void assert_again(struct copy *again, const char *place)
{
	autoerror struct error error = ERROR_INIT;
	int ret = copy_check_same(again, &error);

	assert_int_equal(ret, place ? -EUCLEAN : 0);
	if (place)
		assert_non_null(strstr(error.message, place));
	copy_free(again);
}

static struct copy *begin_again(struct copying *f)
{
	struct copy *again = copy_new_again(f->copy);

	assert_non_null(again);
	return again;
}

/* Whatever comes first, whatever the rest is. */
static void test_again(void **state)
{
	struct copying *f = *state;
	const struct kataimg_node *node;
	struct copy *again;

	tempdir_fill(&f->scanned.dir, "source/file", 1, 3 * BLOCK);
	copying_scan(f);
	node = scanned_find(&f->scanned, "file");
	assert_int_equal(copy_add_node(f->copy, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(f->copy, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(f->copy, 20 * BLOCK, f->image, 0, BLOCK), 0);

	again = begin_again(f);
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->scanned.dir.fd, 0, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), -EEXIST);
	assert_again(again, NULL);

	again = begin_again(f); /* one is missing */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->image, 0, BLOCK), 0);
	assert_again(again, "(at byte 32768 ");

	again = begin_again(f); /* one is more, behind all */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_fd(again, 20 * BLOCK, f->image, 0, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 30 * BLOCK, node, 0, BLOCK), 0);
	assert_again(again, "(at byte 122880 ");

	again = begin_again(f); /* one is of another part, and one of a file, not of scratch */
	assert_int_equal(copy_add_node(again, BLOCK, node, 0, 3 * BLOCK), 0);
	assert_int_equal(copy_add_node(again, 8 * BLOCK, node, 2 * BLOCK, BLOCK), 0);
	assert_int_equal(copy_add_node(again, 20 * BLOCK, node, 0, BLOCK), 0);
	assert_again(again, "(at byte 32768 ");
}

/* ---- How far it is ---- */

struct watch {
	uint64_t last_done, total;
	unsigned int calls, cancel_at;
};

static void watch_progress(void *arg, uint64_t done, uint64_t total)
{
	struct watch *watch = arg;

	assert_true(done >= watch->last_done && done <= total);
	watch->last_done = done;
	watch->total = total;
	if (++watch->calls == watch->cancel_at)
		cancel_request();
}

static void test_progress(void **state)
{
	struct copying *f = *state;
	struct watch watch = { 0 };

	make_many(f);
	place_many(f);
	f->options.threads = 4;
	f->options.progress = watch_progress;
	f->options.progress_arg = &watch;
	copying_run_ok(f);
	assert_in_range(watch.calls, 2, FILES + 8);
	assert_int_equal(watch.last_done, watch.total);
}

static void test_cancel(void **state)
{
	struct copying *f = *state;
	struct watch watch = { .cancel_at = 1 };

	tempdir_fill(&f->scanned.dir, "source/large", 9, 40 * MIB);
	copying_scan(f);
	copying_place(f, "large", 0);
	f->options.threads = 2;
	f->options.progress = watch_progress;
	f->options.progress_arg = &watch;
	scanned_assert_failed(&f->scanned, copying_run(f), ECANCELED, "interrupted");
	assert_in_range(watch.last_done, 8 * MIB, 16 * MIB);
}

static void test_nothing_to_do(void **state)
{
	struct copying *f = *state;

	copying_scan(f);
	copying_run_ok(f);
	assert_int_equal(f->stats.jobs, 0);
	assert_int_equal(f->stats.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COPYING_TEST(test_gathers),
		COPYING_TEST(test_gathers_2_threads),
		COPYING_TEST(test_gathers_8_threads),
		COPYING_TEST(test_claims),
		COPYING_TEST(test_gap_with_metadata),
		COPYING_TEST(test_gap_of_blocks),
		COPYING_TEST(test_again),
		COPYING_TEST(test_progress),
		COPYING_TEST(test_cancel),
		COPYING_TEST(test_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
