/* SPDX-License-Identifier: Apache-2.0 */
/* Backends that are in the program: found before those of directories, by name alone. */
#include "core/backend/builtin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/backend/loader.h"

static struct backend_search *new_search(void)
{
	const char *dirs[] = { getenv("KATAIMG_TEST_BACKEND_DIR") };
	struct backend_search *search = backend_search_new(dirs, 1);

	assert_non_null(search);
	return search;
}

static void a_name_is_looked_up_in_the_program_first(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	struct backend *built_in autocall(cleanup_backend_free) = NULL;
	struct backend *of_file autocall(cleanup_backend_free) = NULL;
	autoerror struct error error = ERROR_INIT;
	autofree char *path = NULL, *file = NULL;

	(void)state;
	assert_int_equal(backend_load(search, "good", &built_in, &error), 0);
	assert_string_equal(built_in->path, BUILTIN_PATH);
	assert_ptr_equal(built_in->table.open, kataimg_good_backend.open);
	assert_int_equal(backend_search_find(search, "good", &path), 0);
	assert_string_equal(path, BUILTIN_PATH);
	assert_true(asprintf(&file, "%s/kataimg-good-backend.so",
			     getenv("KATAIMG_TEST_BACKEND_DIR")) > 0);
	assert_int_equal(backend_load(search, file, &of_file, &error), 0);
	assert_string_equal(of_file->path, file);
	assert_ptr_not_equal(of_file->table.open, kataimg_good_backend.open);
}

static void names_are_listed_once(void **state)
{
	struct backend_search *search autocall(cleanup_backend_search_free) = new_search();
	char **names autocall(cleanup_backend_names_free) = NULL;
	int good = 0, larger = 0;

	(void)state;
	assert_int_equal(backend_search_names(search, &names), 0);
	for (size_t i = 0; names[i]; i++) {
		good += strcmp(names[i], "good") == 0;
		larger += strcmp(names[i], "larger") == 0;
	}
	assert_int_equal(good, 1);
	assert_int_equal(larger, 1);
}

static void others_come_from_directories(void **state)
{
	(void)state;
	assert_ptr_equal(builtin_find("good"), &kataimg_good_backend);
	assert_null(builtin_find("larger"));
	assert_null(builtin_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_looked_up_in_the_program_first),
		cmocka_unit_test(names_are_listed_once),
		cmocka_unit_test(others_come_from_directories),
	};

	unsetenv("KATAIMG_BACKEND_PATH"); /* the caller's own must not show up */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
