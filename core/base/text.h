/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from outside, names above all, as text that others can take. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* Bytes that are no UTF-8 become \xNN, control characters, the ends of lines among them, and those
 * that change the order in which text is shown as well: a name can end no line, command no terminal
 * and look like no other one. Doing it twice changes nothing. To be freed; NULL when memory is out.
 */
char *text_line(const char *text);

bool text_is_utf8(const char *text);
/* It is UTF-8 without control characters. */
bool text_is_plain(const char *text);

/* A sentence of a message, as such a line. When the names in it make it longer than that, its
 * beginning and its end are left. */
#define TEXT_LINE_BYTES_MAX 1000
char *text_vline(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

/* The same where memory may be out: then its beginning, in room, with '?' for what is no printable
 * ASCII. *owned is to be freed. */
const char *text_vline_in(char room[TEXT_LINE_BYTES_MAX], char **owned, const char *fmt,
			  va_list args) __attribute__((format(printf, 3, 0)));
/* Only the latter, and always. */
void text_vline_short(char room[TEXT_LINE_BYTES_MAX], const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

/* The items with ", " between them. To be freed; NULL when memory is out. */
char *text_join(char *const *items, size_t count);

/* The first character of text, in which only bytes that are no UTF-8 become \xNN, and how many
 * bytes of text it was. */
#define TEXT_PIECE_BYTES 17
size_t text_first(const char *text, char piece[TEXT_PIECE_BYTES]);

/* Prints what text_line makes, and needs no memory for it. */
void text_print_line(FILE *out, const char *text);

#endif
