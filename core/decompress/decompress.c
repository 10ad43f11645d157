/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levels of compression, the outermost first: each reads what the one below it gives, the first one
 * the source. Above the last of them is a level that only copies; when it begins, it looks whether
 * what comes is compressed again.
 */
#include "core/decompress/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/decompress/batch.h"
#include "core/decompress/codec.h"
#include "core/decompress/side.h"
#include "lib/bytes.h"

/* Some gzip files are their own content. */
#define DEPTH_MAX 8
#define IN_BYTES ((size_t)128 << 10)
/* Two members are looked for in so much. */
#define AHEAD_IN_BYTES ((size_t)6 << 20)
/* Packed members of less than this are not worth a thread each. */
#define LARGE_BYTES ((size_t)256 << 10)

struct level {
	const struct decompress_codec *codec;
	void *decoder; /* owned */
	uint8_t *in;   /* owned */
	size_t used, len;
	bool in_ends;   /* what is below has ended */
	bool in_member; /* its end has not come */
	bool ended;     /* no member follows, */
	bool rest;      /* but something does */
	bool is_single; /* members are decompressed one by one */
	struct batch batch;
	struct side side; /* runs on the member at side_at of in, into the batch's bytes: */
	size_t side_at, side_len;
	bool side_is_upper;
};

struct decompress {
	struct decompress_source source;
	unsigned int threads;
	uint64_t source_at;
	struct level levels[DEPTH_MAX];
	unsigned int count;
	/* Of what is above all levels: its first bytes, by which it was looked at. */
	uint8_t start[DECOMPRESS_MAGIC_BYTES];
	size_t start_used, start_len;
	bool is_known; /* no more levels come */
	struct decompress_failure failure;
};

bool decompress_is(const void *bytes, size_t len)
{
	return decompress_codec_of(bytes, len) != NULL;
}

struct decompress *decompress_new(const struct decompress_source *source, unsigned int threads)
{
	struct decompress *decompress = calloc(1, sizeof(*decompress));

	if (!decompress)
		return NULL;
	decompress->source = *source;
	decompress->threads = threads;
	return decompress;
}

void decompress_free(struct decompress *decompress)
{
	if (!decompress)
		return;
	for (unsigned int i = 0; i < decompress->count; i++) {
		side_release(&decompress->levels[i].side);
		decompress->levels[i].codec->close(decompress->levels[i].decoder);
		free(decompress->levels[i].in);
		batch_release(&decompress->levels[i].batch);
	}
	free(decompress);
}

uint64_t decompress_taken(const struct decompress *decompress)
{
	const struct level *first = &decompress->levels[0];

	return decompress->source_at - (decompress->count > 0 ? first->len - first->used : 0);
}

bool decompress_has_rest(const struct decompress *decompress)
{
	for (unsigned int i = 0; i < decompress->count; i++)
		if (decompress->levels[i].rest)
			return true;
	return false;
}

/* ---- What is wrong ---- */

static int fail(struct decompress *decompress, int code)
{
	decompress->failure.code = code;
	return -code;
}

static int fail_codec(struct decompress *decompress, const struct decompress_codec *codec,
		      const char *what, bool is_at)
{
	decompress->failure = (struct decompress_failure){
		.codec = codec->name,
		.what = what,
		.at = decompress_taken(decompress),
		.is_at = is_at,
		.is_exact = codec->is_exact,
	};
	return fail(decompress, EBADMSG);
}

/* Within another level nobody knows where in the source it is. */
static int fail_level(struct decompress *decompress, struct level *level, int code,
		      const char *what, bool is_cut)
{
	bool is_first = level == &decompress->levels[0];

	if (code == ENOMEM)
		return fail(decompress, ENOMEM);
	if (!is_cut && !level->codec->is_exact)
		level->used = level->len;
	return fail_codec(decompress, level->codec, what,
			  is_first && (is_cut || level->codec->is_exact));
}

/* ---- A level ---- */

static int read_level(struct decompress *decompress, unsigned int number, void *buf, size_t room,
		      size_t *len);

static int read_source(struct decompress *decompress, void *buf, size_t room, size_t *len)
{
	ssize_t got = decompress->source.read(decompress->source.arg, buf, room);

	*len = got < 0 ? 0 : (size_t)got;
	decompress->source_at += *len;
	if (got == -EAGAIN)
		return -EAGAIN;
	return got < 0 ? fail(decompress, (int)-got) : 0;
}

/* What the level below level `number` gives. */
static int read_below(struct decompress *decompress, unsigned int number, void *buf, size_t room,
		      size_t *len)
{
	return number == 0 ? read_source(decompress, buf, room, len)
			   : read_level(decompress, number - 1, buf, room, len);
}

