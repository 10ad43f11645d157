/* SPDX-License-Identifier: Apache-2.0 */
/* Two trees whose files change between the scan and the end of the comparison. */
#include "core/diff/diff.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/tempdir.h"

/* So much is read at once, of which two pieces are compared one after the other. */
#define PIECE_BYTES ((size_t)4 << 20)

struct sides {
	struct tempdir dir;
	struct tree *a, *b;
	struct diff diff;
	struct error error;
	const char *changing; /* by progress, the first time */
};

static int set_up(void **state)
{
	struct sides *sides = calloc(1, sizeof(*sides));

	assert_non_null(sides);
	tempdir_open(&sides->dir);
	tempdir_mkdir(&sides->dir, "a");
	tempdir_mkdir(&sides->dir, "b");
	sides->error = ERROR_INIT;
	*state = sides;
	return 0;
}

static int tear_down(void **state)
{
	struct sides *sides = *state;

	diff_free(&sides->diff);
	tree_free(sides->a);
	tree_free(sides->b);
	error_clear(&sides->error);
	tempdir_close(&sides->dir);
	free(sides);
	return 0;
}

/* A file that both sides have, of the same time. */
static void put(const struct sides *sides, const char *in_a, const char *in_b, size_t len)
{
	tempdir_fill(&sides->dir, in_a, 1, len);
	tempdir_fill(&sides->dir, in_b, 1, len);
	tempdir_set_mtime(&sides->dir, in_a, 1, 0);
	tempdir_set_mtime(&sides->dir, in_b, 1, 0);
}

static struct tree *scan(struct sides *sides, const char *name)
{
	const struct tree_options options = { .holes = TREE_HOLES_SOURCE, .threads = 1 };
	struct tree *tree = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", sides->dir.path, name);
	assert_int_equal(tree_scan_directory(path, &options, &tree, &sides->error), 0);
	return tree;
}

static void change_once(void *arg, uint64_t done, uint64_t total)
{
	struct sides *sides = arg;

	if (done < total && sides->changing)
		tempdir_set_mtime(&sides->dir, sides->changing, 2, 0);
	sides->changing = NULL;
}

static int run(struct sides *sides)
{
	const struct diff_options options = { .threads = 1,
					      .progress = change_once,
					      .progress_arg = sides };

	return diff_run(sides->a, sides->b, &options, &sides->diff, &sides->error);
}

static void changed(struct sides *sides, int ret)
{
	assert_int_equal(ret, -ESTALE);
	assert_string_equal(sides->error.message,
			    "the source's f was written while it was read: do it again with a "
			    "source at rest");
}

static void before_it_is_read(struct sides *sides, const char *path)
{
	put(sides, "a/f", "b/f", 100);
	sides->a = scan(sides, "a");
	sides->b = scan(sides, "b");
	tempdir_set_mtime(&sides->dir, path, 2, 0);
	changed(sides, run(sides));
}

static void the_first_side_has_changed(void **state)
{
	before_it_is_read(*state, "a/f");
}

static void the_second_side_has_changed(void **state)
{
	before_it_is_read(*state, "b/f");
}

/* When the first piece has been compared. */
static void while_it_is_read(struct sides *sides, const char *path)
{
	put(sides, "a/f", "b/f", PIECE_BYTES + 1);
	sides->a = scan(sides, "a");
	sides->b = scan(sides, "b");
	sides->changing = path;
	changed(sides, run(sides));
}

static void the_first_side_changes_meanwhile(void **state)
{
	while_it_is_read(*state, "a/f");
}

static void the_second_side_changes_meanwhile(void **state)
{
	while_it_is_read(*state, "b/f");
}

/* What has changed is not told as a difference, either. */
static void a_difference_of_what_changes_is_none(void **state)
{
	struct sides *sides = *state;

	put(sides, "a/f", "b/f", 100);
	tempdir_fill(&sides->dir, "b/f", 2, 100);
	tempdir_set_mtime(&sides->dir, "b/f", 1, 0);
	sides->a = scan(sides, "a");
	sides->b = scan(sides, "b");
	tempdir_set_mtime(&sides->dir, "b/f", 2, 0);
	changed(sides, run(sides));
}

static void what_rests_is_compared(void **state)
{
	struct sides *sides = *state;

	put(sides, "a/f", "b/f", PIECE_BYTES + 1);
	put(sides, "a/g", "b/g", PIECE_BYTES + 1);
	tempdir_write_at(&sides->dir, "b/g", PIECE_BYTES, "!", 1);
	tempdir_set_mtime(&sides->dir, "b/g", 1, 0);
	sides->a = scan(sides, "a");
	sides->b = scan(sides, "b");
	assert_int_equal(run(sides), 0);
	assert_int_equal(sides->diff.changed, sides->diff.items.count);
	for (size_t i = 0; i < sides->diff.items.count; i++)
		if (sides->diff.items.items[i].bits & DIFF_CONTENT)
			assert_string_equal(sides->diff.items.items[i].name, "g");
	assert_true(sides->diff.jobs.items[1].differs != sides->diff.jobs.items[0].differs);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_side_has_changed),           TEST(the_second_side_has_changed),
		TEST(the_first_side_changes_meanwhile),     TEST(the_second_side_changes_meanwhile),
		TEST(a_difference_of_what_changes_is_none), TEST(what_rests_is_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
