/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One zstd frame, by libzstd's own threads. It cuts the input into jobs and puts their blocks
 * behind each other; with a fixed size of job, and at least one thread of its own, nothing depends
 * on how many threads there are. (Without one it does not cut, and finds other matches.)
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zstd.h>

#include "core/base/cancel.h"
#include "core/compress/private.h"
#include "lib/cleanup.h"

/* libzstd's own choice is four windows, which leaves processors of an initrd without a job. It
 * makes a job as large as the level's overlap at least. */
#define JOB_BYTES (8 << 20)

/* More threads than this libzstd refuses on some machines, and no image has jobs for them. */
#define THREADS_MAX 64

struct zstd {
	struct compress_stream *stream;
	ZSTD_CCtx *context;
	void *in, *out;
	size_t in_room, out_room;
};

static void clear(struct zstd *zstd)
{
	ZSTD_freeCCtx(zstd->context);
	free(zstd->in);
	free(zstd->out);
}

static int refuse(const struct zstd *zstd, size_t status, struct error *error)
{
	return error_set(error, EIO, "zstd cannot compress %s: %s", zstd->stream->request->in_name,
			 ZSTD_getErrorName(status));
}

static int set(struct zstd *zstd, ZSTD_cParameter parameter, int value, struct error *error)
{
	size_t status = ZSTD_CCtx_setParameter(zstd->context, parameter, value);

	return ZSTD_isError(status) ? refuse(zstd, status, error) : 0;
}

static int set_threads(struct zstd *zstd, struct error *error)
{
	const unsigned int threads = zstd->stream->request->threads;
	size_t status =
		ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_nbWorkers,
				       (int)(threads < THREADS_MAX ? threads : THREADS_MAX));

	if (ZSTD_isError(status))
		return error_set(
			error, ENOTSUP,
			"zstd: this libzstd was built without threads, and would compress "
			"to other bytes than one with them: take gzip, or another libzstd");
	return set(zstd, ZSTD_c_jobSize, JOB_BYTES, error);
}

static int open_context(struct zstd *zstd, struct error *error)
{
	size_t status;
	int ret;

	zstd->context = ZSTD_createCCtx();
	zstd->in_room = ZSTD_CStreamInSize();
	zstd->out_room = ZSTD_CStreamOutSize();
	zstd->in = malloc(zstd->in_room);
	zstd->out = malloc(zstd->out_room);
	if (!zstd->context || !zstd->in || !zstd->out)
		return error_nomem(error);
	ret = set(zstd, ZSTD_c_compressionLevel, zstd->stream->level, error);
	if (ret == 0)
		ret = set(zstd, ZSTD_c_checksumFlag, 1, error);
	if (ret == 0)
		ret = set_threads(zstd, error);
	if (ret < 0)
		return ret;
	status = ZSTD_CCtx_setPledgedSrcSize(zstd->context, zstd->stream->request->len);
	return ZSTD_isError(status) ? refuse(zstd, status, error) : 0;
}

/* One step; *left: how much libzstd still has for us. */
static int step(struct zstd *zstd, ZSTD_inBuffer *in, ZSTD_EndDirective end, size_t *left,
		struct error *error)
{
	ZSTD_outBuffer out = { zstd->out, zstd->out_room, 0 };
	int ret = cancel_check(error);

	if (ret < 0)
		return ret;
	*left = ZSTD_compressStream2(zstd->context, &out, in, end);
	if (ZSTD_isError(*left))
		return refuse(zstd, *left, error);
	return out.pos > 0 ? compress_emit(zstd->stream, out.dst, out.pos, error) : 0;
}

/* The input up to its end, then what libzstd still has. */
static int feed(struct zstd *zstd, size_t len, bool last, struct error *error)
{
	ZSTD_inBuffer in = { zstd->in, len, 0 };
	size_t left = 1;
	int ret = 0;

	while (ret == 0 && (in.pos < in.size || (last && left > 0)))
		ret = step(zstd, &in, last ? ZSTD_e_end : ZSTD_e_continue, &left, error);
	return ret;
}

static int run(struct zstd *zstd, struct error *error)
{
	const uint64_t total = zstd->stream->request->len;
	uint64_t done = 0;
	int ret;

	do {
		const uint64_t left = total - done;
		const size_t len = left < zstd->in_room ? (size_t)left : zstd->in_room;

		ret = compress_read(zstd->stream, zstd->in, len, done, error);
		done += len;
		if (ret == 0)
			ret = feed(zstd, len, done == total, error);
		compress_tell(zstd->stream, done);
	} while (ret == 0 && done < total);
	return ret;
}

int compress_zstd(struct compress_stream *stream, struct error *error)
{
	struct zstd zstd = { .stream = stream };
	int ret = open_context(&zstd, error);

	if (ret == 0)
		ret = run(&zstd, error);
	clear(&zstd);
	return ret;
}

const char *compress_zstd_version(void)
{
	return ZSTD_versionString();
}
