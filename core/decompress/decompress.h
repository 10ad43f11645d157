/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind compression, by gzip, bzip2, xz or zstd, and by several of them over each other,
 * from front to end. Members that follow each other are one. All sums are checked.
 */
#ifndef DECOMPRESS_DECOMPRESS_H
#define DECOMPRESS_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/cleanup.h"

struct decompress;

struct decompress_source {
	/* The next bytes, at most room: how many, 0 at the end, -EAGAIN when there are none yet, or
	 * -errno. */
	ssize_t (*read)(void *arg, void *buf, size_t room);
	void *arg;
};

struct decompress_failure {
	/* Positive errno value. EBADMSG: it is damaged; ENOTSUP: this program was built without
	 * what unpacks it, as `what` says. */
	int code;
	const char *codec; /* of which it is; NULL: the source was not read */
	const char *what;  /* is wrong: a static text; NULL: there are too many levels, */
	const char *inner; /* and this codec is what is within it */
	uint64_t at;       /* in the source, */
	bool is_at;        /* or near it */
	bool is_exact;     /* that is where the damage is (decompress/codec.h) */
};

/* Is what begins so compressed? DECOMPRESS_MAGIC_BYTES tell it, fewer when there are no more. */
bool decompress_is(const void *bytes, size_t len);

/* Nothing is read yet. threads: for members that can be decompressed at the same time, as
 * decompress/batch.h has it; 1: none are. NULL when memory is out. */
struct decompress *decompress_new(const struct decompress_source *source, unsigned int threads);
void decompress_free(struct decompress *decompress);
DEFINE_CLEANUP(struct decompress, decompress_free)

/*
 * The next bytes, at most room: 0, and *len of them, 0 at the end. What is not compressed comes as
 * it is. -EAGAIN: the source has none yet; all other errors stay, and failure says what is wrong.
 */
int decompress_read(struct decompress *decompress, void *buf, size_t room, size_t *len,
		    struct decompress_failure *failure);

/* So many bytes of the source were made use of. */
uint64_t decompress_taken(const struct decompress *decompress);

/* At the end: does something follow, other than zeros, that is none of the compression's? */
bool decompress_has_rest(const struct decompress *decompress);

#endif