static int fill(struct decompress *decompress, unsigned int number)
{
	struct level *level = &decompress->levels[number];
	int ret;

	side_discard(&level->side);
	ret = read_below(decompress, number, level->in, IN_BYTES, &level->len);
	level->used = 0;
	level->in_ends = ret == 0 && level->len == 0;
	return ret;
}

/* Has the codec give what fits. */
static int step(struct decompress *decompress, struct level *level, void *buf, size_t room,
		size_t *len)
{
	struct decompress_io io = {
		.in = level->in + level->used,
		.in_len = level->len - level->used,
		.in_ends = level->in_ends,
		.out = buf,
		.out_room = room,
	};
	const char *what = NULL;
	bool ended = false;
	int ret = level->codec->step(level->decoder, &io, &ended, &what);

	level->used = level->len - io.in_len;
	*len = room - io.out_room;
	level->in_member = !ended;
	return ret < 0 ? fail_level(decompress, level, -ret, what, false) : 0;
}

/* Reads until there are `wanted` bytes, or all that there are. */
static int fill_up(struct decompress *decompress, struct level *level, size_t wanted)
{
	size_t len = 1;
	int ret = 0;

	memmove(level->in, level->in + level->used, level->len - level->used);
	level->len -= level->used;
	level->used = 0;
	while (ret == 0 && len > 0 && level->len < wanted) {
		ret = read_source(decompress, level->in + level->len, wanted - level->len, &len);
		level->len += len;
	}
	level->in_ends |= ret == 0 && len == 0;
	return ret;
}

/* The next member with content; one that is not whole is larger than what was read. */
static bool is_large(const struct level *level)
{
	size_t at = 0, len;

	return level->codec->span &&
	       (!side_find(level->codec, level->in, level->len, &at, &len) || len >= LARGE_BYTES);
}

/* 1: the next members are in the batch, 0: the next one is to be decompressed by itself. */
static int begin_batch(struct decompress *decompress, struct level *level)
{
	size_t taken = 0;
	int ret = level->is_single ? 0 : fill_up(decompress, level, BATCH_IN_BYTES);

	if (ret < 0 || level->is_single)
		return ret;
	ret = batch_decompress(&level->batch, level->codec, level->in, level->len,
			       decompress->threads, &taken);
	if (ret == -ECANCELED)
		return -ECANCELED;
	if (ret < 0)
		return fail(decompress, ENOMEM);
	level->used = taken;
	/* One that is damaged, or too large, or the last: others of its kind may follow, but need
	 * not be waited for. */
	level->is_single = taken == 0 && !is_large(level);
	return taken > 0;
}

static size_t side_place(const struct level *level)
{
	return level->side_is_upper ? SIDE_OUT_BYTES : 0;
}

/* Has the member behind the present one begun: behind what is left of that, or, when its start is
 * what comes next, behind all of it. */
static int look_ahead(struct decompress *decompress, struct level *level, bool starts, size_t left)
{
	int ret = level->is_single ? 0 : fill_up(decompress, level, AHEAD_IN_BYTES);

	if (ret < 0)
		return ret == -EAGAIN ? 0 : ret;
	if (level->is_single || (starts && !level->codec->span(level->in, level->len, &left)) ||
	    !side_find(level->codec, level->in, level->len, &left, &level->side_len))
		return 0;
	level->side.codec = level->codec;
	level->side_at = left;
	level->side_is_upper = !level->side_is_upper;
	side_begin(&level->side, level->in + left, level->side_len,
		   level->batch.bytes + side_place(level));
	return 0;
}

/* Goes on with the member that was begun aside: 1, or 0: there is none, or it begins anew. */
static int take_side(struct decompress *decompress, struct level *level)
{
	struct side_result got;
	int ret;

	/* What is between the two has no content; the bytes stay where they are meanwhile. */
	if (level->used < level->side_at)
		return 0;
	if (level->used > level->side_at)
		side_discard(&level->side);
	if (!side_end(&level->side, &level->decoder, &got))
		return 0;
	level->used += got.taken;
	level->in_member = !got.ended;
	level->batch.used = side_place(level);
	level->batch.len = level->batch.used + got.given;
	ret = look_ahead(decompress, level, false, level->side_len - got.taken);
	return ret < 0 ? ret : 1;
}

/* Members follow each other; zeros fill a tape's last block, and what else comes is not the
 * codec's. */
static int begin_member(struct decompress *decompress, struct level *level)
{
	uint8_t first = level->codec->first;
	bool has_side = level->side.is_running;
	int ret;

	if (first && level->in[level->used] != first) {
		level->ended = true;
		return 0;
	}
	ret = has_side ? take_side(decompress, level) : begin_batch(decompress, level);
	if (ret != 0)
		return ret < 0 ? ret : 0;
	level->in_member = true;
	if (level->codec->restart(level->decoder) < 0)
		return fail(decompress, ENOMEM);
	return has_side ? 0 : look_ahead(decompress, level, true, 0);
}

