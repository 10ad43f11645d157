/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compress/compress.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/compress/private.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"

#define CHUNK_BYTES ((size_t)1 << 20)

int compress_read(const struct compress_stream *stream, void *buf, size_t len, uint64_t off,
		  struct error *error)
{
	const struct compress_request *request = stream->request;
	int ret = io_pread(request->in_fd, buf, len, request->in_off + off);

	return ret < 0 ? error_errno(error, -ret, "cannot read %s", request->in_name) : 0;
}

int compress_emit(struct compress_stream *stream, const void *bytes, size_t len,
		  struct error *error)
{
	const struct compress_request *request = stream->request;
	int ret = request->sink ? request->sink(request->sink_arg, bytes, len, error) : 0;

	if (ret < 0)
		return ret;
	/* The last piece is written: the file is as long as what came out. */
	const bool is_hole = request->form == COMPRESS_NONE &&
			     stream->out_bytes + len < request->len && bytes_are_zero(bytes, len);

	if (request->out_fd >= 0 && !is_hole)
		ret = io_pwrite(request->out_fd, bytes, len, request->out_off + stream->out_bytes);
	if (ret < 0)
		return error_errno(error, -ret, "cannot write %s", request->out_name);
	stream->out_bytes += len;
	return 0;
}

void compress_tell(const struct compress_stream *stream, uint64_t done)
{
	const struct compress_request *request = stream->request;

	if (request->progress)
		request->progress(request->progress_arg, done, request->len);
}

static int copy(struct compress_stream *stream, struct error *error)
{
	const uint64_t total = stream->request->len;
	autofree void *chunk = malloc(CHUNK_BYTES);
	int ret = chunk ? 0 : error_nomem(error);

	while (ret == 0 && stream->out_bytes < total) {
		const uint64_t left = total - stream->out_bytes;
		const size_t len = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

		ret = cancel_check(error);
		if (ret == 0)
			ret = compress_read(stream, chunk, len, stream->out_bytes, error);
		if (ret == 0)
			ret = compress_emit(stream, chunk, len, error);
		compress_tell(stream, stream->out_bytes);
	}
	return ret;
}

static const struct form {
	const char *name;
	int level_max, level_default; /* those of the formats' own tools */
	int (*run)(struct compress_stream *stream, struct error *error);
	const char *(*version)(void);
} forms[] = {
	[COMPRESS_NONE] = { "none", 0, 0, copy, NULL },
	[COMPRESS_GZIP] = { "gzip", 9, 6, compress_gzip, compress_gzip_version },
	[COMPRESS_ZSTD] = { "zstd", 22, 3, compress_zstd, compress_zstd_version },
};

int compress_run(const struct compress_request *request, uint64_t *out_bytes, struct error *error)
{
	const struct form *form = &forms[request->form];
	struct compress_stream stream = {
		.request = request,
		.level = request->level ? request->level : form->level_default,
	};
	int ret;

	if (stream.level < 0 || stream.level > form->level_max)
		return error_set(error, EINVAL, "%s has no level %d", form->name, stream.level);
	ret = form->run(&stream, error);
	if (ret == 0 && out_bytes)
		*out_bytes = stream.out_bytes;
	return ret;
}

int compress_level_max(enum compress_form form)
{
	return forms[form].level_max;
}

int compress_level_default(enum compress_form form)
{
	return forms[form].level_default;
}

const char *compress_form_name(enum compress_form form)
{
	return forms[form].name;
}

const char *compress_version(enum compress_form form)
{
	return forms[form].version ? forms[form].version() : NULL;
}
