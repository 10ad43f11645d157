/* SPDX-License-Identifier: Apache-2.0 */
/* Records of pax headers as they stand in an archive, the last one ending exactly with its header.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/archive/pax.h"

static const struct pax nothing;

/* Of the first len bytes; what follows them is there to be read by mistake. */
static int add(struct pax *pax, const char *bytes, size_t len)
{
	size_t at;

	return pax_add(pax, bytes, len, &at);
}

static void assert_refused(const char *bytes, size_t len)
{
	struct pax pax = { 0 };

	assert_int_equal(add(&pax, bytes, len), -EINVAL);
	pax_clear(&pax);
}

static void test_a_record_ends_with_its_header(void **state)
{
	static const char record[] = "11 path=ab\n";
	struct pax pax = { 0 };

	(void)state;
	assert_int_equal(add(&pax, record, 11), 0);
	assert_string_equal(pax_find(&pax, &nothing, "path")->value, "ab");
	pax_clear(&pax);
	/* One byte less: the header ends before the newline that its bytes go on with. */
	for (size_t len = 1; len < 11; len++)
		assert_refused(record, len);
}

static void test_a_record_is_as_long_as_it_says(void **state)
{
	(void)state;
	assert_refused("10 path=ab\n", 11);
	assert_refused("12 path=ab\n\n", 11);
	assert_refused("3 \n", 3);
	assert_refused("0 path=ab\n", 10);
	assert_refused("18446744073709551627 path=ab\n", 29);
}

static void test_keys_have_no_nul(void **state)
{
	(void)state;
	assert_refused("12 pa\0th=ab\n", 12);
	assert_refused("8 =ab\n\n\n", 8);
}

static void test_values_may_have_any_bytes(void **state)
{
	struct pax pax = { 0 };
	const struct pax_record *record;

	(void)state;
	assert_int_equal(add(&pax, "14 path=a\0=\nb\n", 14), 0);
	record = pax_find(&pax, &nothing, "path");
	assert_int_equal(record->len, 5);
	assert_memory_equal(record->value, "a\0=\nb", 5);
	pax_clear(&pax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_record_ends_with_its_header),
		cmocka_unit_test(test_a_record_is_as_long_as_it_says),
		cmocka_unit_test(test_keys_have_no_nul),
		cmocka_unit_test(test_values_may_have_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
