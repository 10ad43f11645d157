/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/samefile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_of_one_file_are_the_same(void **state)
{
	(void)state;
	assert_true(same_file_named("/", "/"));
	assert_true(same_file_named("/proc/self", "/proc/self/../self"));
}

static void others_are_not(void **state)
{
	struct stat root, null;

	(void)state;
	assert_false(same_file_named("/dev/null", "/dev/zero"));
	assert_false(same_file_named("/nowhere", "/nowhere"));
	assert_int_equal(stat("/", &root), 0);
	assert_int_equal(stat("/dev/null", &null), 0);
	assert_true(same_file(&root, &root));
	assert_false(same_file(&root, &null));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_one_file_are_the_same),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
