/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cleanup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int released;

static void thing_free(const int *thing)
{
	released += *thing;
}
DEFINE_CLEANUP(const int, thing_free)

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_and_leave(bool keep)
{
	autoclose int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int number = fd;

	assert_true(fd >= 0);
	errno = ENOTDIR;
	return keep ? steal_fd(&fd) : number;
}

static void a_descriptor_closes_with_its_scope(void **state)
{
	int fd = open_and_leave(false);

	(void)state;
	assert_int_equal(errno, ENOTDIR);
	assert_false(is_open(fd));
	fd = open_and_leave(true);
	assert_true(is_open(fd));
	close(fd);
}

static void a_destructor_is_called_with_what_there_is(void **state)
{
	static const int three = 3;

	(void)state;
	{
		autocall(cleanup_thing_free) const int *thing = &three;

		assert_ptr_equal(thing, &three);
	}
	assert_int_equal(released, 3);
}

static void what_was_stolen_is_not_freed(void **state)
{
	char *text = malloc(8), *kept;

	(void)state;
	assert_non_null(text);
	{
		autofree char *mine = text;

		kept = steal_ptr(&mine);
		assert_null(mine);
	}
	kept[7] = '\0';
	free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_closes_with_its_scope),
		cmocka_unit_test(a_destructor_is_called_with_what_there_is),
		cmocka_unit_test(what_was_stolen_is_not_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
