/* SPDX-License-Identifier: Apache-2.0 */
/* The copy engine: sources that change, an image that cannot be written, and which error is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/tree/reader.h"
#include "tests/support/copying.h"

static void prepare_change(struct copying *f, size_t size)
{
	tempdir_mkdir(&f->scanned.dir, "source/dir");
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, size);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/victim", 1000, 5);
	copying_scan(f);
	copying_place(f, "dir/victim", 0);
}

static void test_shrank(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 3 * MIB);
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, 3 * MIB - 1);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim shrank");
}

static void test_grew(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	tempdir_fill(&f->scanned.dir, "source/dir/victim", 1, 101);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim grew");
}

static void test_written(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/victim", 1000, 6);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim was written");
}

static void test_replaced(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	tempdir_fill(&f->scanned.dir, "source/dir/other", 1, 100);
	tempdir_set_mtime(&f->scanned.dir, "source/dir/other", 1000, 5);
	assert_int_equal(renameat(f->scanned.dir.fd, "source/dir/other", f->scanned.dir.fd,
				  "source/dir/victim"),
			 0);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim was replaced");
}

static void test_vanished(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim vanished");
}

/* Its bytes are still there then, but only for who has it open. */
static void test_vanished_while_open(void **state)
{
	struct copying *f = *state;
	struct tree_reader *reader autocall(cleanup_tree_reader_free) = NULL;

	prepare_change(f, 100);
	reader = tree_reader_new(f->scanned.tree);
	assert_non_null(reader);
	assert_true(tree_reader_open(reader, scanned_find(&f->scanned, "dir/victim"),
				     &f->scanned.error) >= 0);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	scanned_assert_failed(&f->scanned, tree_reader_check(reader, &f->scanned.error), ESTALE,
			      "dir/victim vanished");
}

static void test_fifo_now(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	assert_int_equal(unlinkat(f->scanned.dir.fd, "source/dir/victim", 0), 0);
	assert_int_equal(mkfifoat(f->scanned.dir.fd, "source/dir/victim", 0600), 0);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim was replaced");
}

/* The same file is still to be had through the link, and must not be. */
static void test_link_on_the_way(void **state)
{
	struct copying *f = *state;

	prepare_change(f, 100);
	assert_int_equal(renameat(f->scanned.dir.fd, "source/dir", f->scanned.dir.fd, "elsewhere"),
			 0);
	assert_int_equal(symlinkat("../elsewhere", f->scanned.dir.fd, "source/dir"), 0);
	scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "dir/victim vanished");
}

static void test_lowest_error(void **state)
{
	char name[32];

	for (unsigned int threads = 1; threads <= 8; threads *= 2) {
		struct copying *f = *state;

		for (unsigned int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "source/f%02u", i);
			tempdir_fill(&f->scanned.dir, name, i, 50000);
		}
		copying_scan(f);
		for (unsigned int i = 0; i < 40; i++) {
			snprintf(name, sizeof(name), "f%02u", i);
			copying_place(f, name, i * MIB);
		}
		for (unsigned int i = 7; i < 40; i++) {
			snprintf(name, sizeof(name), "source/f%02u", i);
			assert_int_equal(unlinkat(f->scanned.dir.fd, name, 0), 0);
		}
		f->options.threads = threads;
		scanned_assert_failed(&f->scanned, copying_run(f), ESTALE, "f07 vanished");
		copying_tear_down(state);
		assert_int_equal(copying_set_up(state), 0);
	}
}

static void test_image_cannot_be_written(void **state)
{
	struct copying *f = *state;
	int fd = openat(f->scanned.dir.fd, "image", O_RDONLY | O_CLOEXEC);

	tempdir_fill(&f->scanned.dir, "source/a", 1, 100);
	copying_scan(f);
	copying_place(f, "a", 0);
	close(f->image);
	f->image = fd;
	scanned_assert_failed(&f->scanned, copying_run(f), EBADF, "cannot write the image");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COPYING_TEST(test_shrank),       COPYING_TEST(test_grew),
		COPYING_TEST(test_written),      COPYING_TEST(test_replaced),
		COPYING_TEST(test_vanished),     COPYING_TEST(test_vanished_while_open),
		COPYING_TEST(test_fifo_now),     COPYING_TEST(test_link_on_the_way),
		COPYING_TEST(test_lowest_error), COPYING_TEST(test_image_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
