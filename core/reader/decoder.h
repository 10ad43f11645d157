/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend must decode, as one long row of bytes: each decoded range has its place in it, one
 * behind the other, so that a file's ranges lie together where the file's bytes do.
 */
#ifndef READER_DECODER_H
#define READER_DECODER_H

#include "core/backend/host.h"
#include "core/backend/loader.h"
#include "core/tree/content.h"

struct decoder;

/* Takes the host, which must have its window, in any case. NULL when memory is out. */
struct decoder *decoder_new(const struct backend *backend, struct host *host);
/* Asks for read_end when read has succeeded, as decoder_begin says. */
void decoder_free(void *decoder);
static inline void cleanup_decoder_free(struct decoder **decoder)
{
	decoder_free(*decoder);
}

/* Where read leaves its state, and that it has. */
void **decoder_state(struct decoder *decoder);
void decoder_begin(struct decoder *decoder);

/* A range of the backend's: *off is where it lies in the row. -ENOMEM, -EOVERFLOW. */
int decoder_add(struct decoder *decoder, uint64_t cookie, uint64_t len, uint64_t *off);

/* For the tree, which then owns it. Bytes may be read from any thread. */
struct tree_decoder decoder_of_tree(struct decoder *decoder);

#endif
