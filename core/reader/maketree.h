/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READER_MAKETREE_H
#define READER_MAKETREE_H

#include "core/base/error.h"
#include "core/reader/decoder.h"
#include "core/reader/found.h"

/*
 * Makes found->tree, whose nodes are there, a finished tree out of what was judged. fd is the
 * image, base the window's place in it; the tree takes both fd and decoder, in any case. -EUCLEAN:
 * directories in a circle, which no name leads to.
 */
int maketree(struct found *found, int fd, uint64_t base, struct decoder *decoder,
	     struct error *error);

#endif
