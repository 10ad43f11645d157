/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a progress bar, for a terminal of any width. */
#ifndef BASE_BAR_H
#define BASE_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bar {
	const char *stage;
	bool bytes;           /* done and total are bytes, which have a rate */
	bool entries;         /* done counts entries, of a total that nobody knows */
	uint64_t done, total; /* total 0: nobody knows */
	double seconds;       /* since the stage began */
};

/* Fewer columns than the terminal has, so that the line never wraps; what does not fit is left out,
 * the least important first. ASCII alone: a byte is a column. */
void bar_format(const struct bar *bar, unsigned int columns, char *line, size_t size);

/* Of the terminal at a descriptor, now: it may have been resized. 80 when it does not say. */
unsigned int bar_columns(int fd);

#endif
