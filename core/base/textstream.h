/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text of any length, printed as to a file. Memory that runs out on the way makes an error of the
 * whole text: open_memstream(3) may end well with one that is cut short.
 */
#ifndef BASE_TEXTSTREAM_H
#define BASE_TEXTSTREAM_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/array.h"

struct text_stream {
	FILE *out; /* to print to */
	ARRAY(char) bytes;
	bool cut;
};

/* -ENOMEM, and there is nothing to be closed. The stream must stay where it is. */
int text_stream_open(struct text_stream *stream);

/* *text: what was printed, to be freed. -ENOMEM: not all of it could be kept, *text is NULL. */
int text_stream_close(struct text_stream *stream, char **text);

#endif
