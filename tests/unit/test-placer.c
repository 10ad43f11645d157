/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of a file go where: the placer over the space of a filesystem. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plugins/common/placer.h"

#define HUGE 16u
#define MAX_PIECES 8u

struct piece {
	uint64_t file_block, start, blocks;
};

struct fixture {
	struct piece pieces[MAX_PIECES];
	uint32_t count;
	int error; /* of the next piece, or 0 */
	struct placer placer;
};

static int note_piece(void *arg, uint64_t file_block, uint64_t start, uint64_t blocks)
{
	struct fixture *fixture = arg;

	assert_true(fixture->count < MAX_PIECES);
	fixture->pieces[fixture->count++] = (struct piece){ file_block, start, blocks };
	return fixture->error;
}

static void begin(struct fixture *fixture, const uint64_t (*runs)[2], size_t count)
{
	*fixture = (struct fixture){ .placer = {
					     .space = space_new(),
					     .huge_blocks = HUGE,
					     .window_blocks = 4,
					     .map = note_piece,
					     .arg = fixture,
				     } };
	assert_non_null(fixture->placer.space);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(space_add(fixture->placer.space, runs[i][0], runs[i][1]), 0);
}

static void expect(const struct fixture *fixture, const struct piece *pieces, uint32_t count)
{
	assert_int_equal(fixture->count, count);
	assert_memory_equal(fixture->pieces, pieces, count * sizeof(*pieces));
}

/* Two stretches of a file together, in the lowest run that has room for both. */
static void test_run(void **state)
{
	static const uint64_t runs[][2] = { { 10, 5 }, { 20, 6 }, { 40, 20 } };
	static const struct piece pieces[] = { { 0, 40, 4 }, { 100, 44, 4 } };
	struct placer_run run = { .wanted = 8 };
	struct fixture fixture;

	(void)state;
	begin(&fixture, runs, 3);
	assert_int_equal(placer_place(&fixture.placer, &run, 0, 4), 0);
	assert_int_equal(placer_place(&fixture.placer, &run, 100, 4), 0);
	expect(&fixture, pieces, 2);
	space_free(fixture.placer.space);
}

/* No room for all: from the lowest block on, even if the rest would fit a run further up. */
static void test_pieces(void **state)
{
	static const uint64_t runs[][2] = { { 10, 5 }, { 20, 2 }, { 30, 6 } };
	static const struct piece pieces[] = { { 0, 10, 5 }, { 5, 20, 2 }, { 7, 30, 3 } };
	struct placer_run run = { .wanted = 10 };
	struct fixture fixture;

	(void)state;
	begin(&fixture, runs, 3);
	assert_int_equal(placer_place(&fixture.placer, &run, 0, 10), 0);
	expect(&fixture, pieces, 3);
	assert_int_equal(fixture.placer.missing, 0);
	run = (struct placer_run){ .wanted = 5 };
	assert_int_equal(placer_place(&fixture.placer, &run, 50, 5), 0);
	assert_int_equal(fixture.placer.missing, 2);
	assert_int_equal(placer_place_whole(&fixture.placer, 0, 1), -ENOSPC);
	space_free(fixture.placer.space);
}

/* The same where the rest lies together as soon as it can: two pieces. */
static void test_rejoined(void **state)
{
	static const uint64_t runs[][2] = { { 10, 5 }, { 20, 2 }, { 30, 6 } };
	static const struct piece pieces[] = { { 0, 10, 5 }, { 5, 30, 5 } };
	struct placer_run run = { .wanted = 10, .rejoins = true };
	struct fixture fixture;

	(void)state;
	begin(&fixture, runs, 3);
	assert_int_equal(placer_place(&fixture.placer, &run, 0, 10), 0);
	expect(&fixture, pieces, 2);
	space_free(fixture.placer.space);
}

/* The window begins at block 4 of the image: its block 12 is the first on a boundary. */
static void test_huge(void **state)
{
	static const uint64_t runs[][2] = { { 5, 80 } };
	static const struct piece pieces[] = { { 0, 12, 17 }, { 35, 31, 20 } };
	struct fixture fixture;

	(void)state;
	begin(&fixture, runs, 1);
	assert_int_equal(placer_place_huge(&fixture.placer, 0, 17), 0);
	assert_int_equal(placer_place_huge(&fixture.placer, 35, 20), 0);
	expect(&fixture, pieces, 2);
	assert_int_equal(placer_place_huge(&fixture.placer, 0, 34), -ENOSPC);
	space_free(fixture.placer.space);
}

/* Three pages and what is before and behind them, where two and one have room. */
static void test_pages(void **state)
{
	static const uint64_t runs[][2] = { { 8, 38 }, { 60, 20 }, { 100, 15 } };
	static const struct piece pieces[] = { { 14, 10, 34 }, { 48, 60, 16 } };
	struct fixture fixture;
	uint64_t placed;

	(void)state;
	begin(&fixture, runs, 3);
	assert_int_equal(
		placer_place_pages(&fixture.placer, PLACER_WHOLE_OR_LOWEST, 14, 55, &placed), 0);
	assert_int_equal(placed, 50);
	expect(&fixture, pieces, 2);
	assert_int_equal(
		placer_place_pages(&fixture.placer, PLACER_WHOLE_OR_LOWEST, 0, 16, &placed), 0);
	assert_int_equal(placed, 0);
	assert_false(placer_has_page(&fixture.placer, 1, 30));
	assert_true(placer_has_page(&fixture.placer, 1, 31));
	space_free(fixture.placer.space);
}

/* In one piece only if asked: else the lowest room for a page comes first. */
static void test_whole(void **state)
{
	static const uint64_t runs[][2] = { { 12, 17 }, { 60, 40 } };
	static const struct piece whole[] = { { 0, 60, 32 } };
	static const struct piece lowest[] = { { 0, 12, 16 }, { 16, 60, 16 } };
	struct fixture fixture;
	uint64_t placed;

	(void)state;
	begin(&fixture, runs, 2);
	assert_int_equal(
		placer_place_pages(&fixture.placer, PLACER_WHOLE_OR_LOWEST, 0, 32, &placed), 0);
	assert_int_equal(placed, 32);
	expect(&fixture, whole, 1);
	space_free(fixture.placer.space);
	begin(&fixture, runs, 2);
	assert_int_equal(placer_place_pages(&fixture.placer, PLACER_LOWEST, 0, 32, &placed), 0);
	assert_int_equal(placed, 32);
	expect(&fixture, lowest, 2);
	space_free(fixture.placer.space);
}

/* An error of whoever is told ends all. */
static void test_map_error(void **state)
{
	static const uint64_t runs[][2] = { { 12, 100 } };
	struct placer_run run = { .wanted = 5 };
	struct fixture fixture;
	uint64_t placed;

	(void)state;
	begin(&fixture, runs, 1);
	fixture.error = -ENOMEM;
	assert_int_equal(placer_place(&fixture.placer, &run, 0, 5), -ENOMEM);
	assert_int_equal(
		placer_place_pages(&fixture.placer, PLACER_WHOLE_OR_LOWEST, 0, 32, &placed),
		-ENOMEM);
	assert_int_equal(placer_place_whole(&fixture.placer, 0, 5), -ENOMEM);
	space_free(fixture.placer.space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),       cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_rejoined),  cmocka_unit_test(test_huge),
		cmocka_unit_test(test_pages),     cmocka_unit_test(test_whole),
		cmocka_unit_test(test_map_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
