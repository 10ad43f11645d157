/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "lib/bytes.h"

/* Some gzip files are their own content. */
#define DEPTH_MAX 8
#define BLOCK_BYTES ((size_t)256 << 10)
/* zlib's way to say: the largest window, in a gzip file and nothing else. */
#define WINDOW_BITS (15 + 16)

struct archive_inflate {
	z_stream z;
	bool in_member; /* its end has not come */
	bool at_end;    /* of the file */
	bool done;      /* no member follows */
	bool rest;      /* but something does */
	bool begun;     /* a block was given */
	unsigned int depth;
	struct archive_inflate *inner; /* owned: what is behind it is gzip as well */
	size_t kept;                   /* of block, when it was too little to tell */
	Bytef block[BLOCK_BYTES];
};

static const unsigned char magic[ARCHIVE_INFLATE_MAGIC_BYTES] = { 0x1f, 0x8b, Z_DEFLATED };

bool archive_inflate_is(const void *bytes, size_t len)
{
	return len >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

struct archive_inflate *archive_inflate_new(void)
{
	struct archive_inflate *gzip = malloc(sizeof(*gzip));

	if (!gzip)
		return NULL;
	memset(gzip, 0, offsetof(struct archive_inflate, block));
	if (inflateInit2(&gzip->z, WINDOW_BITS) != Z_OK) {
		free(gzip);
		return NULL;
	}
	gzip->in_member = true;
	return gzip;
}

void archive_inflate_free(struct archive_inflate *gzip)
{
	if (!gzip)
		return;
	archive_inflate_free(gzip->inner);
	inflateEnd(&gzip->z);
	free(gzip);
}

void archive_inflate_feed(struct archive_inflate *gzip, const void *bytes, size_t len)
{
	gzip->z.next_in = bytes;
	gzip->z.avail_in = (uInt)len;
	gzip->at_end = len == 0;
}

size_t archive_inflate_left(const struct archive_inflate *gzip)
{
	return gzip->z.avail_in;
}

/* Members follow each other; zeros fill a tape's last block, and what else comes is not gzip's. */
static void begin_member(struct archive_inflate *gzip)
{
	if (*gzip->z.next_in != magic[0]) {
		gzip->done = true;
		gzip->rest |= !bytes_are_zero(gzip->z.next_in, gzip->z.avail_in);
		return;
	}
	inflateReset(&gzip->z);
	gzip->in_member = true;
}

/* Has zlib unpack what fits, and names what it finds wrong. */
static int step(struct archive_inflate *gzip, const char **reason)
{
	int status = inflate(&gzip->z, Z_NO_FLUSH);

	if (status == Z_STREAM_END)
		gzip->in_member = false;
	if (status == Z_MEM_ERROR)
		return -ENOMEM;
	if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
		return 0;
	*reason = gzip->z.msg ? gzip->z.msg : "a preset dictionary";
	return -EBADMSG;
}

/* A step gave no bytes: a new member begins, more input is needed, or the file has ended. */
static int go_on(struct archive_inflate *gzip, const char **reason)
{
	if (gzip->z.avail_in > 0) {
		if (!gzip->in_member)
			begin_member(gzip);
		return 0;
	}
	if (!gzip->at_end)
		return -EAGAIN;
	*reason = "it is cut off";
	gzip->done = true;
	return gzip->in_member ? -EBADMSG : 0;
}

/* The first block is as long as the magic number of gzip at least, for it is looked at for gzip
 * within gzip. */
static int next_block(struct archive_inflate *gzip, const void **block, size_t *len,
		      const char **reason)
{
	size_t least = gzip->begun ? 1 : sizeof(magic);
	int ret = 0;

	gzip->z.next_out = gzip->block + gzip->kept;
	gzip->z.avail_out = (uInt)(BLOCK_BYTES - gzip->kept);
	*block = gzip->block;
	*len = gzip->kept;
	while (ret == 0 && *len < least && !gzip->done) {
		size_t before = *len;

		/* zlib may have more to give of the input that it has taken already. */
		if (gzip->in_member)
			ret = step(gzip, reason);
		*len = BLOCK_BYTES - gzip->z.avail_out;
		if (ret == 0 && *len == before)
			ret = go_on(gzip, reason);
	}
	gzip->kept = ret == -EAGAIN ? *len : 0;
	return ret;
}

static int begin_inner(struct archive_inflate *gzip, const void *block, size_t len,
		       const char **reason)
{
	if (gzip->depth == DEPTH_MAX) {
		*reason = "it is gzip within gzip, too many times";
		return -EBADMSG;
	}
	gzip->inner = archive_inflate_new();
	if (!gzip->inner)
		return -ENOMEM;
	gzip->inner->depth = gzip->depth + 1;
	archive_inflate_feed(gzip->inner, block, len);
	return 0;
}

/* When the inner file has ended, the outer one is read to its end for its sums. */
static int go_to_end(struct archive_inflate *gzip, const char **reason)
{
	const void *block;
	size_t len;
	int ret;

	while ((ret = next_block(gzip, &block, &len, reason)) == 0 && len > 0)
		gzip->rest |= !bytes_are_zero(block, len);
	return ret;
}

static int next_of_inner(struct archive_inflate *gzip, const void **block, size_t *len,
			 const char **reason)
{
	int ret;

	while ((ret = archive_inflate_next(gzip->inner, block, len, reason)) == -EAGAIN) {
		const void *packed;
		size_t packed_len;

		ret = next_block(gzip, &packed, &packed_len, reason);
		if (ret < 0)
			return ret;
		archive_inflate_feed(gzip->inner, packed, packed_len);
	}
	return ret == 0 && *len == 0 ? go_to_end(gzip, reason) : ret;
}

int archive_inflate_next(struct archive_inflate *gzip, const void **block, size_t *len,
			 const char **reason)
{
	int ret;

	if (gzip->inner)
		return next_of_inner(gzip, block, len, reason);
	ret = next_block(gzip, block, len, reason);
	if (ret < 0 || gzip->begun)
		return ret;
	gzip->begun = true;
	if (!archive_inflate_is(*block, *len))
		return 0;
	ret = begin_inner(gzip, *block, *len, reason);
	return ret < 0 ? ret : next_of_inner(gzip, block, len, reason);
}

bool archive_inflate_has_rest(const struct archive_inflate *gzip)
{
	return gzip->rest || (gzip->inner && archive_inflate_has_rest(gzip->inner));
}
