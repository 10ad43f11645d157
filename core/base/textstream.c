/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/textstream.h"

#include <errno.h>

#include "lib/cleanup.h"

/* To stdio, 0 is a failure. What printed may not have looked, so it is noted here as well. */
static ssize_t keep(void *cookie, const char *bytes, size_t len)
{
	struct text_stream *stream = cookie;

	if (array_reserve(&stream->bytes, len) < 0) {
		stream->cut = true;
		return 0;
	}
	memcpy(stream->bytes.items + stream->bytes.count, bytes, len);
	stream->bytes.count += len;
	return (ssize_t)len;
}

int text_stream_open(struct text_stream *stream)
{
	*stream = (struct text_stream){ 0 };
	stream->out = fopencookie(stream, "w", (cookie_io_functions_t){ .write = keep });
	return stream->out ? 0 : -ENOMEM;
}

int text_stream_close(struct text_stream *stream, char **text)
{
	bool whole = fflush(stream->out) == 0 && !ferror(stream->out);

	whole = fclose(stream->out) == 0 && whole && !stream->cut;
	*text = NULL;
	if (!whole || !array_add(&stream->bytes)) {
		array_free(&stream->bytes);
		return -ENOMEM;
	}
	*text = steal_ptr(&stream->bytes.items);
	return 0;
}
