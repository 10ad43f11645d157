/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/filetype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	uint8_t type;
	uint16_t bits;
} types[] = {
	{ KATAIMG_REG, 0100000 }, { KATAIMG_DIR, 0040000 },  { KATAIMG_CHR, 0020000 },
	{ KATAIMG_BLK, 0060000 }, { KATAIMG_FIFO, 0010000 }, { KATAIMG_SOCK, 0140000 },
	{ KATAIMG_LNK, 0120000 },
};

static void each_type_has_its_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct kataimg_node node = { .type = types[i].type, .mode = 07654 };

		assert_int_equal(filetype_bits(types[i].type), types[i].bits);
		assert_int_equal(filetype_mode(&node), types[i].bits | 07654);
		assert_int_equal(filetype_of_mode(types[i].bits | 07777u), types[i].type);
	}
}

static void other_bits_are_no_type(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits <= 0170000; bits += 010000) {
		uint8_t known = 0;

		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			if (types[i].bits == bits)
				known = types[i].type;
		assert_int_equal(filetype_of_mode(bits), known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_its_bits),
		cmocka_unit_test(other_bits_are_no_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
