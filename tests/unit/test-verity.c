/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format/verity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_layout(uint64_t data_blocks, unsigned int levels, uint64_t total)
{
	struct verity_layout layout;

	verity_layout(data_blocks, &layout);
	assert_int_equal(layout.levels, levels);
	assert_int_equal(layout.total_blocks, total);
	assert_int_equal(verity_tree_bytes(data_blocks * 4096), total * 4096);
}

static void levels_grow_at_powers_of_128(void **state)
{
	(void)state;
	assert_layout(1, 0, 0);
	assert_layout(2, 1, 1);
	assert_layout(128, 1, 1);
	assert_layout(129, 2, 3);
	assert_layout(128 * 128, 2, 129);
	assert_layout(128 * 128 + 1, 3, 129 + 3);
}

static void the_top_comes_first(void **state)
{
	struct verity_layout layout;

	(void)state;
	verity_layout(128 * 128 + 1, &layout);
	assert_int_equal(layout.first_block[2], 0);
	assert_int_equal(layout.first_block[1], 1);
	assert_int_equal(layout.first_block[0], 3);
}

static void the_line_has_every_part(void **state)
{
	const struct verity_params params = { { 1, 2, 3, 4 }, 4, 2 };
	uint8_t root[DIGEST_BYTES];
	char line[VERITY_LINE_BYTES];

	(void)state;
	memset(root, 0xab, sizeof(root));
	verity_format_line(&params, root, line);
	assert_string_equal(
		line, "root_hash=abababababababababababababababababababababababababababababababab,"
		      "salt=01020304,data_blocks=2,data_block_size=4096,hash_block_size=4096");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_grow_at_powers_of_128),
		cmocka_unit_test(the_top_comes_first),
		cmocka_unit_test(the_line_has_every_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
