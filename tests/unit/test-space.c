/* SPDX-License-Identifier: Apache-2.0 */
/* First-fit space against known answers, and against a byte map with the same rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/common/space.h"
#include "tests/support/chance.h"

static struct space *new_space(void)
{
	struct space *space = space_new();

	assert_non_null(space);
	assert_int_equal(space_add(space, 10, 20), 0);
	assert_int_equal(space_add(space, 40, 5), 0);
	assert_int_equal(space_add(space, 100, 1000), 0);
	return space;
}

static void test_whole(void **state)
{
	struct space *space = new_space();
	uint64_t start;

	(void)state;
	assert_int_equal(space_take_whole(space, 15, &start), 0);
	assert_int_equal(start, 10);
	assert_int_equal(space_take_whole(space, 6, &start), 0);
	assert_int_equal(start, 100);
	assert_int_equal(space_take_whole(space, 5, &start), 0);
	assert_int_equal(start, 25);
	assert_int_equal(space_take_whole(space, 995, &start), -ENOSPC);
	assert_int_equal(space_free_blocks(space), 1025 - 26);
	space_free(space);
}

static void test_phase_splits_a_run(void **state)
{
	struct space *space = new_space();
	uint64_t start, blocks, cursor = 0;

	(void)state;
	assert_int_equal(space_take_at_phase(space, 512, 512, 256, &start), 0);
	assert_int_equal(start, 256);
	assert_int_equal(space_take_at_phase(space, 512, 512, 256, &start), -ENOSPC);
	assert_int_equal(space_next_run(space, &cursor, &start, &blocks), 0);
	assert_int_equal(space_next_run(space, &cursor, &start, &blocks), 0);
	assert_int_equal(space_next_run(space, &cursor, &start, &blocks), 0);
	assert_int_equal(start, 100);
	assert_int_equal(blocks, 156);
	assert_int_equal(space_next_run(space, &cursor, &start, &blocks), 0);
	assert_int_equal(start, 768);
	assert_int_equal(blocks, 332);
	assert_int_equal(space_next_run(space, &cursor, &start, &blocks), -ENOENT);
	space_free(space);
}

static void test_some(void **state)
{
	struct space *space = new_space();
	uint64_t start, got, total = 0;

	(void)state;
	assert_int_equal(space_take_some(space, 15, &start, &got), 0);
	assert_int_equal(start, 10);
	assert_int_equal(got, 15);
	assert_int_equal(space_take_some(space, 15, &start, &got), 0);
	assert_int_equal(start, 25);
	assert_int_equal(got, 5);
	while (space_take_some(space, 300, &start, &got) == 0)
		total += got;
	assert_int_equal(total, 1005);
	assert_int_equal(space_free_blocks(space), 0);
	space_free(space);
}

/* ---- The model: one byte a block ---- */

#define MODEL_BLOCKS 3000u

static unsigned char model[MODEL_BLOCKS];

static uint64_t model_run(uint64_t start)
{
	uint64_t len = 0;

	while (start + len < MODEL_BLOCKS && model[start + len])
		len++;
	return len;
}

static int model_find(uint64_t blocks, uint64_t modulus, uint64_t phase, uint64_t *start,
		      uint64_t *length)
{
	for (*start = 0; *start < MODEL_BLOCKS; (*start)++) {
		*length = model_run(*start);
		if (*start % modulus == phase && *length >= blocks)
			return 0;
	}
	return -ENOSPC;
}

static int model_take(uint64_t blocks, uint64_t modulus, uint64_t phase, uint64_t *start)
{
	uint64_t length;
	int ret = model_find(blocks, modulus, phase, start, &length);

	if (ret == 0)
		memset(model + *start, 0, blocks);
	return ret;
}

static int model_take_some(uint64_t max_blocks, uint64_t *start, uint64_t *got)
{
	for (*start = 0; *start < MODEL_BLOCKS && !model[*start];)
		(*start)++;
	*got = model_run(*start);
	if (*got > max_blocks)
		*got = max_blocks;
	memset(model + *start, 0, *got);
	return *got ? 0 : -ENOSPC;
}

static void fill_both(struct space *space, uint32_t *random)
{
	memset(model, 0, sizeof(model));
	for (uint64_t at = chance_next(random) % 7; at < MODEL_BLOCKS;) {
		uint64_t blocks = 1 + chance_next(random) % 150;

		if (blocks > MODEL_BLOCKS - at)
			blocks = MODEL_BLOCKS - at;
		assert_int_equal(space_add(space, at, blocks), 0);
		memset(model + at, 1, blocks);
		at += blocks + 1 + chance_next(random) % 30;
	}
}

static void compare_runs(const struct space *space)
{
	uint64_t cursor = 0, start, blocks, at = 0, total = 0;

	while (space_next_run(space, &cursor, &start, &blocks) == 0) {
		while (at < start)
			assert_int_equal(model[at++], 0);
		assert_int_equal(model_run(start), blocks);
		at += blocks;
		total += blocks;
	}
	while (at < MODEL_BLOCKS)
		assert_int_equal(model[at++], 0);
	assert_int_equal(total, space_free_blocks(space));
}

static void step_both(struct space *space, uint32_t *random)
{
	uint64_t blocks = 1 + chance_next(random) % 40;
	uint64_t start = 0, model_start = 0, got = 0, model_got = 0;
	int ret, model_ret;

	switch (chance_next(random) % 4) {
	case 0:
		ret = space_take_whole(space, blocks, &start);
		model_ret = model_take(blocks, 1, 0, &model_start);
		break;
	case 1:
		ret = space_take_at_phase(space, blocks, 16, 5, &start);
		model_ret = model_take(blocks, 16, 5, &model_start);
		break;
	case 2:
		ret = space_find_at_phase(space, blocks, 16, 5, &got);
		model_ret = model_find(blocks, 16, 5, &model_start, &model_got);
		start = model_start;
		break;
	default:
		ret = space_take_some(space, blocks, &start, &got);
		model_ret = model_take_some(blocks, &model_start, &model_got);
		break;
	}
	assert_int_equal(ret, model_ret);
	if (ret == 0) {
		assert_int_equal(start, model_start);
		assert_int_equal(got, model_got);
	}
}

static void test_against_model(void **state)
{
	uint32_t random = 12345;

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct space *space = space_new();

		assert_non_null(space);
		fill_both(space, &random);
		for (int step = 0; step < 150; step++)
			step_both(space, &random);
		compare_runs(space);
		space_free(space);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_phase_splits_a_run),
		cmocka_unit_test(test_some),
		cmocka_unit_test(test_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
