/* SPDX-License-Identifier: Apache-2.0 */
/* A reader's look at a window: through a cache, within bounds, and not without end. */
#include "plugins/common/window.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES 300000u

static uint8_t content[BYTES];
static int reads, cancelled;
static char message[256];

static int read_content(struct kataimg_host_ctx *ctx, uint64_t off, void *buf, size_t len)
{
	(void)ctx;
	assert_true(off <= BYTES && len <= BYTES - off);
	memcpy(buf, content + off, len);
	reads++;
	return 0;
}

static int is_cancelled(struct kataimg_host_ctx *ctx)
{
	(void)ctx;
	return cancelled;
}

static void take_message(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	(void)ctx;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
}

static const struct kataimg_host host = { .struct_size = sizeof(host),
					  .error = take_message,
					  .window_read = read_content,
					  .cancelled = is_cancelled };

static int setup(void **state)
{
	static struct window window;

	for (uint32_t i = 0; i < BYTES; i++)
		content[i] = (uint8_t)(i * 7 + i / 256);
	window = (struct window){ .host = &host, .bytes = BYTES, .look_factor = 2 };
	reads = cancelled = 0;
	*state = &window;
	return window_open(&window);
}

static int teardown(void **state)
{
	window_close(*state);
	return 0;
}

static void test_fetch(void **state)
{
	struct window *window = *state;
	uint8_t got[40000];

	assert_int_equal(window_fetch(window, 16000, got, sizeof(got)), 0);
	assert_memory_equal(got, content + 16000, sizeof(got));
	assert_int_equal(window_fetch(window, BYTES - 10, got, 10), 0);
	assert_memory_equal(got, content + BYTES - 10, 10);
	reads = 0;
	assert_int_equal(window_fetch(window, 20000, got, 100), 0);
	assert_memory_equal(got, content + 20000, 100);
	assert_int_equal(reads, 0);
	assert_int_equal(window_fetch(window, BYTES, got, 0), 0);
}

static void test_outside(void **state)
{
	struct window *window = *state;
	uint8_t got[16];

	assert_int_equal(window_fetch(window, BYTES - 15, got, 16), -EUCLEAN);
	assert_non_null(strstr(message, "outside"));
	assert_int_equal(window_fetch(window, UINT64_MAX, got, 16), -EUCLEAN);
	assert_int_equal(reads, 0);
}

/* Twice the window and 16 MiB are much, and no more. */
static void test_look(void **state)
{
	struct window *window = *state;

	assert_int_equal(window_look(window, 2 * BYTES + (16 << 20)), 0);
	assert_int_equal(window_look(window, 1), -EUCLEAN);
	assert_non_null(strstr(message, "claims more than"));
	assert_int_equal(window_look(window, UINT64_MAX), -EUCLEAN);
	cancelled = 1;
	assert_int_equal(window_look(window, 0), -ECANCELED);
}

static void test_messages(void **state)
{
	assert_int_equal(window_refuse(*state, "inode %d", 7), -EUCLEAN);
	assert_string_equal(message, "inode 7");
	assert_int_equal(window_decline(*state, "feature %s", "x"), -EOPNOTSUPP);
	assert_string_equal(message, "feature x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_look, setup, teardown),
		cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
