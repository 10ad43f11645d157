/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compress/expand.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cancel.h"
#include "core/compress/private.h"
#include "core/decompress/codec.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

#define EXPAND_BYTES ((size_t)256 << 10)

struct expand {
	struct compress_stream stream;
	const struct decompress_codec *codec;
	void *decoder;   /* owned */
	uint64_t in_off; /* so much of the range was read */
	size_t in_len, in_used;
	uint8_t in[EXPAND_BYTES], out[EXPAND_BYTES];
};

static void expand_free(struct expand *expand)
{
	if (expand && expand->decoder)
		expand->codec->close(expand->decoder);
	free(expand);
}
DEFINE_CLEANUP(struct expand, expand_free)

static const uint8_t gzip_magic[] = { 0x1f, 0x8b, 0x08 };
static const uint8_t zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

enum compress_form compress_recognise(const void *bytes, size_t len)
{
	if (len >= sizeof(gzip_magic) && memcmp(bytes, gzip_magic, sizeof(gzip_magic)) == 0)
		return COMPRESS_GZIP;
	if (len >= sizeof(zstd_magic) && memcmp(bytes, zstd_magic, sizeof(zstd_magic)) == 0)
		return COMPRESS_ZSTD;
	return COMPRESS_NONE;
}

static int fail(const struct expand *expand, const char *what, struct error *error)
{
	const struct compress_request *request = expand->stream.request;

	return error_set(error, EBADMSG, "%s: %s: %s", request->in_name,
			 compress_form_name(request->form), what);
}

/* More of the input, when what there was is used up. */
static int fill(struct expand *expand, struct error *error)
{
	const uint64_t left = expand->stream.request->len - expand->in_off;
	const size_t len = left < EXPAND_BYTES ? (size_t)left : EXPAND_BYTES;
	int ret = cancel_check(error);

	if (ret < 0)
		return ret;
	if (len == 0)
		return fail(expand, "it is cut off", error);
	ret = compress_read(&expand->stream, expand->in, len, expand->in_off, error);
	expand->in_off += len;
	expand->in_len = len;
	expand->in_used = 0;
	compress_tell(&expand->stream, expand->in_off);
	return ret;
}

static int take(struct expand *expand, size_t len, uint64_t max_bytes, struct error *error)
{
	if (len > max_bytes - expand->stream.out_bytes)
		return error_set(error, EFBIG, "%s: it unpacks to more than %" PRIu64 " bytes",
				 expand->stream.request->in_name, max_bytes);
	return len > 0 ? compress_emit(&expand->stream, expand->out, len, error) : 0;
}

static int check_rest(struct expand *expand, struct error *error)
{
	char what[128];

	for (;;) {
		int ret;

		if (!bytes_are_zero(expand->in + expand->in_used,
				    expand->in_len - expand->in_used)) {
			snprintf(what, sizeof(what),
				 "something follows its first %s: a kernel calls it junk",
				 expand->stream.request->form == COMPRESS_GZIP ? "member"
									       : "frame");
			return fail(expand, what, error);
		}
		if (expand->in_off == expand->stream.request->len)
			return 0;
		ret = fill(expand, error);
		if (ret < 0)
			return ret;
	}
}

/* From in to out, *len bytes. */
static int step(struct expand *expand, size_t *len, bool *ended, struct error *error)
{
	struct decompress_io io = {
		.in = expand->in + expand->in_used,
		.in_len = expand->in_len - expand->in_used,
		.in_ends = expand->in_off == expand->stream.request->len,
		.out = expand->out,
		.out_room = EXPAND_BYTES,
	};
	const char *what = NULL;
	int ret = expand->codec->step(expand->decoder, &io, ended, &what);

	expand->in_used = expand->in_len - io.in_len;
	*len = EXPAND_BYTES - io.out_room;
	if (ret < 0)
		return ret == -ENOMEM ? error_nomem(error) : fail(expand, what, error);
	return 0;
}

static int run(struct expand *expand, uint64_t max_bytes, struct error *error)
{
	bool ended = false;
	int ret = 0;

	while (ret == 0 && !ended) {
		size_t len = 0;

		if (expand->in_used == expand->in_len)
			ret = fill(expand, error);
		if (ret == 0)
			ret = step(expand, &len, &ended, error);
		if (ret == 0)
			ret = take(expand, len, max_bytes, error);
	}
	return ret < 0 ? ret : check_rest(expand, error);
}

int compress_expand(const struct compress_request *request, uint64_t max_bytes, uint64_t *out_bytes,
		    struct error *error)
{
	struct expand *expand autocall(cleanup_expand_free) = calloc(1, sizeof(*expand));
	int ret;

	if (!expand)
		return error_nomem(error);
	expand->stream.request = request;
	expand->codec = request->form == COMPRESS_GZIP ? &decompress_gzip : &decompress_zstd;
	if (expand->codec->lack)
		return error_set(error, ENOTSUP, "%s: this kataimg was built without %s",
				 expand->codec->name, expand->codec->lack);
	expand->decoder = expand->codec->open();
	ret = expand->decoder ? run(expand, max_bytes, error) : error_nomem(error);
	if (ret == 0 && out_bytes)
		*out_bytes = expand->stream.out_bytes;
	return ret;
}
