/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of zstd.c where kataimg is built without libzstd. */
#include <errno.h>
#include <stddef.h>

#include "core/compress/private.h"

int compress_zstd(struct compress_stream *stream, struct error *error)
{
	(void)stream;
	return error_set(error, ENOTSUP,
			 "zstd: this kataimg was built without libzstd: build it with "
			 "-Dzstd=enabled");
}

const char *compress_zstd_version(void)
{
	return NULL;
}
