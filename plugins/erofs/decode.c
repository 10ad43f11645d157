/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/decode.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/checked.h"
#include "lib/cleanup.h"
#include "plugins/erofs/unpack.h"

/* A cookie: the piece's number, and in so many low bits where in it something begins. */
#define SKIP_BITS 24
#define SKIP_MASK ((UINT64_C(1) << SKIP_BITS) - 1)
_Static_assert(EROFS_UNPACKED_BYTES_MAX <= SKIP_MASK, "a cookie has room for each byte of a piece");

/* Each piece has blocks of its own, or a part of one. A forged image may name the same ones again
 * and again, so there is a bound. */
#define PIECES_BASE 65536u
#define PIECE_WINDOW_BYTES 64u

/* Small clusters are many, large ones are bounded by their bytes. With fragments, whose order is
 * not the tree's, files ask for one here and one there: what is thrown away is unpacked again for
 * the next file, some MiB for a few KiB. */
#define KEPT 256u
#define KEPT_BYTES_MAX (UINT32_C(64) << 20)

struct piece {
	uint64_t off : 58;
	uint64_t algorithm : 4;
	uint64_t partial : 1;
	uint32_t bytes;
	uint32_t unpacked_bytes;
};

/* A piece that stays unpacked. Its bytes are not freed while it has users. */
struct kept {
	uint8_t *bytes; /* NULL: a free place */
	size_t number;
	uint32_t len;
	unsigned int users;
	uint64_t used; /* the clock's value then */
};

struct erofs_decoder {
	const struct kataimg_host *host;
	uint64_t window_bytes;
	bool zero_padded;
	ARRAY(struct piece) pieces;
	pthread_mutex_t lock; /* over what follows */
	struct kept kept[KEPT];
	uint64_t kept_bytes;
	uint64_t clock;
	uint64_t unpacked_bytes;
};

struct erofs_decoder *erofs_decoder_new(const struct kataimg_host *host, uint64_t window_bytes,
					bool zero_padded)
{
	struct erofs_decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return NULL;
	decoder->host = host;
	decoder->window_bytes = window_bytes;
	decoder->zero_padded = zero_padded;
	pthread_mutex_init(&decoder->lock, NULL);
	return decoder;
}

void erofs_read_end(void *state)
{
	struct erofs_decoder *decoder = state;

	if (!decoder)
		return;
	for (size_t i = 0; i < KEPT; i++)
		free(decoder->kept[i].bytes);
	array_free(&decoder->pieces);
	pthread_mutex_destroy(&decoder->lock);
	free(decoder);
}

static int refuse_piece(const struct erofs_decoder *decoder, const struct erofs_packed *packed)
{
	const struct kataimg_host *host = decoder->host;
	const char *name = erofs_unpack_name(packed->algorithm);

	if (!range_within(packed->off, packed->bytes, decoder->window_bytes) ||
	    packed->bytes == 0 || packed->bytes > EROFS_PACKED_BYTES_MAX ||
	    packed->unpacked_bytes > EROFS_UNPACKED_BYTES_MAX) {
		host->error(host->ctx,
			    "it has compressed data outside the filesystem: %u bytes at byte "
			    "%" PRIu64,
			    packed->bytes, packed->off);
		return -EUCLEAN;
	}
	if (!name) {
		host->error(host->ctx, "it is compressed by algorithm %u, which is not known",
			    packed->algorithm);
		return -EOPNOTSUPP;
	}
	if (!erofs_unpack_can(packed->algorithm)) {
		host->error(host->ctx,
			    "it is compressed by %s, and kataimg was built without its library",
			    name);
		return -EOPNOTSUPP;
	}
	return 0;
}

int erofs_decoder_add(struct erofs_decoder *decoder, const struct erofs_packed *packed,
		      uint64_t *cookie)
{
	const struct kataimg_host *host = decoder->host;
	struct piece *piece;
	int ret = refuse_piece(decoder, packed);

	if (ret < 0)
		return ret;
	if (decoder->pieces.count >= PIECES_BASE + decoder->window_bytes / PIECE_WINDOW_BYTES) {
		host->error(host->ctx,
			    "it has more compressed pieces than a filesystem of %" PRIu64
			    " bytes can hold",
			    decoder->window_bytes);
		return -EUCLEAN;
	}
	*cookie = (uint64_t)decoder->pieces.count << SKIP_BITS;
	piece = array_add(&decoder->pieces);
	if (!piece)
		return -ENOMEM;
	*piece = (struct piece){ .off = packed->off & ((UINT64_C(1) << 58) - 1),
				 .algorithm = packed->algorithm & 15u,
				 .partial = packed->partial,
				 .bytes = packed->bytes,
				 .unpacked_bytes = packed->unpacked_bytes };
	return 0;
}

/* ---- Unpacking ---- */

static int unpack(const struct erofs_decoder *decoder, const struct piece *piece, uint8_t *out)
{
	const struct kataimg_host *host = decoder->host;
	autofree uint8_t *in = malloc(piece->bytes);
	struct erofs_unpack job = { .in = in,
				    .in_bytes = piece->bytes,
				    .out = out,
				    .out_bytes = piece->unpacked_bytes,
				    .partial = piece->partial };
	int ret = in ? host->window_read(host->ctx, piece->off, in, piece->bytes) : -ENOMEM;

	if (ret < 0)
		return ret;
	if (piece->algorithm != EROFS_UNPACK_LZ4 || decoder->zero_padded)
		while (job.in_bytes > 0 && *job.in == 0) {
			job.in++;
			job.in_bytes--;
		}
	ret = job.in_bytes ? erofs_unpack(piece->algorithm, &job) : -EUCLEAN;
	if (ret == -EUCLEAN)
		host->error(host->ctx,
			    "compressed data at byte %" PRIu64 " of the filesystem cannot be "
			    "unpacked (%s)",
			    (uint64_t)piece->off, erofs_unpack_name(piece->algorithm));
	return ret;
}

