/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A finished filesystem as its reader looks at it: nothing in it is believed. Bytes come through a
 * small cache and never from outside, and what is looked at as metadata is held against a sum that
 * no sound image reaches: in a forged one a million inodes can share one block, and each would be
 * read. Not for several threads.
 */
#ifndef COMMON_WINDOW_H
#define COMMON_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"

struct window_page;

struct window {
	const struct kataimg_host *host;
	uint64_t bytes;            /* of the window */
	uint64_t look_factor;      /* metadata may be so many times the window, and some more */
	uint64_t looked_bytes;     /* so far */
	struct window_page *pages; /* owned */
};

/* host, bytes and look_factor are set. -ENOMEM. */
int window_open(struct window *window);
void window_close(struct window *window);

/* Give the message: the image contradicts itself, -EUCLEAN; it has what is not read here,
 * -EOPNOTSUPP. */
int window_refuse(const struct window *window, const char *fmt, ...) KATAIMG_PRINTF(2, 3);
int window_decline(const struct window *window, const char *fmt, ...) KATAIMG_PRINTF(2, 3);

/* So many bytes are looked at as metadata; refused when it is too much. -ECANCELED too. */
int window_look(struct window *window, uint64_t bytes);

/* [off, off + len), refused when that is outside. */
int window_fetch(struct window *window, uint64_t off, void *buf, size_t len);

#endif
