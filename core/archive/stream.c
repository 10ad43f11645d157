/* SPDX-License-Identifier: Apache-2.0 */
#include "core/archive/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "core/archive/archive.h"
#include "core/archive/runs.h"
#include "core/base/cancel.h"
#include "core/base/io.h"
#include "core/base/log.h"
#include "core/base/meter.h"
#include "core/decompress/codec.h"
#include "lib/checked.h"

/* How long a stream is waited for before the wish to stop is looked at again. */
#define WAIT_MS 100

/* ---- The input ---- */

static ssize_t read_stream(const struct archive_input *input, void *buf, size_t room)
{
	struct pollfd waiting = { .fd = input->fd, .events = POLLIN };
	ssize_t got;

	if (poll(&waiting, 1, WAIT_MS) == 0)
		return -EAGAIN;
	got = read(input->fd, buf, room);
	if (got >= 0)
		return got;
	return errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t read_file(const struct archive_input *input, void *buf, size_t room)
{
	uint64_t left = input->bytes - input->at;
	size_t len = left < room ? (size_t)left : room;
	int ret = io_pread(input->fd, buf, len, input->off + input->at);

	if (ret < 0)
		return ret == -ENODATA ? -ESTALE : ret;
	return (ssize_t)len;
}

static ssize_t read_input(void *arg, void *buf, size_t room)
{
	struct archive_input *input = arg;
	ssize_t got = archive_input_is_stream(input) ? read_stream(input, buf, room)
						     : read_file(input, buf, room);

	if (got <= 0)
		return got;
	input->at += (uint64_t)got;
	return input->digest && digest_update(input->digest, buf, (size_t)got) < 0 ? -EIO : got;
}

int archive_stream_is_needed(const struct archive_input *input, bool *needed, struct error *error)
{
	char start[DECOMPRESS_MAGIC_BYTES];
	size_t len = input->bytes < sizeof(start) ? (size_t)input->bytes : sizeof(start);
	int ret = archive_input_read(input, 0, start, len);

	if (ret < 0)
		return error_errno(error, ret == -ENODATA ? ESTALE : -ret, "%s: cannot read",
				   input->label);
	*needed = decompress_is(start, len);
	return 0;
}

int archive_stream_open(struct archive_stream *stream, struct archive_input *input, uint64_t limit,
			struct digest *digest, struct error *error)
{
	const struct decompress_source source = { read_input, input };

	*stream = (struct archive_stream){ .input = input, .limit = limit, .digest = digest };
	input->at = 0;
	stream->ahead = ahead_new(&source, input->threads);
	if (!stream->ahead)
		return error_nomem(error);
	meter_expect(archive_input_is_stream(input) ? METER_UNKNOWN : input->bytes);
	return 0;
}

void archive_stream_close(struct archive_stream *stream)
{
	ahead_free(steal_ptr(&stream->ahead));
}

/* ---- Blocks ---- */

/* The limit grows with the compressed bytes, but is never below ARCHIVE_LIMIT_BYTES: a short
 * archive may unpack to many times its size. */
static uint64_t limit_of(const struct archive_stream *stream)
{
	uint64_t ratio, limit;

	if (stream->limit > 0)
		return stream->limit;
	if (checked_mul(stream->taken, ARCHIVE_LIMIT_RATIO, &ratio) < 0 ||
	    checked_add(ratio, ARCHIVE_LIMIT_BYTES, &limit) < 0)
		return UINT64_MAX;
	return limit;
}

/* It counts whether it is stored or not: a look at a source says what a build will say. */
static int count_block(struct archive_stream *stream, struct error *error)
{
	uint64_t limit = limit_of(stream);
	struct runs runs = { .bytes = stream->block, .len = stream->len, .off = stream->off };

	while (runs_next(&runs))
		stream->stored += runs.end - runs.start;
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
	meter_advance(stream->taken - stream->reported);
	stream->reported = stream->taken;
	return ret;
}

/* "what CODEC compressed is damaged, at byte N: why". */
static void describe_damage(const struct decompress_failure *failure, struct error *error)
{
	const char *damaged = failure->is_exact ? "is damaged" : "cannot be unpacked";
	const char *place = failure->is_at ? "at" : "near";

	if (failure->code == ENOTSUP)
		error_set(error, ENOTSUP, "compressed by %s: this kataimg was built without %s",
			  failure->codec, failure->what);
	else if (failure->what)
		error_set(error, EBADMSG, "what %s compressed %s, %s byte %" PRIu64 ": %s",
			  failure->codec, damaged, place, failure->at, failure->what);
	else
		error_set(error, EBADMSG,
			  "what %s compressed %s, %s byte %" PRIu64
			  ": it is %s within %s, too many times",
			  failure->codec, damaged, place, failure->at, failure->inner,
			  failure->codec);
}

/* "LABEL: MEMBER: why". */
static int fail_next(struct archive_stream *stream, const struct decompress_failure *failure,
		     struct error *error)
{
	autofree char *member =
		stream->find_member ? stream->find_member(stream->find_arg, stream->off) : NULL;

	if (failure->codec)
		describe_damage(failure, error);
	else
		error_errno(error, failure->code, "cannot read");
	return error_prefix(error, "%s%s%s", stream->input->label, member ? ": " : "",
			    member ? member : "");
}

int archive_stream_next(struct archive_stream *stream, struct error *error)
{
	struct decompress_failure failure;
	struct ahead_block block;
	int ret;

	stream->off += stream->len;
	stream->len = 0;
	ret = ahead_next(stream->ahead, &block, &failure);
	if (ret < 0 && cancel_requested())
		return error_set(error, ECANCELED, "interrupted");
	if (ret == -ENOMEM)
		return error_nomem(error);
	if (ret < 0)
		return fail_next(stream, &failure, error);
	stream->block = block.bytes;
	stream->len = block.len;
	stream->taken = block.taken;
	if (ret > 0)
		ret = take_block(stream, error);
	return ret < 0 ? ret : block.len > 0;
}

/* Behind what is compressed there may be more that the input's digest is of. */
static int read_rest(struct archive_input *input)
{
	char rest[4096];
	ssize_t got;

	while ((got = read_input(input, rest, sizeof(rest))) > 0)
		if (cancel_requested())
			return -ECANCELED;
	return got < 0 ? (int)got : 0;
}

int archive_stream_finish(const struct archive_stream *stream, struct error *error)
{
	struct archive_input *input = stream->input;
	int ret = input->digest ? read_rest(input) : 0;

	if (ret == -ECANCELED)
		return error_set(error, ECANCELED, "interrupted");
	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot read", input->label);
	if (ahead_has_rest(stream->ahead))
		log_warning("%s: what follows its compressed data is left out", input->label);
	return 0;
}

int archive_stream_store(struct archive_stream *stream, int to, uint64_t *bytes,
			 struct error *error)
{
	int ret, stored = 0;

	while (stored == 0 && (ret = archive_stream_next(stream, error)) != 0) {
		if (ret < 0)
			return ret;
		stored = runs_write(to, stream->block, stream->len, stream->off);
	}
	*bytes = stream->off;
	if (stored == 0 && ftruncate(to, (off_t)stream->off) < 0)
		stored = -errno;
	return stored == 0 ? 0
			   : error_errno(error, -stored, "cannot unpack %s into %s",
					 stream->input->label, stream->input->unpacks_to);
}
