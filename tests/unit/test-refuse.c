/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/common/refuse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct kataimg_option options[] = { { .name = "label" }, { .name = "level" } };

/* What the host was told. */
struct kataimg_host_ctx {
	char message[128];
	uint64_t index;
};

static void take_error(struct kataimg_host_ctx *ctx, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(ctx->message, sizeof(ctx->message), fmt, args);
	va_end(args);
}

static void take_option_error(struct kataimg_host_ctx *ctx, uint64_t index, const char *fmt, ...)
{
	va_list args;

	ctx->index = index;
	va_start(args, fmt);
	vsnprintf(ctx->message, sizeof(ctx->message), fmt, args);
	va_end(args);
}

static void the_core_is_told_which_option(void **state)
{
	struct kataimg_host_ctx ctx = { .index = UINT64_MAX };
	const struct kataimg_host host = { .struct_size = sizeof(host),
					   .ctx = &ctx,
					   .error = take_error,
					   .option_error = take_option_error };

	(void)state;
	assert_int_equal(option_refuse(&host, options, 1, "at most %d", 9), -EINVAL);
	assert_int_equal(ctx.index, 1);
	assert_string_equal(ctx.message, "at most 9");
}

/* Its host ends before option_error: what lies there is not looked at. */
static void an_older_core_is_told_by_name(void **state)
{
	struct kataimg_host_ctx ctx = { .index = UINT64_MAX };
	const struct kataimg_host host = { .struct_size =
						   offsetof(struct kataimg_host, option_error),
					   .ctx = &ctx,
					   .error = take_error,
					   .option_error = take_option_error };

	(void)state;
	assert_int_equal(option_refuse(&host, options, 1, "at most %d", 9), -EINVAL);
	assert_true(ctx.index == UINT64_MAX);
	assert_string_equal(ctx.message, "level: at most 9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_core_is_told_which_option),
		cmocka_unit_test(an_older_core_is_told_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
