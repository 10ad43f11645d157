/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/text.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/base/textstream.h"

static const struct {
	const char *text, *utf8, *line;
} cases[] = {
	{ "", "", "" },
	{ "plain \\x41", "plain \\x41", "plain \\x41" },
	{ "a\nb\tc\x1b[31m\x7f", "a\nb\tc\x1b[31m\x7f", "a\\x0ab\\x09c\\x1b[31m\\x7f" },
	{ "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x9b", "\xc2\x9b", "\\xc2\\x9b" },
	/* ends of lines, and of paragraphs, and what turns the order of others round */
	{ "\xe2\x80\xa8\xe2\x80\xa9", "\xe2\x80\xa8\xe2\x80\xa9",
	  "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
	{ "a\xe2\x80\xaegnp.", "a\xe2\x80\xaegnp.", "a\\xe2\\x80\\xaegnp." },
	{ "\xd8\x9c\xe2\x80\x8e", "\xd8\x9c\xe2\x80\x8e", "\\xd8\\x9c\\xe2\\x80\\x8e" },
	{ "\xe2\x80\x8f", "\xe2\x80\x8f", "\\xe2\\x80\\x8f" },
	{ "\xe2\x81\xa6", "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
	{ "\xe2\x81\xa9", "\xe2\x81\xa9", "\\xe2\\x81\\xa9" },
	/* their neighbours, a joiner of emoji among them */
	{ "\xd8\x9b\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf",
	  "\xd8\x9b\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf",
	  "\xd8\x9b\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7\xe2\x80\xaf" },
	{ "\xd8\x9d\xe2\x81\xa5\xe2\x81\xaa", "\xd8\x9d\xe2\x81\xa5\xe2\x81\xaa",
	  "\xd8\x9d\xe2\x81\xa5\xe2\x81\xaa" },
	{ "\xff", "\\xff", "\\xff" },
	{ "\x80x", "\\x80x", "\\x80x" },
	/* cut off */
	{ "\xc3", "\\xc3", "\\xc3" },
	{ "\xe2\x82", "\\xe2\\x82", "\\xe2\\x82" },
	{ "\xe2(\xa1", "\\xe2(\\xa1", "\\xe2(\\xa1" },
	/* longer than needed, surrogates, beyond the end */
	{ "\xc0\xaf", "\\xc0\\xaf", "\\xc0\\xaf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\\xe0\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
};

static void becomes(char *is, const char *expected)
{
	assert_string_equal(is, expected);
	free(is);
}

/* All characters, one after the other. */
static char *by_characters(const char *text)
{
	char *all = calloc(TEXT_PIECE_BYTES, strlen(text) + 1), *to = all;
	char piece[TEXT_PIECE_BYTES];

	assert_non_null(all);
	while (*text) {
		text += text_first(text, piece);
		to = stpcpy(to, piece);
	}
	return all;
}

static void escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		becomes(by_characters(cases[i].text), cases[i].utf8);
		becomes(text_line(cases[i].text), cases[i].line);
		becomes(text_line(cases[i].line), cases[i].line);
	}
}

static void lines_are_printed_as_they_are_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text_stream stream;
		char *text;

		assert_int_equal(text_stream_open(&stream), 0);
		text_print_line(stream.out, cases[i].text);
		assert_int_equal(text_stream_close(&stream, &text), 0);
		becomes(text, cases[i].line);
	}
}

static void items_are_joined(void **state)
{
	char *const items[] = { "a", "", "bc" };

	(void)state;
	becomes(text_join(items, 0), "");
	becomes(text_join(items, 1), "a");
	becomes(text_join(items, 3), "a, , bc");
}

static int growths_left = INT_MAX;

int __real_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes);
int __wrap_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes);

int __wrap_array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes)
{
	return growths_left-- > 0 ? __real_array_grow(items, room, count, more, item_bytes)
				  : -ENOMEM;
}

