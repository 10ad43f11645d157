/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of blocks: the thread fills those that are free, in order, and who uses them frees each
 * with the call for the next one. An error and the end have a place in that order, too, so that
 * nothing depends on how far the thread is ahead.
 */
#include "core/decompress/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/base/cancel.h"

#define BLOCKS 8
/* Few enough bytes that a block is still in the processors' common cache when it is used. */
#define BLOCK_BYTES ((size_t)256 << 10)

struct slot {
	int ret; /* of the read that filled it */
	size_t len;
	uint64_t taken;
	uint8_t bytes[BLOCK_BYTES];
};

struct ahead {
	struct decompress *decompress; /* owned; the thread's until it has ended */
	struct decompress_failure failure;
	pthread_t thread;
	bool has_thread;  /* else ahead_next reads itself */
	bool is_held;     /* the oldest slot is in use */
	atomic_bool stop; /* nobody wants more */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t filled, freed; /* so many slots were, since the start; under lock */
	struct slot slots[BLOCKS];
};

/* Nothing comes behind the end, nor behind an error. */
static bool is_last(const struct slot *slot)
{
	return slot->ret < 0 || slot->len == 0;
}

static struct slot *slot_of(struct ahead *ahead, uint64_t number)
{
	return &ahead->slots[number % BLOCKS];
}

static void fill_slot(struct ahead *ahead, struct slot *slot)
{
	do {
		slot->len = 0;
		slot->ret = cancel_requested()
				    ? -ECANCELED
				    : decompress_read(ahead->decompress, slot->bytes, BLOCK_BYTES,
						      &slot->len, &ahead->failure);
	} while (slot->ret == -EAGAIN && !ahead->stop);
	slot->taken = decompress_taken(ahead->decompress);
}

/* ---- The thread ---- */

static bool wait_for_room(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop && ahead->filled - ahead->freed == BLOCKS)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	pthread_mutex_unlock(&ahead->lock);
	return !ahead->stop;
}

static void add(struct ahead *ahead, uint64_t *count)
{
	pthread_mutex_lock(&ahead->lock);
	++*count;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
}

static void *work(void *arg)
{
	struct ahead *ahead = arg;
	bool last = false;

	while (!last && wait_for_room(ahead)) {
		struct slot *slot = slot_of(ahead, ahead->filled);

		fill_slot(ahead, slot);
		last = is_last(slot);
		add(ahead, &ahead->filled);
	}
	return NULL;
}

/* ---- Who uses it ---- */

struct ahead *ahead_new(const struct decompress_source *source, unsigned int threads)
{
	struct ahead *ahead = malloc(sizeof(*ahead));

	if (!ahead)
		return NULL;
	ahead->decompress = decompress_new(source, threads);
	if (!ahead->decompress) {
		free(ahead);
		return NULL;
	}
	ahead->failure = (struct decompress_failure){ 0 };
	ahead->is_held = false;
	atomic_init(&ahead->stop, false);
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->changed, NULL);
	ahead->filled = ahead->freed = 0;
	/* A thread that cannot be had makes it slower. */
	ahead->has_thread = pthread_create(&ahead->thread, NULL, work, ahead) == 0;
	return ahead;
}

static void stop(struct ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	pthread_cond_signal(&ahead->changed);
	pthread_mutex_unlock(&ahead->lock);
	if (ahead->has_thread)
		pthread_join(ahead->thread, NULL);
}

void ahead_free(struct ahead *ahead)
{
	if (!ahead)
		return;
	stop(ahead);
	decompress_free(ahead->decompress);
	pthread_cond_destroy(&ahead->changed);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

static const struct slot *oldest(struct ahead *ahead)
{
	struct slot *slot = slot_of(ahead, ahead->freed);

	if (!ahead->has_thread && ahead->filled == ahead->freed) {
		fill_slot(ahead, slot);
		ahead->filled++;
	}
	pthread_mutex_lock(&ahead->lock);
	while (ahead->filled == ahead->freed)
		pthread_cond_wait(&ahead->changed, &ahead->lock);
	pthread_mutex_unlock(&ahead->lock);
	return slot;
}

int ahead_next(struct ahead *ahead, struct ahead_block *block, struct decompress_failure *failure)
{
	const struct slot *slot;

	if (ahead->is_held)
		add(ahead, &ahead->freed);
	slot = oldest(ahead);
	/* The last one stays where it is. */
	ahead->is_held = !is_last(slot);
	*block = (struct ahead_block){ slot->bytes, slot->len, slot->taken };
	if (slot->ret < 0)
		*failure = ahead->failure;
	return slot->ret < 0 ? slot->ret : slot->len > 0;
}

bool ahead_has_rest(const struct ahead *ahead)
{
	return decompress_has_rest(ahead->decompress);
}
