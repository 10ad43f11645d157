/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend says comes out with its name in front, once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/backend/host.h"
#include "core/base/log.h"

static const struct host_setup setup = { .backend = "myfs", .threads = 1 };

static int make_host(void **state)
{
	*state = host_new(&setup);
	return *state ? 0 : -1;
}

static int free_host(void **state)
{
	host_free(*state);
	return 0;
}

/* Stderr goes into a pipe from here until take_stderr. */
static int redirect_stderr(int pipe_fds[2])
{
	int saved = dup(STDERR_FILENO);

	assert_true(saved >= 0);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(dup2(pipe_fds[1], STDERR_FILENO), STDERR_FILENO);
	return saved;
}

static void take_stderr(int saved, const int pipe_fds[2], char *text, size_t size)
{
	ssize_t len;

	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	close(pipe_fds[1]);
	len = read(pipe_fds[0], text, size - 1);
	close(pipe_fds[0]);
	text[len < 0 ? 0 : len] = '\0';
}

static void a_log_line_begins_with_the_backend(void **state)
{
	const struct kataimg_host *host = host_services(*state);
	int pipe_fds[2], saved = redirect_stderr(pipe_fds);
	char text[256];

	host->log(host->ctx, KATAIMG_LOG_WARNING, "%d%% of\nit", 50);
	take_stderr(saved, pipe_fds, text, sizeof(text));
	assert_non_null(strstr(text, "warning: myfs: 50% of\\x0ait\n"));
}

static void assert_error(struct host *host, int code, const char *message)
{
	autoerror struct error error = ERROR_INIT;

	assert_int_equal(host_take_error(host, code, "plan", &error), code);
	assert_string_equal(error.message, message);
	assert_false(host_has_error(host));
}

static void an_error_begins_with_the_backend(void **state)
{
	const struct kataimg_host *host = host_services(*state);

	host->error(host->ctx, "the tree is %s", "too large");
	host->error(host->ctx, "not the first");
	assert_error(*state, -EFBIG, "myfs: the tree is too large");
}

static void memory_and_interruption_need_no_message(void **state)
{
	assert_error(*state, -ENOMEM, "myfs: out of memory");
	assert_error(*state, -ECANCELED, "interrupted");
	assert_error(*state, -EFBIG, "the backend myfs failed in plan: File too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_log_line_begins_with_the_backend, make_host,
						free_host),
		cmocka_unit_test_setup_teardown(an_error_begins_with_the_backend, make_host,
						free_host),
		cmocka_unit_test_setup_teardown(memory_and_interruption_need_no_message, make_host,
						free_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
