/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of expanding have in common. */
#ifndef COMPRESS_EXPAND_PRIVATE_H
#define COMPRESS_EXPAND_PRIVATE_H

#include <stdbool.h>

#include "core/compress/private.h"

#define EXPAND_BYTES ((size_t)256 << 10)

struct expand {
	struct compress_stream stream;
	void *decoder;   /* the form's own */
	uint64_t in_off; /* so much of the range was read */
	size_t in_len, in_used;
	uint8_t in[EXPAND_BYTES], out[EXPAND_BYTES];
};

struct expander {
	int (*open)(struct expand *expand, struct error *error);
	/* From in to out, *len bytes; *ended: it was the end of the member or frame. -ENOMEM, or
	 * -EBADMSG with what is wrong, a static text. */
	int (*step)(struct expand *expand, size_t *len, bool *ended, const char **what);
	void (*close)(struct expand *expand);
};

extern const struct expander expander_gzip, expander_zstd;

#endif
