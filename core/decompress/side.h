/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member behind the present one, begun by another thread while that goes on: of members too
 * large to be decompressed as a batch two are on their way, the second as far as there is room for.
 */
#ifndef DECOMPRESS_SIDE_H
#define DECOMPRESS_SIDE_H

#include <pthread.h>

#include "core/decompress/codec.h"

/* It does not come further: two of them take turns. */
#define SIDE_OUT_BYTES ((size_t)3 << 20)

struct side {
	const struct decompress_codec *codec;
	void *decoder; /* owned; NULL until it is needed */
	const uint8_t *in;
	uint8_t *out;
	struct decompress_io io; /* from in and out on */
	bool ended;
	int ret;
	pthread_t thread;
	bool is_running;
};

/* How far it came. */
struct side_result {
	size_t taken, given;
	bool ended;
};

/* The first member at *at or behind that has content and is there as a whole; codec has span. */
bool side_find(const struct decompress_codec *codec, const uint8_t *bytes, size_t len, size_t *at,
	       size_t *in_len);

/* Begins with the member, which stays where it is, as SIDE_OUT_BYTES of out do, until side_end.
 * Where that cannot be it is not running, and nothing is lost. */
void side_begin(struct side *side, const uint8_t *in, size_t in_len, uint8_t *out);

/*
 * Waits for it. true: *decoder, which is at a member's end, becomes the one that stands in this
 * one, and the other way round. false: it did not run, or the member is damaged and nothing of it
 * is to be used: who reads it by itself finds out what is wrong.
 */
bool side_end(struct side *side, void **decoder, struct side_result *result);

/* What it did is of no use. */
void side_discard(struct side *side);
void side_release(struct side *side);

#endif
