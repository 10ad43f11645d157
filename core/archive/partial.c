/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members are gone through by the reader that will go through them again when the tree is made.
 * What it looks at is kept, and as it goes the same way then, it finds all of that. Where it would
 * go another way (it does not know yet where the archive ends), it asks for what is not there, and
 * gets the whole: a wrong guess costs time and never a byte.
 */
#include "core/archive/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/kept.h"
#include "core/archive/stream.h"
#include "core/archive/unpack.h"
#include "core/base/io.h"
#include "core/tree/content.h"
#include "lib/bytes.h"

struct archive_partial {
	struct archive_input packed; /* owned: label, fd */
	char *label;                 /* owned */
	struct tree_stamp stamp;     /* of packed, at the start */
	uint64_t limit;
	uint64_t bytes;
	struct kept kept;              /* and the scratch file; owned but for that */
	struct archive_stream *stream; /* while it is looked through */
	struct error *failure;         /* likewise: of the stream */
	struct archive_reader *reader; /* likewise; owned */
	bool ended;                    /* the stream is */
	struct archive_input again;    /* packed, as peeking reads it */
	struct archive_stream peeking; /* of it; owned */
	pthread_mutex_t lock;          /* of what follows */
	bool filled;
};

static int fail_to_unpack(const struct archive_partial *partial, int code, struct error *error)
{
	return error_errno(error, code, "cannot unpack %s into %s", partial->label,
			   partial->packed.unpacks_to);
}

/* ---- While it is looked through ---- */

/* The block that has the byte at a place: 0 behind the end. */
static int find_block(struct archive_partial *partial, uint64_t at)
{
	struct archive_stream *stream = partial->stream;
	int ret = 1;

	while (ret > 0 && at >= stream->off + stream->len)
		ret = partial->ended ? 0 : archive_stream_next(stream, partial->failure);
	partial->ended |= ret == 0;
	return ret;
}

/* The data of a member, to its end or the archive's. What the reader took already to find the
 * member is there. */
static int take_data(struct archive_partial *partial, uint64_t at, uint64_t len)
{
	const struct archive_stream *stream = partial->stream;
	uint64_t end = at + len;
	int ret = 1;

	if (at < kept_end(&partial->kept))
		at = kept_end(&partial->kept);
	while (at < end && (ret = find_block(partial, at)) > 0) {
		size_t in_block = (size_t)(at - stream->off), part = stream->len - in_block;

		if (part > end - at)
			part = (size_t)(end - at);
		ret = kept_add(&partial->kept, at, stream->block + in_block, part, true);
		if (ret < 0)
			return ret;
		at += part;
	}
	return ret < 0 ? ret : 0;
}

/* The bytes from at on, which is behind all that was taken. */
static int take_new(struct archive_partial *partial, uint64_t at, char *buf, size_t len)
{
	const struct archive_stream *stream = partial->stream;
	size_t got = 0;

	while (got < len) {
		size_t in_block, part;
		int ret = find_block(partial, at + got);

		if (ret < 0)
			return ret;
		if (ret == 0)
			break;
		in_block = (size_t)(at + got - stream->off);
		part = stream->len - in_block < len - got ? stream->len - in_block : len - got;
		memcpy(buf + got, stream->block + in_block, part);
		got += part;
	}
	memset(buf + got, 0, len - got);
	return kept_add(&partial->kept, at, buf, got, false);
}

/* The place before which every byte was either kept or passed over. */
static uint64_t passed(const struct archive_partial *partial)
{
	uint64_t kept = kept_end(&partial->kept);

	return kept > partial->stream->off ? kept : partial->stream->off;
}

/* Gives bytes of which the first may have been kept before, and the rest, behind them, is read
 * now. */
static int take(struct archive_partial *partial, uint64_t at, char *buf, size_t len)
{
	uint64_t from = passed(partial);
	size_t old = at >= from ? 0 : from - at < len ? (size_t)(from - at) : len;
	int ret = 0;

	if (old > 0 && !kept_has(&partial->kept, at, old))
		return -ESPIPE;
	if (old > 0)
		ret = kept_read(&partial->kept, at, buf, old);
	return ret == 0 && len > old ? take_new(partial, at + old, buf + old, len - old) : ret;
}

static int keep_member(struct archive_partial *partial,
		       const struct archive_partial_options *options,
		       const struct archive_member *member)
{
	int needs = options->needs ? options->needs(options->needs_arg, member) : 0;

	return needs > 0 && member->bytes > 0 ? take_data(partial, member->off, member->bytes)
					      : needs;
}

/* Goes through the members without a word of what is wrong with them: the same reader tells that
 * when the tree is made. */
