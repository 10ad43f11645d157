/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "lib/libc.h"

#define NO_MEMORY "out of memory"

int error_exit_code(enum error_kind kind)
{
	switch (kind) {
	case ERROR_USAGE:
		return 2;
	case ERROR_UNCHECKED:
		return 3;
	default:
		return 1;
	}
}

int error_vset(struct error *error, int code, const char *fmt, va_list args)
{
	if (error->code == 0) {
		error->code = code;
		error->message = text_vline(fmt, args);
	}
	return -code;
}

int error_set_lines(struct error *error, int code, const char *lines)
{
	if (error->code == 0) {
		error->code = code;
		error->message = strdup(lines);
	}
	return -code;
}

int error_set(struct error *error, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_vset(error, code, fmt, args);
	va_end(args);
	return -code;
}

/* Makes the message of first and second. When there is no memory for both, it stays as it was. */
static void join_message(struct error *error, const char *first, const char *second)
{
	char *joined;

	if (!first || !second || asprintf(&joined, "%s%s", first, second) < 0)
		return;
	free(error->message);
	error->message = joined;
}

int error_append(struct error *error, const char *fmt, ...)
{
	char *text;
	va_list args;

	va_start(args, fmt);
	text = text_vline(fmt, args);
	va_end(args);
	join_message(error, error->message, text);
	free(text);
	return -error->code;
}

int error_errno(struct error *error, int code, const char *fmt, ...)
{
	bool first = error->code == 0;
	const char *why = errno_text(code);
	va_list args;

	va_start(args, fmt);
	error_vset(error, code, fmt, args);
	va_end(args);
	if (first && why)
		error_append(error, ": %s", why);
	else if (first)
		error_append(error, ": unknown error %d", code);
	return -code;
}

int error_usage(struct error *error, const char *fmt, ...)
{
	va_list args;

	if (error->code == 0)
		error->kind = ERROR_USAGE;
	va_start(args, fmt);
	error_vset(error, EINVAL, fmt, args);
	va_end(args);
	return -EINVAL;
}

int error_nomem(struct error *error)
{
	return error_set(error, ENOMEM, NO_MEMORY);
}

int error_prefix(struct error *error, const char *fmt, ...)
{
	char *prefix;
	va_list args;

	va_start(args, fmt);
	prefix = text_vline(fmt, args);
	va_end(args);
	/* Who failed without a word has failed all the same. */
	if (!error->code)
		error_set(error, EIO, "nobody said why");
	if (prefix)
		join_message(error, ": ", error->message);
	join_message(error, prefix, error->message);
	free(prefix);
	return -error->code;
}

int error_take(struct error *error, struct error *from)
{
	if (error->code == 0) {
		*error = *from;
		*from = ERROR_INIT;
	}
	return -error->code;
}

const char *error_sentence(const struct error *error)
{
	return error->message ? error->message : NO_MEMORY;
}

void error_clear(struct error *error)
{
	free(error->message);
	*error = ERROR_INIT;
}
