/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reader/decoder.h"

#include <errno.h>

#include "lib/array.h"
#include "lib/checked.h"

struct piece {
	uint64_t off, len, cookie;
};

struct decoder {
	int (*decode)(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len);
	void (*read_end)(void *state);
	struct host *host; /* owned */
	void *state;       /* the backend's */
	bool begun;
	ARRAY(struct piece) pieces; /* ascending */
	uint64_t end;               /* of the last one */
};

struct decoder *decoder_new(const struct backend *backend, struct host *host)
{
	struct decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder) {
		host_free(host);
		return NULL;
	}
	decoder->decode = backend->table.decode;
	decoder->read_end = backend->table.read_end;
	decoder->host = host;
	return decoder;
}

void decoder_free(void *arg)
{
	struct decoder *decoder = arg;

	if (!decoder)
		return;
	if (decoder->begun && decoder->read_end)
		decoder->read_end(decoder->state);
	host_free(decoder->host);
	array_free(&decoder->pieces);
	free(decoder);
}

void **decoder_state(struct decoder *decoder)
{
	return &decoder->state;
}

void decoder_begin(struct decoder *decoder)
{
	decoder->begun = true;
}

int decoder_add(struct decoder *decoder, uint64_t cookie, uint64_t len, uint64_t *off)
{
	struct piece *piece;
	uint64_t end;

	if (checked_add(decoder->end, len, &end) < 0 || end >= TREE_DECODED_OFF)
		return -EOVERFLOW;
	piece = array_add(&decoder->pieces);
	if (!piece)
		return -ENOMEM;
	*piece = (struct piece){ decoder->end, len, cookie };
	*off = decoder->end;
	decoder->end = end;
	return 0;
}

/* The piece that off is in, which is before the end. */
static const struct piece *piece_at(const struct decoder *decoder, uint64_t off)
{
	size_t low = 0, high = decoder->pieces.count;

	while (low + 1 < high) {
		size_t middle = low + (high - low) / 2;

		if (decoder->pieces.items[middle].off <= off)
			low = middle;
		else
			high = middle;
	}
	return &decoder->pieces.items[low];
}

static int read_decoded(void *arg, uint64_t off, void *buf, size_t len, struct error *error)
{
	const struct decoder *decoder = arg;
	char *bytes = buf;

	while (len > 0) {
		const struct piece *piece = piece_at(decoder, off);
		uint64_t skip = off - piece->off;
		size_t part = piece->len - skip < len ? (size_t)(piece->len - skip) : len;
		int ret = decoder->decode(decoder->state, piece->cookie, skip, bytes, part);

		if (ret != 0 || host_has_error(decoder->host))
			return host_take_error(decoder->host, ret, "decode", error);
		bytes += part;
		off += part;
		len -= part;
	}
	return 0;
}

struct tree_decoder decoder_of_tree(struct decoder *decoder)
{
	return (struct tree_decoder){ read_decoded, decoder_free, decoder };
}
