/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/base/log.h"
#include "core/base/meter.h"
#include "kataimg/backend.h"
#include "lib/bytes.h"
#include "lib/checked.h"

/* One file without a name, behind whatever compression there is; *empty: it has no byte. */
static int open_raw(struct archive_input *input, struct archive **result, bool *empty,
		    struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	struct archive_entry *entry;
	int ret = archive_input_begin(input, &archive, error);

	if (ret < 0)
		return ret;
	input->decompress = true;
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_format_raw(archive);
	archive_read_support_format_empty(archive);
	ret = archive_input_attach(input, archive, error);
	if (ret < 0)
		return ret;
	ret = archive_read_next_header(archive, &entry);
	if (ret != ARCHIVE_OK && ret != ARCHIVE_EOF)
		return archive_input_fail(input, archive, NULL, error);
	*empty = ret == ARCHIVE_EOF;
	*result = steal_ptr(&archive);
	return 0;
}

int archive_stream_is_needed(struct archive_input *input, bool *needed, struct error *error)
{
	struct archive *archive autocall(cleanup_archive) = NULL;
	bool empty;
	int ret = open_raw(input, &archive, &empty, error);

	if (ret == 0)
		*needed = input->inflate || archive_filter_code(archive, 0) != ARCHIVE_FILTER_NONE;
	return ret;
}

int archive_stream_open(struct archive_stream *stream, struct archive_input *input, uint64_t limit,
			struct digest *digest, struct error *error)
{
	bool empty = false;
	int ret;

	*stream = (struct archive_stream){ .input = input, .limit = limit, .digest = digest };
	ret = open_raw(input, &stream->archive, &empty, error);
	if (ret < 0)
		return ret;
	if (empty)
		archive_read_free(steal_ptr(&stream->archive));
	meter_expect(archive_input_is_stream(input) ? METER_UNKNOWN : input->bytes);
	return 0;
}

void archive_stream_close(struct archive_stream *stream)
{
	archive_read_free(steal_ptr(&stream->archive));
	archive_inflate_free(steal_ptr(&stream->inflate));
}

/* ---- Blocks ---- */

/* The bytes from off to the end of its block, of the size that holes have. */
static size_t run_of(uint64_t off, size_t len)
{
	size_t run = KATAIMG_HOLE_BYTES - (size_t)(off % KATAIMG_HOLE_BYTES);

	return run < len ? run : len;
}

/* The next run of the last block's data from *at on, without blocks of zeros: false at the end. */
static bool next_run(const struct archive_stream *stream, size_t *at, size_t *start)
{
	bool found = false;

	while (*at < stream->len) {
		size_t run = run_of(stream->off + *at, stream->len - *at);
		bool zero = bytes_are_zero(stream->block + *at, run);

		if (zero && found)
			return true;
		if (!zero && !found)
			*start = *at;
		found |= !zero;
		*at += run;
	}
	return found;
}

/* The limit grows with the compressed bytes, but is never below ARCHIVE_LIMIT_BYTES: a short
 * archive may unpack to many times its size. */
static uint64_t limit_of(const struct archive_stream *stream)
{
	uint64_t from = archive_input_taken(stream->input), ratio, limit;

	if (stream->limit > 0)
		return stream->limit;
	if (checked_mul(from, ARCHIVE_LIMIT_RATIO, &ratio) < 0 ||
	    checked_add(ratio, ARCHIVE_LIMIT_BYTES, &limit) < 0)
		return UINT64_MAX;
	return limit;
}

/* It counts whether it is stored or not: a look at a source says what a build will say. */
static int count_block(struct archive_stream *stream, struct error *error)
{
	uint64_t limit = limit_of(stream);
	size_t at = 0, start = 0;

	while (next_run(stream, &at, &start))
		stream->stored += at - start;
	if (stream->stored <= limit)
		return 0;
	return error_set(error, EFBIG,
			 "%s: it unpacks to more than %" PRIu64
			 " MiB, which no honest archive of its size does: [tree] unpack-limit "
			 "allows more",
			 stream->input->label, limit >> 20);
}

static int take_block(struct archive_stream *stream, struct error *error)
{
	int ret = cancel_requested() ? error_set(error, ECANCELED, "interrupted")
				     : count_block(stream, error);

	if (ret == 0 && stream->digest &&
	    digest_update(stream->digest, stream->block, stream->len) < 0)
		ret = error_set(error, EIO, "%s: cannot be hashed", stream->input->label);
	meter_advance(stream->input->at - stream->reported);
	stream->reported = stream->input->at;
	return ret;
}

static int fail_next(struct archive_stream *stream, struct error *error)
{
	autofree char *member =
		stream->find_member ? stream->find_member(stream->find_arg, stream->off) : NULL;

	return archive_input_fail(stream->input, stream->archive, member, error);
}

