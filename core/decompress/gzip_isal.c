/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip (RFC 1952) by ISA-L, which inflates about twice as fast as zlib. It only tells that the sum
 * or the length at the end is wrong, and may have taken bytes that are not its own, so that header
 * and end are looked at here.
 */
#include <errno.h>
#include <isa-l.h>
#include <stdlib.h>

#include "core/decompress/codec.h"
#include "lib/byteorder.h"

/* What is behind the data: the sum of the content, and its length. */
struct gzip_end {
	le32 sum, len;
};

enum gzip_place { IN_HEADER, IN_DATA, IN_END };

struct gzip {
	struct inflate_state state;
	struct isal_gzip_header header;
	enum gzip_place place;
	uint32_t sum, len; /* of what came out */
	struct gzip_end end;
	size_t end_len; /* so much of it is there */
};

static int gzip_restart(void *decoder)
{
	struct gzip *gzip = decoder;

	isal_inflate_reset(&gzip->state);
	isal_gzip_header_init(&gzip->header);
	gzip->place = IN_HEADER;
	gzip->sum = 0;
	gzip->len = 0;
	gzip->end_len = 0;
	return 0;
}

static void *gzip_open(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return NULL;
	isal_inflate_init(&gzip->state);
	gzip_restart(gzip);
	return gzip;
}

static const char *reason_of(int status)
{
	switch (status) {
	case ISAL_INVALID_BLOCK:
		return "invalid block type or length";
	case ISAL_INVALID_SYMBOL:
		return "invalid code";
	case ISAL_INVALID_LOOKBACK:
		return "invalid distance too far back";
	case ISAL_UNSUPPORTED_METHOD:
		return "unknown compression method";
	case ISAL_INCORRECT_CHECKSUM:
		return "header crc mismatch";
	default:
		return "incorrect header check";
	}
}

static int take_header(struct gzip *gzip, const char **what)
{
	int status = isal_read_gzip_header(&gzip->state, &gzip->header);

	if (status == ISAL_END_INPUT)
		return 0;
	if (status != ISAL_DECOMP_OK) {
		*what = reason_of(status);
		return -EBADMSG;
	}
	/* The header's own sum was made in the same place. */
	gzip->state.crc_flag = ISAL_DEFLATE;
	gzip->state.crc = 0;
	gzip->place = IN_DATA;
	return 0;
}

/* Gives back those bytes behind the data that are of the input which begins at start. */
static void give_back(struct inflate_state *state, const uint8_t *start)
{
	int bytes = state->read_in_length / 8;

	state->read_in >>= state->read_in_length % 8;
	if (bytes > state->next_in - start)
		bytes = (int)(state->next_in - start);
	state->next_in -= bytes;
	state->avail_in += (uint32_t)bytes;
	state->read_in_length = (state->read_in_length / 8 - bytes) * 8;
}

static int inflate_data(struct gzip *gzip, const char **what)
{
	const uint8_t *in = gzip->state.next_in, *out = gzip->state.next_out;
	int status = isal_inflate(&gzip->state);
	size_t len = (size_t)(gzip->state.next_out - out);

	gzip->sum = crc32_gzip_refl(gzip->sum, out, len);
	gzip->len += (uint32_t)len;
	if (status < 0) {
		*what = reason_of(status);
		return -EBADMSG;
	}
	if (gzip->state.block_state == ISAL_BLOCK_FINISH) {
		give_back(&gzip->state, in);
		gzip->place = IN_END;
	}
	return 0;
}

/* Whole bytes that were taken for bits of the data, and are still there, come before those that are
 * in front. */
static bool next_byte(struct inflate_state *state, uint8_t *byte)
{
	if (state->read_in_length >= 8) {
		*byte = (uint8_t)state->read_in;
		state->read_in >>= 8;
		state->read_in_length -= 8;
		return true;
	}
	if (state->avail_in == 0)
		return false;
	*byte = *state->next_in++;
	state->avail_in--;
	return true;
}

static int take_end(struct gzip *gzip, bool *ended, const char **what)
{
	uint8_t *end = (uint8_t *)&gzip->end;

	while (gzip->end_len < sizeof(gzip->end) && next_byte(&gzip->state, &end[gzip->end_len])) {
		gzip->end_len++;
		if (gzip->end_len == sizeof(gzip->end.sum) &&
		    from_le32(gzip->end.sum) != gzip->sum) {
			*what = "incorrect data check";
			return -EBADMSG;
		}
	}
	*ended = gzip->end_len == sizeof(gzip->end);
	if (*ended && from_le32(gzip->end.len) != gzip->len) {
		*what = "incorrect length check";
		return -EBADMSG;
	}
	return 0;
}

static int gzip_step(void *decoder, struct decompress_io *io, bool *ended, const char **what)
{
	struct gzip *gzip = decoder;
	struct inflate_state *state = &gzip->state;
	int ret = 0;

	*ended = false;
	/* ISA-L does not write there; its header comes from before const. */
	state->next_in = (uint8_t *)(uintptr_t)io->in;
	state->avail_in = (uint32_t)io->in_len;
	state->next_out = io->out;
	state->avail_out = (uint32_t)io->out_room;
	if (gzip->place == IN_HEADER)
		ret = take_header(gzip, what);
	if (ret == 0 && gzip->place == IN_DATA)
		ret = inflate_data(gzip, what);
	if (ret == 0 && gzip->place == IN_END)
		ret = take_end(gzip, ended, what);
	io->in = state->next_in;
	io->in_len = state->avail_in;
	io->out = state->next_out;
	io->out_room = state->avail_out;
	return ret;
}

const struct decompress_codec decompress_gzip = {
	.name = "gzip",
	.first = 0x1f,
	.is_exact = true,
	.open = gzip_open,
	.step = gzip_step,
	.restart = gzip_restart,
	.close = free,
	.measure = gzip_measure_block,
};
