/* SPDX-License-Identifier: Apache-2.0 */
#include "core/decompress/side.h"

bool side_find(const struct decompress_codec *codec, const uint8_t *bytes, size_t len, size_t *at,
	       size_t *in_len)
{
	size_t content;

	/* Between pzstd's frames there is one that says how long the next one is. */
	while (*at < len && codec->span(bytes + *at, len - *at, in_len)) {
		if (!codec->measure(bytes + *at, len - *at, in_len, &content) || content > 0)
			return true;
		*at += *in_len;
	}
	return false;
}

/* Goes on as long as something is taken or given. */
static void *work(void *arg)
{
	struct side *side = arg;
	bool moves = true;

	while (side->ret == 0 && !side->ended && moves && side->io.out_room > 0) {
		const struct decompress_io before = side->io;
		const char *what;

		side->ret = side->codec->step(side->decoder, &side->io, &side->ended, &what);
		moves = side->io.in != before.in || side->io.out != before.out;
	}
	return NULL;
}

void side_begin(struct side *side, const uint8_t *in, size_t in_len, uint8_t *out)
{
	if (!side->decoder)
		side->decoder = side->codec->open();
	if (!side->decoder || side->codec->restart(side->decoder) < 0)
		return;
	side->in = in;
	side->out = out;
	side->io = (struct decompress_io){ in, in_len, true, out, SIDE_OUT_BYTES };
	side->ended = false;
	side->ret = 0;
	side->is_running = pthread_create(&side->thread, NULL, work, side) == 0;
}

static bool join(struct side *side)
{
	if (!side->is_running)
		return false;
	pthread_join(side->thread, NULL);
	side->is_running = false;
	return side->ret == 0;
}

bool side_end(struct side *side, void **decoder, struct side_result *result)
{
	void *own = side->decoder;

	if (!join(side))
		return false;
	*result = (struct side_result){ (size_t)(side->io.in - side->in),
					(size_t)(side->io.out - side->out), side->ended };
	side->decoder = *decoder;
	*decoder = own;
	return true;
}

void side_discard(struct side *side)
{
	join(side);
}

void side_release(struct side *side)
{
	join(side);
	if (side->decoder)
		side->codec->close(side->decoder);
}