/* The next block out of libarchive's filters; *len is 0 at the end. */
static int read_filtered(struct archive_stream *stream, const void **block, size_t *len,
			 struct error *error)
{
	la_int64_t off;
	int status;

	do
		status = archive_read_data_block(stream->archive, block, len, &off);
	while (status == ARCHIVE_OK && *len == 0);
	if (status == ARCHIVE_OK)
		return 0;
	*len = 0;
	return status == ARCHIVE_EOF ? 0 : fail_next(stream, error);
}

static int fail_inner(struct archive_stream *stream, int code, const char *reason,
		      struct error *error)
{
	if (code == ENOMEM)
		return error_nomem(error);
	archive_set_error(stream->archive, EBADMSG,
			  "what gzip compressed is damaged, near byte %" PRIu64 ": %s",
			  archive_input_taken(stream->input), reason);
	stream->input->failed = true;
	return fail_next(stream, error);
}

/* Behind the inner one's end there is still what the filter checks. */
static int go_to_filter_end(struct archive_stream *stream, struct error *error)
{
	const void *packed;
	size_t len;
	int ret;

	while ((ret = read_filtered(stream, &packed, &len, error)) == 0 && len > 0)
		;
	return ret;
}

static int read_inner(struct archive_stream *stream, const void **block, size_t *len,
		      struct error *error)
{
	const char *reason = NULL;
	int ret;

	while ((ret = archive_inflate_next(stream->inflate, block, len, &reason)) == -EAGAIN) {
		const void *packed;
		size_t packed_len;

		ret = read_filtered(stream, &packed, &packed_len, error);
		if (ret < 0)
			return ret;
		archive_inflate_feed(stream->inflate, packed, packed_len);
	}
	if (ret < 0)
		return fail_inner(stream, -ret, reason, error);
	return *len > 0 ? 0 : go_to_filter_end(stream, error);
}

/* libarchive's own gzip filter checks no sums (archive/inflate.h). */
static int read_next(struct archive_stream *stream, const void **block, size_t *len,
		     struct error *error)
{
	bool first = !stream->begun;
	int ret;

	stream->begun = true;
	if (stream->inflate)
		return read_inner(stream, block, len, error);
	ret = read_filtered(stream, block, len, error);
	if (ret < 0 || !first || !archive_inflate_is(*block, *len))
		return ret;
	stream->inflate = archive_inflate_new();
	if (!stream->inflate)
		return error_nomem(error);
	archive_inflate_feed(stream->inflate, *block, *len);
	return read_inner(stream, block, len, error);
}

int archive_stream_next(struct archive_stream *stream, struct error *error)
{
	const void *block = NULL;
	size_t len = 0;
	int ret;

	stream->off += stream->len;
	stream->len = 0;
	ret = stream->archive ? read_next(stream, &block, &len, error) : 0;
	if (ret < 0 || len == 0)
		return ret;
	stream->block = block;
	stream->len = len;
	ret = take_block(stream, error);
	return ret < 0 ? ret : 1;
}

/* Does the file go on where its last filter ended? Some fill a last block with zeros. */
static bool goes_on(const struct archive_stream *stream)
{
	const struct archive_input *input = stream->input;
	/* Of gzip libarchive sees what is behind it. */
	uint64_t at = input->inflate ? archive_input_taken(input)
				     : (uint64_t)archive_filter_bytes(stream->archive, -1);
	char start[512];
	size_t len;

	if (archive_input_is_stream(input) || at >= input->bytes)
		return false;
	len = input->bytes - at < sizeof(start) ? (size_t)(input->bytes - at) : sizeof(start);
	return archive_input_read(input, at, start, len) == 0 && !bytes_are_zero(start, len);
}

static bool has_rest(const struct archive_inflate *inflate)
{
	return inflate && archive_inflate_has_rest(inflate);
}

void archive_stream_warn_behind(const struct archive_stream *stream)
{
	const struct archive_input *input = stream->input;

	if (stream->archive &&
	    (has_rest(input->inflate) || has_rest(stream->inflate) || goes_on(stream)))
		log_warning("%s: what follows its compressed data is left out", input->label);
}

static int store_block(const struct archive_stream *stream, int to)
{
	size_t at = 0, start = 0;
	int ret = 0;

	while (ret == 0 && next_run(stream, &at, &start))
		ret = io_pwrite(to, stream->block + start, at - start, stream->off + start);
	return ret;
}

int archive_stream_store(struct archive_stream *stream, int to, uint64_t *bytes,
			 struct error *error)
{
	int ret, stored = 0;

	while (stored == 0 && (ret = archive_stream_next(stream, error)) != 0) {
		if (ret < 0)
			return ret;
		stored = store_block(stream, to);
	}
	*bytes = stream->off;
	if (stored == 0 && ftruncate(to, (off_t)stream->off) < 0)
		stored = -errno;
	return stored == 0
		       ? 0
		       : error_errno(error, -stored, "cannot unpack %s into the output's directory",
				     stream->input->label);
}
