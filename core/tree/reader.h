/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gets at the bytes of a tree's regular files. A reader belongs to one thread; it keeps the last
 * file and some directories open, because neighbours are read one after the other.
 */
#ifndef TREE_READER_H
#define TREE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tree/content.h"
#include "core/tree/tree.h"
#include "lib/cleanup.h"

struct tree_reader;

struct tree_reader *tree_reader_new(const struct tree *tree); /* NULL when memory is out */
void tree_reader_free(struct tree_reader *reader);
DEFINE_CLEANUP(struct tree_reader, tree_reader_free)

/* The descriptor that the node's bytes are in, good until the next call for another node; or
 * -errno with a message. */
int tree_reader_open(struct tree_reader *reader, const struct kataimg_node *node,
		     struct error *error);

/* Reads [source_off, source_off + len) of that descriptor. */
int tree_reader_read(struct tree_reader *reader, void *buf, size_t len, uint64_t source_off,
		     struct error *error);

/*
 * To be asked after reading: a file that is another one by now, or whose size, mtime or ctime
 * differ from the scan's, is an error that names it. Reading changes none of them; a new mode,
 * owner, name or attribute changes ctime, and cannot be told from a write whose mtime was put back.
 */
int tree_reader_check(struct tree_reader *reader, struct error *error);

/* Opens, reads [off, off + len) of the file, holes as zeros, and checks. */
int tree_reader_get(struct tree_reader *reader, const struct kataimg_node *node, uint64_t off,
		    void *buf, size_t len, struct error *error);

/* Data that lies together: the file's [file_off, file_off + len) at source_off of its descriptor.
 */
struct tree_extent {
	uint64_t file_off, len, source_off;
};

/* The first data in [from, to) of a regular file; false: all of it is zeros. */
bool tree_next_extent(const struct tree *tree, const struct kataimg_node *node, uint64_t from,
		      uint64_t to, struct tree_extent *extent);

#endif