static int go_through(struct archive_partial *partial, struct archive_input *input,
		      const struct archive_partial_options *options, uint64_t *end)
{
	autoerror struct error ignored = ERROR_INIT;
	struct archive_reader_options quiet = options->reader;
	struct archive_member member;
	bool marked;
	int ret;

	quiet.quiet = true;
	ret = archive_reader_open(input, &quiet, &partial->reader, &ignored);
	while (ret >= 0 && (ret = archive_reader_next(partial->reader, &member, &ignored)) > 0)
		ret = keep_member(partial, options, &member);
	*end = ret == 0 ? archive_reader_end(partial->reader, &marked) : UINT64_MAX;
	if (partial->failure->code)
		return -partial->failure->code;
	return ret == -ENOMEM || ret == -ECANCELED
		       ? error_set(partial->failure, -ret, "%s", error_sentence(&ignored))
		       : 0;
}

/* Keeps what lies behind the last member, as far as unpack.c will look at it for its warning. */
static int take_rest(struct archive_partial *partial, uint64_t at)
{
	char block[ARCHIVE_REST_BYTES];
	int ret;

	while ((ret = find_block(partial, at)) > 0) {
		ret = take(partial, at, block, sizeof(block));
		if (ret < 0 || !bytes_are_zero(block, sizeof(block)))
			return ret;
		at += sizeof(block);
	}
	return ret;
}

/* Reads to the archive's end, which tells its size, whether its sums are right, and whether it is
 * too large. */
static int go_to_end(struct archive_partial *partial, uint64_t end)
{
	const struct archive_stream *stream = partial->stream;
	int ret = end == UINT64_MAX ? 0 : take_rest(partial, end);

	if (ret == -ESPIPE)
		ret = 0;
	while (ret >= 0 && !partial->ended)
		ret = find_block(partial, stream->off + stream->len);
	return ret < 0 ? ret : 0;
}

static char *find_member(void *arg, uint64_t off)
{
	const struct archive_partial *partial = arg;

	return archive_reader_describe(partial->reader, off);
}

static int look_through(struct archive_partial *partial,
			const struct archive_partial_options *options, struct error *error)
{
	struct archive_stream stream autocall(archive_stream_close) = { 0 };
	struct archive_input input = { .label = partial->label,
				       .fd = partial->kept.fd,
				       .bytes = INT64_MAX,
				       .partial = partial };
	uint64_t end = UINT64_MAX;
	int ret = archive_stream_open(&stream, &partial->packed, options->limit, options->digest,
				      error);

	stream.find_member = find_member;
	stream.find_arg = partial;
	partial->stream = &stream;
	partial->failure = error;
	if (ret == 0)
		ret = go_through(partial, &input, options, &end);
	if (ret == 0)
		ret = go_to_end(partial, end);
	if (ret == 0)
		ret = archive_stream_finish(&stream, error);
	partial->bytes = stream.off;
	partial->stream = NULL;
	partial->failure = NULL;
	archive_reader_free(steal_ptr(&partial->reader));
	archive_input_release(&input);
	archive_input_release(&partial->packed);
	partial->packed.digest = NULL;
	if (ret == 0 && ftruncate(partial->kept.fd, (off_t)partial->bytes) < 0)
		ret = -errno;
	return ret < 0 ? fail_to_unpack(partial, -ret, error) : 0;
}

/* ---- Afterwards ---- */

static int stamp_of(int fd, struct tree_stamp *stamp)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*stamp = tree_stamp_of(&st);
	return 0;
}

static int fail_written(const struct archive_partial *partial, struct error *error)
{
	return error_set(error, ESTALE,
			 "%s was written while it was read: build again from a source at rest",
			 partial->label);
}

static int fill(struct archive_partial *partial, struct error *error)
{
	struct archive_stream stream autocall(archive_stream_close) = { 0 };
	struct tree_stamp stamp = partial->stamp;
	uint64_t bytes = 0;
	int ret = archive_stream_open(&stream, &partial->packed, partial->limit, NULL, error);

	if (ret == 0)
		ret = archive_stream_store(&stream, partial->kept.fd, &bytes, error);
	archive_input_release(&partial->packed);
	if (ret < 0)
		return ret;
	if (stamp_of(partial->packed.fd, &stamp) < 0 || bytes != partial->bytes ||
	    memcmp(&stamp, &partial->stamp, sizeof(stamp)) != 0)
		return fail_written(partial, error);
	partial->filled = true;
	return 0;
}

static int fill_once(struct archive_partial *partial, struct error *error)
{
	int ret;

	pthread_mutex_lock(&partial->lock);
	ret = partial->filled ? 0 : fill(partial, error);
	pthread_mutex_unlock(&partial->lock);
	return ret;
}

