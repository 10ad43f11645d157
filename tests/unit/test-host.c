/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend says comes out with its name in front, once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/backend/host.h"
#include "core/base/cancel.h"
#include "core/base/log.h"

static const char *const programs[] = { "sh", NULL };
static const struct host_setup setup = { .backend = "myfs", .programs = programs, .threads = 1 };

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

/* ---- Programs ---- */

static int run(struct host *host, const char *script)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	const struct kataimg_host *services = host_services(host);
	int ret = services->run(services->ctx, argv, NULL, NULL);

	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return ret;
}

static void lines_of_a_program_are_logged(void **state)
{
	int pipe_fds[2], saved = redirect_stderr(pipe_fds);
	char text[4096];
	int ret =
		run(*state, "echo one; echo two >&2; printf '%1500d' 3; exec >&- 2>&-; sleep 0.1");

	take_stderr(saved, pipe_fds, text, sizeof(text));
	assert_int_equal(ret, 0);
	assert_non_null(strstr(text, "myfs: sh: one\n"));
	assert_non_null(strstr(text, "myfs: sh: two\n"));
	assert_non_null(strstr(text, "3\n"));
}

static void a_program_that_fails_says_how(void **state)
{
	assert_error(*state, run(*state, "exit 7"), "myfs: the program sh failed with exit code 7");
}

/* A signal to the build alone: its programs are ended, whether they have said half a line or have
 * closed their output. */
static void programs_end_with_the_build(void **state)
{
	static const char *const scripts[] = {
		"kill -TERM $PPID; exec sleep 1000",
		"printf half; kill -TERM $PPID; exec sleep 1000",
		"exec >&- 2>&-; kill -TERM $PPID; exec sleep 1000",
	};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		cancel_install_handlers();
		assert_int_equal(run(*state, scripts[i]), -ECANCELED);
		cancel_reset();
	}
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
		cmocka_unit_test_setup_teardown(lines_of_a_program_are_logged, make_host,
						free_host),
		cmocka_unit_test_setup_teardown(a_program_that_fails_says_how, make_host,
						free_host),
		cmocka_unit_test_setup_teardown(programs_end_with_the_build, make_host, free_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
