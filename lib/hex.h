/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hexadecimal text, two digits a byte. */
#ifndef LIB_HEX_H
#define LIB_HEX_H

#include <stddef.h>
#include <stdint.h>

/* 0 .. 15 of a digit of either case; -1: it is none. */
int hex_digit(char digit);

/* 2 * len small digits and a NUL. Returns where the NUL is. */
char *hex_format(const void *bytes, size_t len, char *text);

/* All of the text, at most max_len bytes; *len is how many. -EINVAL. */
int hex_parse(const char *text, uint8_t *bytes, size_t max_len, size_t *len);

#endif