int archive_partial_fill(struct archive_partial *partial, uint64_t at, uint64_t len,
			 struct error *error)
{
	return kept_is_stored(&partial->kept, at, len) ? 0 : fill_once(partial, error);
}

int archive_partial_read(struct archive_partial *partial, uint64_t at, void *buf, size_t len)
{
	autoerror struct error error = ERROR_INIT;
	int ret = 0;

	if (partial->stream) {
		ret = take(partial, at, buf, len);
		if (ret < 0 && ret != -ESPIPE)
			fail_to_unpack(partial, -ret, partial->failure);
		return ret;
	}
	if (kept_has(&partial->kept, at, len))
		return kept_read(&partial->kept, at, buf, len);
	ret = fill_once(partial, &error);
	return ret < 0 ? ret : io_pread(partial->kept.fd, buf, len, at);
}

/* ---- Without keeping it ---- */

static void end_peeking(struct archive_partial *partial)
{
	archive_stream_close(&partial->peeking);
	archive_input_release(&partial->again);
}

/* Begins at the archive's front again when the place lies before what was passed already, and the
 * first time. */
static int begin_peeking(struct archive_partial *partial, uint64_t at, struct error *error)
{
	struct archive_stream *stream = &partial->peeking;

	if (stream->ahead && at >= stream->off)
		return 0;
	end_peeking(partial);
	partial->again = partial->packed;
	return archive_stream_open(stream, &partial->again, partial->limit, NULL, error);
}

int archive_partial_peek(struct archive_partial *partial, uint64_t at, void *buf, size_t len,
			 struct error *error)
{
	struct archive_stream *stream = &partial->peeking;
	char *to = buf;
	int ret;

	if (kept_is_stored(&partial->kept, at, len)) {
		ret = io_pread(partial->kept.fd, buf, len, at);
		return ret < 0 ? error_errno(error, -ret, "cannot read a scratch file") : 0;
	}
	ret = begin_peeking(partial, at, error);

	while (ret >= 0 && len > 0) {
		uint64_t end = stream->off + stream->len;
		size_t part = at >= end ? 0 : end - at < len ? (size_t)(end - at) : len;

		if (part > 0)
			memcpy(to, stream->block + (at - stream->off), part);
		to += part;
		at += part;
		len -= part;
		ret = len > 0 ? archive_stream_next(stream, error) : 1;
		if (ret == 0)
			return fail_written(partial, error);
	}
	return ret < 0 ? ret : 0;
}

size_t archive_partial_within(const struct archive_partial *partial, uint64_t at, size_t len)
{
	uint64_t end;

	if (!partial->stream || !partial->ended)
		return len;
	end = partial->stream->off;
	return at >= end ? 0 : end - at < len ? (size_t)(end - at) : len;
}

static int open_partial(struct archive_partial *partial, const struct archive_input *packed)
{
	partial->label = strdup(packed->label);
	partial->packed = (struct archive_input){ .label = partial->label,
						  .fd = fcntl(packed->fd, F_DUPFD_CLOEXEC, 0),
						  .off = packed->off,
						  .bytes = packed->bytes,
						  .threads = packed->threads,
						  .unpacks_to = packed->unpacks_to,
						  .digest = packed->digest };
	if (!partial->label)
		return -ENOMEM;
	return partial->packed.fd < 0 ? -errno : stamp_of(partial->packed.fd, &partial->stamp);
}

int archive_partial_new(const struct archive_input *packed, int fd,
			const struct archive_partial_options *options,
			struct archive_partial **result, uint64_t *bytes, struct error *error)
{
	struct archive_partial *partial autocall(cleanup_archive_partial_free) =
		calloc(1, sizeof(*partial));
	int ret;

	if (!partial)
		return error_nomem(error);
	pthread_mutex_init(&partial->lock, NULL);
	partial->packed.fd = -1;
	partial->kept.fd = fd;
	partial->kept.memory = options->memory;
	partial->limit = options->limit;
	ret = open_partial(partial, packed);
	if (ret < 0)
		return error_errno(error, -ret, "%s: cannot read", packed->label);
	ret = look_through(partial, options, error);
	if (ret < 0)
		return ret;
	*bytes = partial->bytes;
	*result = steal_ptr(&partial);
	return 0;
}

void archive_partial_free(struct archive_partial *partial)
{
	if (!partial)
		return;
	end_peeking(partial);
	archive_input_release(&partial->packed);
	if (partial->packed.fd >= 0)
		close(partial->packed.fd);
	kept_release(&partial->kept);
	free(partial->label);
	pthread_mutex_destroy(&partial->lock);
	free(partial);
}