/* A step gave no bytes: a new member begins, more input is needed, or all has ended. */
static int go_on(struct decompress *decompress, unsigned int number)
{
	struct level *level = &decompress->levels[number];

	if (level->used < level->len)
		return level->in_member ? 0 : begin_member(decompress, level);
	if (!level->in_ends)
		return fill(decompress, number);
	if (level->in_member)
		return fail_level(decompress, level, EBADMSG, "it is cut off", true);
	level->ended = true;
	return 0;
}

/* What a level does not take is looked at for its warning; to the end where other levels are below,
 * whose sums are there. */
static int read_rest(struct decompress *decompress, unsigned int number)
{
	struct level *level = &decompress->levels[number];
	int ret = 0;

	while (ret == 0) {
		level->rest |= !bytes_are_zero(level->in + level->used, level->len - level->used);
		level->used = level->len;
		if (level->in_ends || (number == 0 && level->rest))
			return 0;
		ret = fill(decompress, number);
	}
	return ret;
}

static int read_level(struct decompress *decompress, unsigned int number, void *buf, size_t room,
		      size_t *len)
{
	struct level *level = &decompress->levels[number];
	int ret = 0;

	*len = batch_read(&level->batch, buf, room);
	while (ret == 0 && *len == 0 && !level->ended) {
		/* It may have more to give of the input that it has taken already. */
		if (level->in_member)
			ret = step(decompress, level, buf, room, len);
		if (ret == 0 && *len == 0)
			ret = go_on(decompress, number);
		if (ret == 0 && *len == 0)
			*len = batch_read(&level->batch, buf, room);
	}
	return ret == 0 && *len == 0 ? read_rest(decompress, number) : ret;
}

/* ---- Levels ---- */

static int add_level(struct decompress *decompress, const struct decompress_codec *codec)
{
	struct level *level = &decompress->levels[decompress->count];

	if (codec->lack) {
		fail_codec(decompress, codec, codec->lack, false);
		return fail(decompress, ENOTSUP);
	}
	if (decompress->count == DEPTH_MAX) {
		fail_codec(decompress, level[-1].codec, NULL, false);
		decompress->failure.inner = codec->name;
		return -EBADMSG;
	}
	level->is_single = decompress->count > 0 || decompress->threads < 2 || !codec->measure;
	level->decoder = codec->open();
	level->in = malloc(level->is_single ? IN_BYTES
			   : codec->span    ? AHEAD_IN_BYTES
					    : BATCH_IN_BYTES);
	if (!level->decoder || !level->in) {
		if (level->decoder)
			codec->close(level->decoder);
		free(level->in);
		return fail(decompress, ENOMEM);
	}
	level->codec = codec;
	memcpy(level->in, decompress->start, decompress->start_len);
	level->len = decompress->start_len;
	decompress->start_len = 0;
	decompress->count++;
	return 0;
}

/* As many as tell what it is, or all that there are. */
static int read_start(struct decompress *decompress)
{
	size_t len = 1;
	int ret = 0;

	while (ret == 0 && len > 0 && decompress->start_len < sizeof(decompress->start)) {
		ret = read_below(decompress, decompress->count,
				 decompress->start + decompress->start_len,
				 sizeof(decompress->start) - decompress->start_len, &len);
		decompress->start_len += len;
	}
	return ret;
}

static int find_levels(struct decompress *decompress)
{
	while (!decompress->is_known) {
		const struct decompress_codec *codec;
		int ret = read_start(decompress);

		if (ret < 0)
			return ret;
		codec = decompress_codec_of(decompress->start, decompress->start_len);
		decompress->is_known = !codec;
		ret = codec ? add_level(decompress, codec) : 0;
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_next(struct decompress *decompress, void *buf, size_t room, size_t *len)
{
	int ret = find_levels(decompress);

	*len = decompress->start_len - decompress->start_used;
	if (ret < 0)
		return ret;
	if (*len == 0)
		return read_below(decompress, decompress->count, buf, room, len);
	if (*len > room)
		*len = room;
	memcpy(buf, decompress->start + decompress->start_used, *len);
	decompress->start_used += *len;
	return 0;
}

int decompress_read(struct decompress *decompress, void *buf, size_t room, size_t *len,
		    struct decompress_failure *failure)
{
	int ret;

	*len = 0;
	ret = decompress->failure.code ? -decompress->failure.code
				       : read_next(decompress, buf, room, len);
	if (ret < 0 && ret != -EAGAIN)
		*failure = decompress->failure;
	return ret;
}
