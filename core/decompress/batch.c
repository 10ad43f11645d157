/* SPDX-License-Identifier: Apache-2.0 */
#include "core/decompress/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/pool.h"
#include "lib/array.h"

struct member {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	bool is_good;
};

struct run {
	const struct decompress_codec *codec;
	ARRAY(struct member) members;
};

struct worker {
	struct run *run;
	void *decoder;
};

/* ---- A thread's ---- */

static void *make_worker(void *arg)
{
	struct worker *worker = malloc(sizeof(*worker));
	struct run *run = arg;

	if (!worker)
		return NULL;
	*worker = (struct worker){ run, run->codec->open() };
	if (worker->decoder)
		return worker;
	free(worker);
	return NULL;
}

static void free_worker(void *arg)
{
	struct worker *worker = arg;

	worker->run->codec->close(worker->decoder);
	free(worker);
}

/* Goes on as long as something is taken or given. */
static int decompress_member(const struct decompress_codec *codec, void *decoder,
			     struct member *member)
{
	struct decompress_io io = { .in = member->in,
				    .in_len = member->in_len,
				    .in_ends = true,
				    .out = member->out,
				    .out_room = member->out_len };
	bool ended = false, moves = true;
	int ret = 0;

	while (ret == 0 && !ended && moves) {
		const struct decompress_io before = io;
		const char *what;

		ret = codec->step(decoder, &io, &ended, &what);
		moves = io.in != before.in || io.out != before.out;
	}
	member->is_good = ret == 0 && ended && io.in_len == 0 && io.out_room == 0;
	return ret == -ENOMEM ? ret : 0;
}

static int run_worker(void *arg, uint64_t index)
{
	struct worker *worker = arg;
	const struct decompress_codec *codec = worker->run->codec;

	if (codec->restart(worker->decoder) < 0)
		return -ENOMEM;
	return decompress_member(codec, worker->decoder, &worker->run->members.items[index]);
}

/* ---- All of them ---- */

static int find_members(struct run *run, struct batch *batch, const uint8_t *bytes, size_t len)
{
	size_t in_len, out_len, out = 0;

	while (run->codec->measure(bytes, len, &in_len, &out_len) &&
	       out_len <= BATCH_OUT_BYTES - out) {
		struct member *member = array_add(&run->members);

		if (!member)
			return -ENOMEM;
		*member = (struct member){ bytes, in_len, batch->bytes + out, out_len, false };
		bytes += in_len;
		len -= in_len;
		out += out_len;
	}
	return 0;
}

static void take_good(const struct run *run, struct batch *batch, size_t *taken)
{
	for (size_t i = 0; i < run->members.count && run->members.items[i].is_good; i++) {
		batch->len += run->members.items[i].out_len;
		*taken += run->members.items[i].in_len;
	}
}

int batch_decompress(struct batch *batch, const struct decompress_codec *codec,
		     const uint8_t *bytes, size_t len, unsigned int threads, size_t *taken)
{
	static const struct pool_workers workers = { make_worker, run_worker, free_worker };
	struct run run = { .codec = codec };
	int ret;

	*taken = 0;
	batch->used = batch->len = 0;
	if (!batch->bytes)
		batch->bytes = malloc(BATCH_OUT_BYTES);
	ret = batch->bytes ? find_members(&run, batch, bytes, len) : -ENOMEM;
	if (ret == 0 && run.members.count > 1)
		ret = pool_run_workers(threads, run.members.count, &workers, &run);
	if (ret == 0)
		take_good(&run, batch, taken);
	array_free(&run.members);
	return ret;
}

size_t batch_read(struct batch *batch, void *buf, size_t room)
{
	size_t left = batch->len - batch->used, len = left < room ? left : room;

	if (len > 0)
		memcpy(buf, batch->bytes + batch->used, len);
	batch->used += len;
	return len;
}

void batch_release(struct batch *batch)
{
	free(batch->bytes);
}
