/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of zstd.c and expand_zstd.c where kataimg is built without libzstd. */
#include <errno.h>
#include <stddef.h>

#include "core/compress/expand_private.h"

static int refuse(struct error *error)
{
	return error_set(error, ENOTSUP,
			 "zstd: this kataimg was built without libzstd: build it with "
			 "-Dzstd=enabled");
}

int compress_zstd(struct compress_stream *stream, struct error *error)
{
	(void)stream;
	return refuse(error);
}

const char *compress_zstd_version(void)
{
	return NULL;
}

static int zstd_open(struct expand *expand, struct error *error)
{
	(void)expand;
	return refuse(error);
}

const struct expander expander_zstd = { .open = zstd_open };