/* Many buffers of stdio's, so that the failure is one in the middle, which no call reports. */
static int print_much(int growths, char **text)
{
	struct text_stream stream;
	int ret;

	assert_int_equal(text_stream_open(&stream), 0);
	growths_left = growths;
	for (int i = 0; i < 100000; i++)
		fprintf(stream.out, "%d\n", i);
	growths_left += 1000; /* memory is there again */
	ret = text_stream_close(&stream, text);
	growths_left = INT_MAX;
	return ret;
}

static void a_text_cut_short_is_none(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(print_much(1000, &text), 0);
	assert_int_equal(strlen(text), 588890);
	assert_string_equal(text + 588890 - 13, "\n99998\n99999\n");
	free(text);
	for (int growths = 0; growths < 3; growths++) {
		assert_int_equal(print_much(growths, &text), -ENOMEM);
		assert_null(text);
	}
}

static void a_name_ends_no_line_of_an_error(void **state)
{
	autoerror struct error error = ERROR_INIT;

	(void)state;
	error_set(&error, 1, "cannot read %s", "x\ny");
	error_prefix(&error, "%s", "\r");
	error_append(&error, "%s", "\a");
	assert_string_equal(error.message, "\\x0d: cannot read x\\x0ay\\x07");
}

static void a_failure_without_a_word_is_one(void **state)
{
	autoerror struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(error_prefix(&error, "cannot read %s", "x"), -EIO);
	assert_string_equal(error.message, "cannot read x: nobody said why");
}

/* What a name of so many bytes makes of a message. */
static void long_name(const char *letter, size_t count, struct error *error)
{
	size_t len = strlen(letter);
	char *name = calloc(count, len + 1);

	assert_non_null(name);
	for (size_t i = 0; i < count; i++)
		memcpy(name + i * len, letter, len);
	error_set(error, 1, "a hard link to %s, which is not there", name);
	error_prefix(error, "it: %s", name);
	free(name);
	assert_memory_equal(error->message, "it: ", 4);
	assert_non_null(strstr(error->message, "[...]"));
	assert_non_null(strstr(error->message, ": a hard link to "));
	assert_string_equal(strrchr(error->message, ','), ", which is not there");
	assert_true(strlen(error->message) < 2000);
}

static void a_long_name_is_cut(void **state)
{
	/* \033 is four characters then. */
	static const char *const letters[] = { "a", "\xc3\xa9", "\xf0\x9f\x98\x80", "\033" };
	struct error error = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		char *again;

		long_name(letters[i], 100000, &error);
		again = text_line(error.message);
		assert_string_equal(again, error.message);
		free(again);
		error_clear(&error);
	}
	error_set(&error, 1, "%*s", TEXT_LINE_BYTES_MAX, "");
	assert_int_equal(strlen(error.message), TEXT_LINE_BYTES_MAX);
	error_clear(&error);
}

__attribute__((format(printf, 2, 3))) static void print_short(char room[TEXT_LINE_BYTES_MAX],
							      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	text_vline_short(room, fmt, args);
	va_end(args);
}

/* What there is memory for when there is no more. */
static void a_short_line_is_plain_and_cut(void **state)
{
	char room[TEXT_LINE_BYTES_MAX], *many = malloc(2 * TEXT_LINE_BYTES_MAX);

	(void)state;
	print_short(room, "%s: %s", "xfs", "a\nb\x1b\xff \xc3\xa9 %s");
	assert_string_equal(room, "xfs: a?b?? ?? %s");
	assert_non_null(many);
	memset(many, 'x', 2 * TEXT_LINE_BYTES_MAX);
	many[2 * TEXT_LINE_BYTES_MAX - 1] = '\0';
	print_short(room, "%s", many);
	assert_int_equal(strlen(room), TEXT_LINE_BYTES_MAX - 1);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(lines_are_printed_as_they_are_made),
		cmocka_unit_test(items_are_joined),
		cmocka_unit_test(a_text_cut_short_is_none),
		cmocka_unit_test(a_name_ends_no_line_of_an_error),
		cmocka_unit_test(a_failure_without_a_word_is_one),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(a_short_line_is_plain_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