/* ---- What stays unpacked ---- */

/* Called with the lock held. */
static struct kept *find_kept(struct erofs_decoder *decoder, size_t number)
{
	for (size_t i = 0; i < KEPT; i++)
		if (decoder->kept[i].bytes && decoder->kept[i].number == number)
			return &decoder->kept[i];
	return NULL;
}

static bool copy_kept(struct erofs_decoder *decoder, size_t number, uint64_t off, void *buf,
		      size_t len)
{
	struct kept *kept;

	pthread_mutex_lock(&decoder->lock);
	kept = find_kept(decoder, number);
	if (kept) {
		kept->users++;
		kept->used = ++decoder->clock;
	}
	pthread_mutex_unlock(&decoder->lock);
	if (!kept)
		return false;
	memcpy(buf, kept->bytes + off, len);
	pthread_mutex_lock(&decoder->lock);
	kept->users--;
	pthread_mutex_unlock(&decoder->lock);
	return true;
}

static struct kept *find_free(struct erofs_decoder *decoder)
{
	for (size_t i = 0; i < KEPT; i++)
		if (!decoder->kept[i].bytes)
			return &decoder->kept[i];
	return NULL;
}

/* Empties the place that was not used for longest, and returns the bytes that were there. NULL: all
 * are in use. Called with the lock held. */
static uint8_t *empty_oldest(struct erofs_decoder *decoder)
{
	struct kept *oldest = NULL;
	uint8_t *bytes;

	for (size_t i = 0; i < KEPT; i++) {
		struct kept *kept = &decoder->kept[i];

		if (kept->users == 0 && kept->bytes && (!oldest || kept->used < oldest->used))
			oldest = kept;
	}
	if (!oldest)
		return NULL;
	bytes = oldest->bytes;
	oldest->bytes = NULL;
	decoder->kept_bytes -= oldest->len;
	return bytes;
}

static bool is_full(struct erofs_decoder *decoder, uint32_t len)
{
	return decoder->kept_bytes + len > KEPT_BYTES_MAX || !find_free(decoder);
}

/* Memory to unpack to: that of what has to go, if something has; fresh pages would cost as much as
 * unpacking does. */
static uint8_t *take_memory(struct erofs_decoder *decoder, uint32_t len)
{
	uint8_t *oldest, *bytes;

	pthread_mutex_lock(&decoder->lock);
	oldest = is_full(decoder, len) ? empty_oldest(decoder) : NULL;
	pthread_mutex_unlock(&decoder->lock);
	bytes = realloc(oldest, len);
	if (!bytes)
		free(oldest);
	return bytes;
}

/* Lock held. */
static struct kept *find_place(struct erofs_decoder *decoder, uint32_t len)
{
	while (is_full(decoder, len)) {
		uint8_t *oldest = empty_oldest(decoder);

		if (!oldest)
			return NULL;
		free(oldest);
	}
	return find_free(decoder);
}

/* Takes the bytes over, or frees them. */
static void keep(struct erofs_decoder *decoder, size_t number, uint8_t *bytes, uint32_t len)
{
	struct kept *place;

	pthread_mutex_lock(&decoder->lock);
	place = find_kept(decoder, number) ? NULL : find_place(decoder, len);
	if (place) {
		*place = (struct kept){
			.bytes = bytes, .number = number, .len = len, .used = ++decoder->clock
		};
		decoder->kept_bytes += len;
		bytes = NULL;
	}
	pthread_mutex_unlock(&decoder->lock);
	free(bytes);
}

/* ---- decode ---- */

uint64_t erofs_decoder_unpacked_bytes(const struct erofs_decoder *decoder)
{
	return decoder->unpacked_bytes;
}

static int decode_part(struct erofs_decoder *decoder, size_t number, uint64_t off, void *buf,
		       size_t len)
{
	const struct piece *piece = &decoder->pieces.items[number];
	autofree uint8_t *bytes = NULL;
	int ret;

	if (copy_kept(decoder, number, off, buf, len))
		return 0;
	pthread_mutex_lock(&decoder->lock);
	decoder->unpacked_bytes += piece->unpacked_bytes;
	pthread_mutex_unlock(&decoder->lock);
	if (len == piece->unpacked_bytes)
		return unpack(decoder, piece, buf);
	bytes = take_memory(decoder, piece->unpacked_bytes);
	if (!bytes)
		return -ENOMEM;
	ret = unpack(decoder, piece, bytes);
	if (ret < 0)
		return ret;
	memcpy(buf, bytes + off, len);
	keep(decoder, number, steal_ptr(&bytes), piece->unpacked_bytes);
	return 0;
}

int erofs_decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	struct erofs_decoder *decoder = state;
	size_t number = (size_t)(cookie >> SKIP_BITS);
	uint64_t off = cookie & SKIP_MASK;

	if (number >= decoder->pieces.count || checked_add(off, skip, &off) < 0 ||
	    !range_within(off, len, decoder->pieces.items[number].unpacked_bytes))
		return -ERANGE;
	return len ? decode_part(decoder, number, off, buf, len) : 0;
}
