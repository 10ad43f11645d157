/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/unpack.h"

#include <errno.h>
#include <lz4.h>
#include <stddef.h>

/* Unpacks as many bytes as are wanted and ignores what follows: images without zero padding have
 * zeros behind the data. */
static int unpack_lz4(const struct erofs_unpack *job)
{
	int bytes = (int)job->out_bytes;

	return LZ4_decompress_safe_partial((const char *)job->in, (char *)job->out,
					   (int)job->in_bytes, bytes, bytes) == bytes
		       ? 0
		       : -EUCLEAN;
}

static const struct {
	const char *name;
	int (*unpack)(const struct erofs_unpack *job); /* NULL: not in this build */
} algorithms[EROFS_UNPACK_COUNT] = {
	[EROFS_UNPACK_LZ4] = { "LZ4", unpack_lz4 },
#ifdef HAVE_LZMA
	[EROFS_UNPACK_LZMA] = { "LZMA", erofs_unpack_lzma },
#else
	[EROFS_UNPACK_LZMA] = { "LZMA", NULL },
#endif
#ifdef HAVE_DEFLATE
	[EROFS_UNPACK_DEFLATE] = { "DEFLATE", erofs_unpack_deflate },
#else
	[EROFS_UNPACK_DEFLATE] = { "DEFLATE", NULL },
#endif
#ifdef HAVE_ZSTD
	[EROFS_UNPACK_ZSTD] = { "Zstandard", erofs_unpack_zstd },
#else
	[EROFS_UNPACK_ZSTD] = { "Zstandard", NULL },
#endif
};

const char *erofs_unpack_name(unsigned int algorithm)
{
	return algorithm < EROFS_UNPACK_COUNT ? algorithms[algorithm].name : NULL;
}

bool erofs_unpack_can(unsigned int algorithm)
{
	return algorithm < EROFS_UNPACK_COUNT && algorithms[algorithm].unpack;
}

int erofs_unpack(unsigned int algorithm, const struct erofs_unpack *job)
{
	return algorithms[algorithm].unpack(job);
}
