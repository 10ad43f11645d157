/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way back, as the kernel goes it: one gzip member or one zstd frame, and nothing behind it but
 * zeros.
 */
#ifndef COMPRESS_EXPAND_H
#define COMPRESS_EXPAND_H

#include "core/compress/compress.h"

/* How a file that begins so is compressed; COMPRESS_NONE: in no way that is known here. */
enum compress_form compress_recognise(const void *bytes, size_t len);
#define COMPRESS_MAGIC_BYTES 4

/*
 * As compress_run the other way: form says what the range is. -EBADMSG: it is none, cut off,
 * damaged, or followed by something. -EFBIG: it has more than max_bytes in it.
 */
int compress_expand(const struct compress_request *request, uint64_t max_bytes, uint64_t *out_bytes,
		    struct error *error);

#endif
